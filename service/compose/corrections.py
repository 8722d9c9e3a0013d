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

from service.compose.ports import EditedArticle, SentenceSplitter
from service.core.model import Correction, Excerpt, SentenceChange
from service.text.scripts import IDEOGRAPH

MIN_REPLACEMENT_SIMILARITY = 0.5
"""So much of two sentences' words is the same: the one took the other's place."""
MIN_UNCHANGED_SHARE = 0.5
"""So much of the article's sentences still stands: one that does not is gone. Else it was written anew."""
MIN_LENGTH_RATIO, MAX_LENGTH_RATIO = 0.5, 3.0
"""Within these shares of its old length it is the article; a teaser or a wall in its place says nothing."""
MAX_MATCHED_LETTERS = 120
"""So many letters of a sentence are looked for in an issue; a theme may show the rest as an ellipsis."""

_TOKEN = re.compile(
    r"(?<!\w)[-\u2212]?\d+(?:[.,:]\d+)*|[%‰+<>=$\u00a2-\u00a5\u20a0-\u20cf°]"
    r"|[^\s!-/:-@\[-`{-~\u00a1-\u00bf\u2000-\u206f\u3000-\u303f\u060c\u061b\u061f\u0964\u0965\u06d4]+"
    r"(?:['’-][^\W_]+)*"
)
_SENTENCE_ENDS = frozenset(".!?…。！？؟۔।\"'”’»)]）」』")

SentencePosition = tuple[tuple[str, ...], int, int]
"""What a sentence says, and where it begins and ends."""


def find_correction(edited: EditedArticle, split: SentenceSplitter) -> Correction | None:
    """Return what its readers should be told of the edit, None where nothing that they know has changed."""
    first, now = edited.article.text, edited.edit.text
    if not MIN_LENGTH_RATIO * len(first) <= len(now) <= MAX_LENGTH_RATIO * len(first):
        return None
    lost = [line for line in _sentences(edited) if not _is_sentence_of(now, line.text)]
    lost = [line for line in lost if line.edit or _was_sent(line.text, edited.sent_texts)]
    if not lost:
        return None
    language = edited.article.language
    there = [(normalized_words(now[start:end]), start, end) for start, end in split(now, language)]
    before = [normalized_words(first[start:end]) for start, end in split(first, language)]
    changes = tuple(_changes(lost, there, before, edited))
    return Correction(edited.article, edited.edit, changes) if changes else None


def normalized_words(sentence: str) -> tuple[str, ...]:
    """Return what a sentence says: its words, numbers, units and signs, without case and punctuation."""
    folded = unicodedata.normalize("NFKC", sentence).casefold().replace("\u2212", "-")
    found: list[str] = []
    for token in _TOKEN.findall(folded):
        found += token if IDEOGRAPH.search(token) else [token]
    return tuple(found)


def _sentences(edited: EditedArticle) -> Sequence[Excerpt]:
    """Return the sentences that readers may take to be in the article: as condensed, as corrected since."""
    summary = edited.summary
    lines = dict.fromkeys(Excerpt(point.text, point.start, point.end) for point in summary.key_points)
    lines |= dict.fromkeys(Excerpt(line.text, line.start, line.end) for line in summary.context)
    for change in chain.from_iterable(edited.previous_changes):
        lines.pop(change.sent, None)
        if change.current is not None:
            lines[change.current] = None
    return tuple(lines)


def _was_sent(sentence: str, told_in: Sequence[str]) -> bool:
    """Tell whether an issue's text shows the sentence, however its theme breaks and marks the lines."""
    recognised = _letters(sentence)[:MAX_MATCHED_LETTERS]
    return any(recognised in _letters(text) for text in told_in)


def _changes(
    lost: Sequence[Excerpt],
    there: Sequence[SentencePosition],
    before: Sequence[tuple[str, ...]],
    edited: EditedArticle,
) -> Iterator[SentenceChange]:
    """Yield what became of the sentences that stand in the text no more, if anything did."""
    saying = {said for said, _, _ in there}
    old = set(before) - {
        normalized_words(change.sent.text) for change in chain.from_iterable(edited.previous_changes)
    }
    fresh = [place for place in there if place[0] not in old]
    stay = sum(said in saying for said in before) >= MIN_UNCHANGED_SHARE * len(before)
    for line in lost:
        said = normalized_words(line.text)
        if said in saying:
            continue
        place = _nearest(said, fresh)
        if place is not None:
            start, end = place
            yield SentenceChange(line, Excerpt(edited.edit.text[start:end], start, end, edited.edit.key))
        elif stay:
            yield SentenceChange(line, None)


def _nearest(said: tuple[str, ...], fresh: Sequence[SentencePosition]) -> tuple[int, int] | None:
    """Return where the sentence stands that is most like this one, the first of equals; None if none is."""
    counted = Counter(said)
    best, place = 0.0, None
    for other, start, end in fresh:
        shared = (counted & Counter(other)).total()
        likeness = 2 * shared / (len(said) + len(other) or 1)
        if likeness >= MIN_REPLACEMENT_SIMILARITY and likeness > best:
            best, place = likeness, (start, end)
    return place


def _is_sentence_of(text: str, sentence: str) -> bool:
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
