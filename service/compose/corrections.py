"""Corrections: what of a told article its readers should know to be otherwise now (pure).

A sentence that they were told and that stands in the article no more is a correction: it was changed, or it
is gone. A comma, a capital or a new paragraph elsewhere is none. Both sentences are shown word for word.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

from service.compose.ports import Edited, Splitter
from service.compose.render.text_cleaning import IDEOGRAPHS
from service.core.model import Change, Correction, Excerpt

ALIKE = 0.5
"""So much of two sentences' words is the same: the one took the other's place."""
STILL_THE_ARTICLE = 0.5
"""So much of the article's sentences still stands: one that does not is gone. Else it was written anew."""
SHORTEST, LONGEST = 0.5, 3.0
"""Within these shares of its old length it is the article; a teaser or a wall in its place says nothing."""
RECOGNISED_BY = 120
"""So many letters of a sentence are looked for in an issue; a theme may show the rest as an ellipsis."""

_TOKEN = re.compile(
    r"(?<!\w)[-\u2212]?\d+(?:[.,:]\d+)*|[%‰+<>=$\u00a2-\u00a5\u20a0-\u20cf°]"
    r"|[^\s!-/:-@\[-`{-~\u00a1-\u00bf\u2000-\u206f\u3000-\u303f\u060c\u061b\u061f\u0964\u0965\u06d4]+"
    r"(?:['’-][^\W_]+)*"
)
_SENTENCE_ENDS = frozenset(".!?…。！？؟۔।\"'”’»)]）」』")

Place = tuple[tuple[str, ...], int, int]
"""What a sentence says, and where it begins and ends."""


def correction_of(edited: Edited, split: Splitter) -> Correction | None:
    """Return what its readers should be told of the edit, None where nothing that they know has changed."""
    first, now = edited.article.text, edited.edit.text
    if not SHORTEST * len(first) <= len(now) <= LONGEST * len(first):
        return None
    lost = [line for line in _sentences(edited) if not _stands_in(now, line.text)]
    lost = [line for line in lost if line.edit or _was_told(line.text, edited.told_in)]
    if not lost:
        return None
    language = edited.article.language
    there = [(words(now[start:end]), start, end) for start, end in split(now, language)]
    before = [words(first[start:end]) for start, end in split(first, language)]
    changes = tuple(_changes(lost, there, before, edited))
    return Correction(edited.article, edited.edit, changes) if changes else None


def words(sentence: str) -> tuple[str, ...]:
    """Return what a sentence says: its words, numbers, units and signs, without case and punctuation."""
    folded = unicodedata.normalize("NFKC", sentence).casefold().replace("\u2212", "-")
    found: list[str] = []
    for token in _TOKEN.findall(folded):
        found += token if IDEOGRAPHS.search(token) else [token]
    return tuple(found)


def _sentences(edited: Edited) -> Sequence[Excerpt]:
    """Return the sentences that readers may take to be in the article: as condensed, as corrected since."""
    summary = edited.summary
    lines = dict.fromkeys(Excerpt(point.text, point.start, point.end) for point in summary.key_points)
    lines |= dict.fromkeys(Excerpt(line.text, line.start, line.end) for line in summary.context)
    for change in chain.from_iterable(edited.corrected):
        lines.pop(change.told, None)
        if change.now is not None:
            lines[change.now] = None
    return tuple(lines)


def _was_told(sentence: str, told_in: Sequence[str]) -> bool:
    """Tell whether an issue's text shows the sentence, however its theme breaks and marks the lines."""
    recognised = _letters(sentence)[:RECOGNISED_BY]
    return any(recognised in _letters(text) for text in told_in)


def _changes(
    lost: Sequence[Excerpt],
    there: Sequence[Place],
    before: Sequence[tuple[str, ...]],
    edited: Edited,
) -> Iterator[Change]:
    """Yield what became of the sentences that stand in the text no more, if anything did."""
    saying = {said for said, _, _ in there}
    old = set(before) - {words(change.told.text) for change in chain.from_iterable(edited.corrected)}
    fresh = [place for place in there if place[0] not in old]
    stay = sum(said in saying for said in before) >= STILL_THE_ARTICLE * len(before)
    for line in lost:
        said = words(line.text)
        if said in saying:
            continue
        place = _nearest(said, fresh)
        if place is not None:
            start, end = place
            yield Change(line, Excerpt(edited.edit.text[start:end], start, end, edited.edit.key))
        elif stay:
            yield Change(line, None)


def _nearest(said: tuple[str, ...], fresh: Sequence[Place]) -> tuple[int, int] | None:
    """Return where the sentence stands that is most like this one, the first of equals; None if none is."""
    counted = Counter(said)
    best, place = 0.0, None
    for other, start, end in fresh:
        shared = (counted & Counter(other)).total()
        likeness = 2 * shared / (len(said) + len(other) or 1)
        if likeness >= ALIKE and likeness > best:
            best, place = likeness, (start, end)
    return place


def _stands_in(text: str, sentence: str) -> bool:
    """Tell whether the sentence stands in the text as one of its own, not as the end or beginning of one."""
    at = text.find(sentence)
    while at >= 0:
        ahead, behind = text[:at].rstrip(), text[at + len(sentence) :][:1]
        begins = not ahead or ahead[-1] in _SENTENCE_ENDS or "\n" in text[len(ahead) : at]
        # A full stop before a digit or a letter ends nothing, as in 3.5.
        if begins and not (sentence[-1:] == "." and behind.isalnum()):
            return True
        at = text.find(sentence, at + 1)
    return False


@lru_cache(maxsize=64)
def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
