"""Lines: a sentence that leans on another one is shown so that it is clear, or not at all."""

from __future__ import annotations

import numpy as np

from service.condense.block_reading import Candidate
from service.condense.references import Reference
from service.condense.selection.lines import SummaryLine, find_line
from service.condense.selection.scores import CandidateFacts
from service.core.model import TextSpan

FIRST, SECOND = "Mayor Holm met the builders.", "But she denied that she had taken boats."


def line_of(
    reference: Reference | None,
    *,
    gap: str = " ",
    words: tuple[int, int] = (5, 8),
    before: Reference | None = None,
    in_headline: bool = False,
    shown: bool = True,
) -> tuple[SummaryLine | None, str]:
    """Return the line of the second of two sentences, and the text that it shows."""
    text = FIRST + gap + SECOND
    start = len(FIRST + gap)
    candidates = [Candidate(0, len(FIRST), shown=shown), Candidate(start, len(text))]
    facts = CandidateFacts(
        np.array(words), np.array([shown, True]), np.zeros(2, np.bool_), np.array([in_headline, False])
    )
    line = find_line(text, candidates, [before, reference], facts, 1)
    return line, text[line.candidate.start : line.candidate.end] if line else ""


def leaning(*, antecedent: int = 0, hint: TextSpan | None = None, trimmed: int = 29) -> Reference:
    return Reference(antecedent, hint, trimmed)


def test_a_sentence_that_stands_alone_is_a_line():
    line, shown = line_of(None)
    assert (line and line.places, shown) == ((1,), SECOND)


def test_a_sentence_is_shown_without_the_word_that_leans():
    line, shown = line_of(leaning(trimmed=33))
    assert shown == "she denied that she had taken boats."
    assert line is not None
    assert not line.must_follow


def test_a_sentence_with_a_hint_may_stand_anywhere():
    line, shown = line_of(leaning(hint=TextSpan(6, 10)))
    assert line == SummaryLine((1,), Candidate(29, 69), 0, TextSpan(6, 10))
    assert shown == SECOND
    assert line is not None
    assert not line.must_follow


def test_two_short_sentences_of_one_paragraph_are_one_line():
    line, shown = line_of(leaning())
    assert shown == f"{FIRST} {SECOND}"
    assert line is not None
    assert (line.places, line.place, line.must_follow) == ((0, 1), 1, False)


def test_long_sentences_and_those_of_two_paragraphs_stay_apart():
    for line, shown in (line_of(leaning(), words=(20, 20)), line_of(leaning(trimmed=30), gap="\n\n")):
        assert shown == SECOND
        assert line is not None
        assert (line.above, line.must_follow, line.leans_on()) == (0, True, (0,))


def test_a_sentence_is_not_joined_to_one_that_leans_itself():
    line, shown = line_of(leaning(), before=Reference(-1, None, 0))
    assert shown == SECOND
    assert line is not None
    assert line.must_follow


def test_a_sentence_whose_antecedent_cannot_be_shown_is_not_shown():
    assert line_of(leaning(antecedent=-1))[0] is None
    assert line_of(leaning(), shown=False)[0] is None


def test_a_sentence_may_lean_on_the_headline_if_it_comes_first():
    line, shown = line_of(leaning(), in_headline=True)
    assert shown == SECOND
    assert line is not None
    assert not line.must_follow
