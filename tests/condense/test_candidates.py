"""Candidates: the first usable sentences, from a bounded part of the text."""

from __future__ import annotations

from contextlib import suppress

import pytest

from service.condense import candidates
from service.condense.candidates import read_candidates
from service.condense.registry import SUMMARIZERS, get_summarizer
from service.core.errors import SummaryRefused
from service.text.lexicon import Lexicon

REPORTS = [f"Report {k} names the ship {k * 7}." for k in range(60)]


def candidate_texts(text: str, limit: int = 1_000) -> list[str]:
    return [text[one.start : one.end] for one in read_candidates(text, (), "en", limit)]


def test_no_more_sentences_than_the_limit():
    assert candidate_texts(" ".join(REPORTS), 3) == REPORTS[:3]


def test_a_sentence_cut_off_at_the_end_of_the_part_read_is_left_out(monkeypatch: pytest.MonkeyPatch):
    text = " ".join(REPORTS)
    for cut in range(len(REPORTS[0]) + 1, len(REPORTS[0]) + 60):
        monkeypatch.setattr(candidates, "MAX_CHARACTERS_READ", cut)
        found = candidate_texts(text)
        assert found == REPORTS[: len(found)]


def test_a_single_word_says_nothing():
    assert candidate_texts("Fot. It rains. 雨だ。") == ["It rains.", "雨だ。"]


def test_an_endless_text_without_usable_sentences_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(candidates, "MAX_CANDIDATES_TRIED", 10)
    with pytest.raises(SummaryRefused, match="words"):
        candidate_texts("\0. " * 10 + "The ship was named.")


def test_cues_of_an_endless_word_are_looked_up_in_bounded_time():
    lexicon = Lexicon(None)
    lexicon.prefixes["harbour"] = lexicon.max_prefix_characters = 7

    assert lexicon._cues("harbourmaster") == 7
    assert lexicon._cues("h" * 5_000_000) == 0


# Without a clock: a reader of the whole text takes from three seconds to half a minute for each.
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
        summary = get_summarizer(method).summarize(text)
        assert summary.key_points
        assert summary.is_verbatim(text)
