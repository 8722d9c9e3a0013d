"""Again: what is new of a story that its readers were told before (pure).

A story goes on for days. Readers who know it get it once more only when there is a key point in it that they
were not told, and then those points alone, marked as an update.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from service.compose.stories import Telling
from service.compose.voices import count_voices
from service.compose.words import IDEOGRAPHS
from service.core.contracts import Teller
from service.core.model import CondensedArticle, Role, StoryPoint

SAID_ALREADY = 0.7
"""So much of a sentence's words in one that was told before: it says the same again."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Chapter:
    """What there is to tell of a story now. `news` are the points of an update, None for a new story."""

    telling: Telling
    news: tuple[StoryPoint, ...] | None = None


def chapters(
    tellings: Sequence[Telling], *, after: int, told: Collection[str], tell: Teller, points: int
) -> tuple[Chapter, ...]:
    """Return what there is to tell of these stories to readers who stand at the position `after`.

    `told` are the ids of the articles that they were told lately. Of a story with some of them, the points
    are those that say something new; a story that has none is left away.
    """
    found = (_chapter(telling, after, told, tell, points) for telling in tellings)
    return tuple(chapter for chapter in found if chapter is not None)


def goes_on(telling: Telling, after: int) -> bool:
    """Tell whether the story has articles from before the position `after` and from behind it."""
    positions = [told.article.position for told in telling.articles]
    return min(positions) <= after < max(positions)


def _chapter(
    telling: Telling, after: int, told: Collection[str], tell: Teller, points: int
) -> Chapter | None:
    fresh = tuple(a for a in telling.articles if a.article.position > after)
    known = [a for a in telling.articles if a.article.position <= after and a.article.id in told]
    if not fresh:
        return None
    now = telling
    if len(fresh) < len(telling.articles):
        now = Telling(fresh, count_voices([told.article for told in fresh]))
    if not known:
        return Chapter(now)
    news = _news(tell(fresh, points=points), known)
    return Chapter(now, news) if news else None


def _news(points: Sequence[StoryPoint], known: Sequence[CondensedArticle]) -> tuple[StoryPoint, ...]:
    """Return the points that were not said, and those that were but have a caveat that was not."""
    said = [_terms(point.text) for article in known for point in article.summary.key_points]
    kept: list[StoryPoint] = []
    for owner, caveats in _with_caveats(points):
        new = [caveat for caveat in caveats if not _is_said(caveat.text, said)]
        if new or not _is_said(owner.text, said):
            place = len(kept)
            kept += [owner, *(replace(caveat, qualifies=place) for caveat in (new or caveats))]
    return tuple(kept)


def _with_caveats(points: Sequence[StoryPoint]) -> Iterator[tuple[StoryPoint, list[StoryPoint]]]:
    """Yield each point with the caveats that qualify it."""
    for index, point in enumerate(points):
        if point.role is Role.POINT:
            yield point, [c for c in points if c.role is Role.CAVEAT and c.qualifies == index]


def _is_said(text: str, said: Sequence[frozenset[str]]) -> bool:
    """Tell whether one of the sentences says the same: most of its words, and every number in it."""
    terms = _terms(text)
    numbers = {term for term in terms if any(map(str.isdecimal, term))}
    return any(numbers <= other and len(terms & other) >= SAID_ALREADY * len(terms) for other in said)


def _terms(text: str) -> frozenset[str]:
    """Return the words of the text; pairs of characters where a script has no spaces."""
    terms: set[str] = set()
    for word in _WORD.findall(text.casefold()):
        if IDEOGRAPHS.search(word):
            terms.update(word[n : n + 2] for n in range(max(len(word) - 1, 1)))
        else:
            terms.add(word)
    return frozenset(terms)
