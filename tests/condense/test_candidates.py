"""Readable: the first sentences that can be shown, of a bounded part of the text."""

from __future__ import annotations

from contextlib import suppress

import pytest

from service.condense import candidates as room
from service.condense.candidates import candidate_sentences
from service.condense.registry import SUMMARIZERS, get_summarizer
from service.core.errors import SummaryRefused
from service.text.lexicon import Lexicon

NAMED = [f"Report {k} names the ship {k * 7}." for k in range(60)]


def shown(text: str, most: int = 1_000) -> list[str]:
    return [text[start:end] for start, end in candidate_sentences(text, "en", most)]


def test_no_more_are_read_than_are_asked_for():
    assert shown(" ".join(NAMED), 3) == NAMED[:3]


def test_what_stands_behind_the_part_that_is_looked_at_is_left_out_whole(monkeypatch: pytest.MonkeyPatch):
    text = " ".join(NAMED)
    for cut in range(len(NAMED[0]) + 1, len(NAMED[0]) + 60):
        monkeypatch.setattr(room, "MAX_CHARACTERS_READ", cut)
        found = shown(text)
        assert found == NAMED[: len(found)]


def test_a_text_without_end_of_what_cannot_be_shown_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "MAX_SENTENCES_TRIED", 10)
    with pytest.raises(SummaryRefused, match="words"):
        shown("\0. " * 10 + "The ship was named.")


def test_a_word_is_looked_up_no_further_than_the_longest_beginning_that_is_known():
    words = Lexicon(None)
    words.prefixes["harbour"] = words.max_prefix_characters = 7

    assert words._cues("harbourmaster") == 7
    assert words._cues("h" * 5_000_000) == 0


# No clock here: these took from three seconds to half a minute while the whole text was split.
HOSTILE = {
    "no letters": "\0. " * 1_000_000,
    "lone surrogates": "\ud800 a b c. " * 300_000,
    "100,000 sentences": " ".join(f"Report {k} names ship {k * 7} that left." for k in range(100_000)),
    "no mark": "word " * 1_000_000,
    "lines": "some words that go on and on\n" * 150_000,
    "empty lines": "\n" * 1_000_000,
    "short lines": "a\n" * 1_000_000,
    "right to left": "\u200fنعم\u202b قال. " * 400_000,
    "one word": "a" * 5_000_000 + ".",
    "brackets": "(" * 1_000_000,
    "glued": "a." * 500_000,
}


@pytest.mark.parametrize("method", SUMMARIZERS)
@pytest.mark.parametrize("name", HOSTILE)
def test_every_method_answers_or_refuses_a_hostile_text(method: str, name: str):
    text = HOSTILE[name]
    with suppress(SummaryRefused):
        summary = get_summarizer(method).summarize(text, title=text)
        assert summary.key_points
        assert summary.is_verbatim(text)
