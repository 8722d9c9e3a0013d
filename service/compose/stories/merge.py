"""Tell: what to show of a story that one or several articles tell (the Teller; pure).

A point is shown with what qualifies it or not at all: its caveats, and what another publisher says against
it. What two articles both say is said once, in the words of the first or of the one that has a figure or a
doubt more, with the caveats of both. What readers were told before is not told again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from service.core.model import Article, CondensedArticle, KeyPoint, Role, StoryPoint
from service.text.similarity import (
    Relation,
    Saying,
    Weights,
    covers,
    echoes,
    is_said,
    relation,
    saying_of,
    weights_of,
)

MOST_ARTICLES = 16
"""So many articles of a story are read for points; the others are named as its sources."""
OPENING = 80
"""An article's first sentence begins before here: a place or a byline may stand in front of it."""
ECHO = 4
"""How many ranks a point loses that mostly tells again what is told; one with a caveat loses none."""
LATER_ARTICLE = 0.5
"""How many ranks of a point it costs that its article does not lead the story."""


def tell(
    articles: Sequence[CondensedArticle], *, points: int, told: Sequence[CondensedArticle] = ()
) -> tuple[StoryPoint, ...]:
    """Return at most `points` points and caveats of the story, caveats right behind the point they qualify.

    The article that leads comes first in `articles` and in what is told. Where publishers contradict each
    other on a claim, both claims are shown or none. `told` are articles of the story that the readers know:
    left is what is new to them, and what they know but has a caveat that they do not.
    """
    claims = _claims(articles[:MOST_ARTICLES])
    known = [line for article in told[-MOST_ARTICLES:] for line in _lines(article)]
    weights = weights_of([line.saying for line in (*_all_lines(claims), *known)])
    once = _said_once(claims, weights)
    news = [claim for claim in once if _is_news(claim, known, weights)] if told else once
    return tuple(_told(sorted(_chosen(news, points, weights), key=lambda claim: claim.place)))


@dataclass(frozen=True)
class _Line:
    """A sentence with the article that it stands in."""

    article: Article
    point: KeyPoint

    @cached_property
    def saying(self) -> Saying:
        return saying_of(self.point.text, self.article.language, opens=self.point.start < OPENING)


@dataclass
class _Claim:
    """A point with its caveats, the best first, and the claims of other publishers that contradict it.

    `weight` is lower for what should be shown first; `place` orders what is shown.
    """

    line: _Line
    caveats: list[_Line]
    context: tuple[str, ...]
    weight: float
    place: tuple[int, int]
    against: list[_Claim] = field(default_factory=list)


def _claims(articles: Sequence[CondensedArticle]) -> list[_Claim]:
    """Return the points of all articles, those to be shown first in front."""
    claims = []
    for number, condensed in enumerate(articles):
        key_points, context = condensed.summary.key_points, condensed.summary.context
        own = [index for index, point in enumerate(key_points) if point.role is Role.POINT]
        for rank, index in enumerate(sorted(own, key=lambda i: key_points[i].rank)):
            caveats = sorted((p for p in key_points if p.qualifies == index), key=lambda p: p.rank)
            claims.append(
                _Claim(
                    line=_Line(condensed.article, key_points[index]),
                    caveats=[_Line(condensed.article, caveat) for caveat in caveats],
                    context=tuple(line.text for line in context if line.qualifies == index),
                    weight=rank + (LATER_ARTICLE if number else 0),
                    place=(number, index),
                )
            )
    return sorted(claims, key=lambda claim: (claim.weight, claim.place))


def _lines(condensed: CondensedArticle) -> list[_Line]:
    return [_Line(condensed.article, point) for point in condensed.summary.key_points]


def _all_lines(claims: Sequence[_Claim]) -> list[_Line]:
    return [line for claim in claims for line in (claim.line, *claim.caveats)]


def _is_news(claim: _Claim, known: Collection[_Line], weights: Weights) -> bool:
    """Tell whether the claim, a caveat of it or what is said against it is new to who knows these lines."""
    return (
        not any(
            is_said(claim.line.saying, line.saying)
            or (
                relation(line.saying, claim.line.saying, weights) is Relation.SAME
                and covers(line.saying, claim.line.saying)
            )
            for line in known
        )
        or any(not any(is_said(c.saying, line.saying) for line in known) for c in claim.caveats)
        or any(_is_news(other, known, weights) for other in claim.against)
    )


def _said_once(claims: Sequence[_Claim], weights: Weights) -> list[_Claim]:
    """Return the claims without those that repeat another, whose caveats go to the one that stays."""
    kept: list[_Claim] = []
    for claim in claims:
        if not _told_with_another(claim, kept, weights):
            kept.append(claim)
    return sorted(_without_caveats(kept), key=lambda claim: (claim.weight, claim.place))


def _make_caveats_once(chosen: Sequence[_Claim]) -> None:
    """Leave out the caveats that another claim has too, and those that stand beside what they contradict."""
    disputed = [one.line for claim in chosen if claim.against for one in (claim, *claim.against)]
    seen: list[_Line] = []
    for claim in _with_opposed(chosen):
        claim.caveats = [
            caveat
            for caveat in claim.caveats
            if not any(is_said(caveat.saying, line.saying) for line in seen)
            and all(_relation(line, caveat) is not Relation.SAME for line in disputed)
        ]
        seen += claim.caveats


def _without_caveats(kept: Sequence[_Claim]) -> list[_Claim]:
    """Return the claims without those that stand as a caveat of one that stays, which gets their caveats."""
    left = list(kept)
    for claim in kept:
        others = [other for other in left if other is not claim]
        hosts = (one for one in _with_opposed(others) if _qualifies(claim.line, one))
        host = None if claim.against else next(hosts, None)
        if host is not None:
            left = others
            # What it qualifies is shown where it would have been.
            host.weight = min(host.weight, claim.weight)
            _adopt(host, claim)
    return left


