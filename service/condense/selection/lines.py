"""Lines: the form in which a sentence is shown, so that what it leans on is clear (pure).

A sentence that leans on the one before it ("He denied it.") is shown without the word that leans, beside the
name that its pronoun means, as one span with the sentence before it, or directly below that sentence. If none
of these is possible, it is not shown. The form does not depend on what else is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from service.condense.block_reading import Candidate
from service.condense.features import IntArray
from service.condense.references import Reference
from service.condense.selection.scores import CandidateFacts
from service.core.model import TextSpan

MAX_JOINED_WORDS = 30  # of two sentences that are shown as one line


class SummaryLine(NamedTuple):
    """One candidate, or two joined ones, as they would be shown.

    `places` are those of the candidates, the main one last. `candidate` has the span that is shown. `above`
    is the place of the candidate that it leans on, -1 if it leans on none: if that one is shown, it stands
    directly above, unless a `hint` names what the pronoun means. A line that `may_stand_alone` ("The deal in
    no way ...") is clear enough without it.
    """

    places: tuple[int, ...]
    candidate: Candidate
    above: int = -1
    hint: TextSpan | None = None
    may_stand_alone: bool = False

    @property
    def place(self) -> int:
        """Return the place of the main candidate."""
        return self.places[-1]

    @property
    def must_follow(self) -> bool:
        """Return whether it is only clear directly below the candidate `above`."""
        return self.above >= 0 and self.hint is None and not self.may_stand_alone

    @property
    def stands_below(self) -> bool:
        """Return whether it stands directly below the candidate `above` if that one is shown."""
        return self.above >= 0 and self.hint is None

    def leans_on(self) -> tuple[int, ...]:
        """Return the places of the other candidates that are shown in it or directly above it."""
        return (*self.places[:-1], *((self.above,) if self.must_follow else ()))


def find_line(
    text: str,
    candidates: Sequence[Candidate],
    references: Sequence[Reference | None],
    facts: CandidateFacts,
    place: int,
) -> SummaryLine | None:
    """Return the line of a candidate; None if it cannot be shown, or need not be: the headline says it."""
    if not _is_free(facts, place):
        return None
    candidate, reference = candidates[place], references[place]
    if reference is None or reference.trimmed_start > candidate.start:
        return SummaryLine((place,), _trimmed(candidate, reference))
    above = reference.antecedent
    if reference.hint is not None:
        return SummaryLine((place,), candidate, above, reference.hint)
    if not _is_free(facts, above):
        return SummaryLine((place,), candidate) if _is_below_headline(facts, above) else None
    before = references[above]
    stands_alone = before is None or before.trimmed_start > candidates[above].start
    if stands_alone and _can_join(text, candidates[above], candidate, facts.word_counts[[above, place]]):
        return SummaryLine(
            (above, place), candidate._replace(start=_trimmed(candidates[above], before).start)
        )
    return SummaryLine((place,), candidate, above)


def _is_free(facts: CandidateFacts, place: int) -> bool:
    return place >= 0 and bool(facts.shown[place]) and not facts.in_headline[place]


def _is_below_headline(facts: CandidateFacts, above: int) -> bool:
    """Return whether a line after this place is the first one, and the headline says what it leans on."""
    return (
        above >= 0 and bool(facts.in_headline[above]) and not any(map(partial(_is_free, facts), range(above)))
    )


def _trimmed(candidate: Candidate, reference: Reference | None) -> Candidate:
    return candidate if reference is None else candidate._replace(start=reference.trimmed_start)


def _can_join(text: str, first: Candidate, second: Candidate, words: IntArray) -> bool:
    """Return whether two candidates are parts of one paragraph that may stand in one line."""
    gap = text[first.end : second.start]
    return (
        gap.isspace()
        and "\n" not in gap
        and int(words.sum()) <= MAX_JOINED_WORDS
        and not (first.damaged or second.damaged)
        and (first.introduction, first.quoted) == (second.introduction, second.quoted)
    )