def _qualifies(line: _Line, claim: _Claim) -> bool:
    return any(_relation(line, caveat) is Relation.SAME for caveat in claim.caveats)


def _with_opposed(claims: Sequence[_Claim]) -> list[_Claim]:
    """Return the claims, each followed by those that contradict it."""
    return [one for claim in claims for one in (claim, *claim.against)]


def _told_with_another(claim: _Claim, kept: list[_Claim], weights: Weights) -> bool:
    """Tell whether the claim is told with another one; if so, see to it."""
    known = _with_opposed(kept)
    same = [one for one in known if _are_twins(one.line, claim.line, weights)]
    if same:
        word_for_word = (one for one in same if one.line.point.text == claim.line.point.text)
        _unite(next(word_for_word, same[0]), claim)
        return True
    for place, other in enumerate(kept):
        if _relation(other.line, claim.line) is Relation.AGAINST:
            if _publisher(other) == _publisher(claim):
                kept[place] = _newer(other, claim)
            else:
                _oppose(other, claim)
            return True
    return False


def _relation(one: _Line, other: _Line, weights: Weights | None = None) -> Relation:
    # Within one article, sentences that look alike speak of different things: figures of this year and last.
    if one.article.id == other.article.id:
        return Relation.SAME if one.point.text == other.point.text else Relation.OTHER
    return relation(one.saying, other.saying, weights)


def _unite(claim: _Claim, twin: _Claim) -> None:
    """Let `claim` stand for both: in the words of the one that has more to tell, with the caveats of both."""
    if _is_fuller(twin.line.saying, claim.line.saying):
        claim.line, twin.line = twin.line, claim.line
        claim.caveats, twin.caveats = twin.caveats, claim.caveats
        claim.context = twin.context
    _adopt(claim, twin)


def _are_twins(line: _Line, other: _Line, weights: Weights) -> bool:
    """Tell whether one of the two can stand for both, with no figure or doubt of the other lost."""
    if _relation(line, other, weights) is not Relation.SAME:
        return False
    return covers(line.saying, other.saying) or is_said(line.saying, other.saying)


def _is_fuller(one: Saying, other: Saying) -> bool:
    """Tell whether all of `other` is in `one`, and more."""
    return is_said(other, one) and (not covers(other, one) or len(one.terms) > len(other.terms))


def _adopt(claim: _Claim, repeated: _Claim) -> None:
    """Let `claim` have the caveats that `repeated` brings and it lacks, each in its publisher's words."""
    for caveat in repeated.caveats:
        told = (claim.line, *claim.caveats)
        if all(not is_said(caveat.saying, line.saying) for line in told):
            claim.caveats.append(caveat)


def _oppose(claim: _Claim, other: _Claim) -> None:
    """Put what another publisher says against the claim beside it, once for each publisher."""
    if _publisher(other) not in {_publisher(opposing) for opposing in claim.against}:
        claim.against.append(other)


def _newer(one: _Claim, other: _Claim) -> _Claim:
    """Return which of a publisher's two claims was made later, at the place of the first."""
    if one.line.article.position >= other.line.article.position:
        return one
    return replace(other, weight=one.weight, place=one.place, against=one.against)


def _publisher(claim: _Claim) -> str:
    return claim.line.article.publisher


def _chosen(claims: Sequence[_Claim], points: int, weights: Weights) -> list[_Claim]:
    """Return the claims that fit into `points` lines together with what qualifies them.

    A claim that does not fit with at least its first caveat and all that is said against it gives way to the
    next one that does, and so does for a while one that echoes what is chosen. When none fits, the first is
    shown as far as it goes.
    """

    def held_back(claim: _Claim) -> tuple[float, tuple[int, int]]:
        echo = ECHO if any(_echoes(claim, other, weights) for other in chosen) else 0
        return claim.weight + echo, claim.place

    chosen: list[_Claim] = []
    waiting, left = list(claims), points
    while waiting and left > 0:
        claim = min(waiting, key=held_back)
        waiting.remove(claim)
        if _least(claim) <= left:
            _trim(claim, left)
            chosen.append(claim)
            _make_caveats_once(chosen)
            left = points - sum(map(_size, chosen))
    if not chosen and claims and points > 0:
        first = claims[0]
        first.against = []
        _trim(first, points)
        chosen = [first]
    return chosen


def _echoes(claim: _Claim, other: _Claim, weights: Weights) -> bool:
    if claim.caveats or claim.against or claim.line.article.id == other.line.article.id:
        return False
    return echoes(claim.line.saying, other.line.saying, weights)


def _least(claim: _Claim) -> int:
    return 1 + min(len(claim.caveats), 1) + sum(_least(other) for other in claim.against)


def _size(claim: _Claim) -> int:
    return 1 + len(claim.caveats) + sum(_size(other) for other in claim.against)


def _trim(claim: _Claim, lines: int) -> None:
    """Drop the last caveats until the claim fits into so many lines."""
    for part in (*claim.against, claim):
        while part.caveats and _size(claim) > lines:
            part.caveats.pop()


def _told(claims: Sequence[_Claim]) -> Iterator[StoryPoint]:
    index = 0
    for claim in claims:
        for part in (claim, *claim.against):
            yield _story_point(part.line, None, part.context)
            yield from (_story_point(caveat, index, ()) for caveat in part.caveats)
            index += 1 + len(part.caveats)


def _story_point(line: _Line, qualifies: int | None, context: tuple[str, ...]) -> StoryPoint:
    role = Role.POINT if qualifies is None else Role.CAVEAT
    point = line.point
    return StoryPoint(point.text, role, line.article, point.start, point.end, qualifies, context)
