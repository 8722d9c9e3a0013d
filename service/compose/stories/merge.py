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
    SentenceFeatures,
    TermWeights,
    covers,
    is_echo,
    is_known,
    relation,
    sentence_features,
    term_weights,
)

MAX_ARTICLES = 16
"""So many articles of a story are read for points; the others are named as its sources."""
OPENING_CHARACTERS = 80
"""An article's first sentence begins before here: a place or a byline may stand in front of it."""
ECHO_RANK_PENALTY = 4
"""How many ranks a point loses that mostly tells again what is told; one with a caveat loses none."""
LATER_ARTICLE_RANK_PENALTY = 0.5
"""How many ranks of a point it costs that its article does not lead the story."""


def merge_key_points(
    articles: Sequence[CondensedArticle], *, points: int, known: Sequence[CondensedArticle] = ()
) -> tuple[StoryPoint, ...]:
    """Return at most `points` points and caveats of the story, caveats right behind the point they qualify.

    The article that leads comes first in `articles` and in what is told. Where publishers contradict each
    other on a claim, both claims are shown or none. `told` are articles of the story that the readers know:
    left is what is new to them, and what they know but has a caveat that they do not.
    """
    claims = _claims(articles[:MAX_ARTICLES])
    sent = [line for article in known[-MAX_ARTICLES:] for line in _lines(article)]
    weights = term_weights([line.features for line in (*_all_lines(claims), *sent)])
    once = _without_repetitions(claims, weights)
    news = [claim for claim in once if _is_news(claim, sent, weights)] if sent else once
    return tuple(_story_points(sorted(_chosen(news, points, weights), key=lambda claim: claim.position)))


@dataclass(frozen=True)
class _ArticleSentence:
    """A sentence with the article that it stands in."""

    article: Article
    point: KeyPoint

    @cached_property
    def features(self) -> SentenceFeatures:
        return sentence_features(
            self.point.text, self.article.language, opens_article=self.point.start < OPENING_CHARACTERS
        )


@dataclass
class _Claim:
    """A point with its caveats, the best first, and the claims of other publishers that contradict it.

    `weight` is lower for what should be shown first; `place` orders what is shown.
    """

    sentence: _ArticleSentence
    caveats: list[_ArticleSentence]
    context: tuple[str, ...]
    rank: float
    position: tuple[int, int]
    contradictions: list[_Claim] = field(default_factory=list)


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
                    sentence=_ArticleSentence(condensed.article, key_points[index]),
                    caveats=[_ArticleSentence(condensed.article, caveat) for caveat in caveats],
                    context=tuple(line.text for line in context if line.qualifies == index),
                    rank=rank + (LATER_ARTICLE_RANK_PENALTY if number else 0),
                    position=(number, index),
                )
            )
    return sorted(claims, key=lambda claim: (claim.rank, claim.position))


def _lines(condensed: CondensedArticle) -> list[_ArticleSentence]:
    return [_ArticleSentence(condensed.article, point) for point in condensed.summary.key_points]


def _all_lines(claims: Sequence[_Claim]) -> list[_ArticleSentence]:
    return [line for claim in claims for line in (claim.sentence, *claim.caveats)]


def _is_news(claim: _Claim, known: Collection[_ArticleSentence], weights: TermWeights) -> bool:
    """Tell whether the claim, a caveat of it or what is said against it is new to who knows these lines."""
    return (
        not any(
            is_known(claim.sentence.features, line.features)
            or (
                relation(line.features, claim.sentence.features, weights) is Relation.SAME
                and covers(line.features, claim.sentence.features)
            )
            for line in known
        )
        or any(not any(is_known(c.features, line.features) for line in known) for c in claim.caveats)
        or any(_is_news(other, known, weights) for other in claim.contradictions)
    )


def _without_repetitions(claims: Sequence[_Claim], weights: TermWeights) -> list[_Claim]:
    """Return the claims without those that repeat another, whose caveats go to the one that stays."""
    kept: list[_Claim] = []
    for claim in claims:
        if not _merge_into(claim, kept, weights):
            kept.append(claim)
    return sorted(_without_caveats(kept), key=lambda claim: (claim.rank, claim.position))


def _remove_repeated_caveats(chosen: Sequence[_Claim]) -> None:
    """Leave out the caveats that another claim has too, and those that stand beside what they contradict."""
    disputed = [
        one.sentence for claim in chosen if claim.contradictions for one in (claim, *claim.contradictions)
    ]
    seen: list[_ArticleSentence] = []
    for claim in _with_contradictions(chosen):
        claim.caveats = [
            caveat
            for caveat in claim.caveats
            if not any(is_known(caveat.features, line.features) for line in seen)
            and all(_relation(line, caveat) is not Relation.SAME for line in disputed)
        ]
        seen += claim.caveats


def _without_caveats(kept: Sequence[_Claim]) -> list[_Claim]:
    """Return the claims without those that stand as a caveat of one that stays, which gets their caveats."""
    left = list(kept)
    for claim in kept:
        others = [other for other in left if other is not claim]
        hosts = (one for one in _with_contradictions(others) if _qualifies(claim.sentence, one))
        host = None if claim.contradictions else next(hosts, None)
        if host is not None:
            left = others
            # What it qualifies is shown where it would have been.
            host.rank = min(host.rank, claim.rank)
            _adopt(host, claim)
    return left


def _qualifies(line: _ArticleSentence, claim: _Claim) -> bool:
    return any(_relation(line, caveat) is Relation.SAME for caveat in claim.caveats)


def _with_contradictions(claims: Sequence[_Claim]) -> list[_Claim]:
    """Return the claims, each followed by those that contradict it."""
    return [one for claim in claims for one in (claim, *claim.contradictions)]


def _merge_into(claim: _Claim, kept: list[_Claim], weights: TermWeights) -> bool:
    """Tell whether the claim is told with another one; if so, see to it."""
    known = _with_contradictions(kept)
    same = [one for one in known if _are_twins(one.sentence, claim.sentence, weights)]
    if same:
        word_for_word = (one for one in same if one.sentence.point.text == claim.sentence.point.text)
        _unite(next(word_for_word, same[0]), claim)
        return True
    for place, other in enumerate(kept):
        if _relation(other.sentence, claim.sentence) is Relation.CONTRADICTION:
            if _publisher(other) == _publisher(claim):
                kept[place] = _newer(other, claim)
            else:
                _add_contradiction(other, claim)
            return True
    return False


def _relation(one: _ArticleSentence, other: _ArticleSentence, weights: TermWeights | None = None) -> Relation:
    # Within one article, sentences that look alike speak of different things: figures of this year and last.
    if one.article.id == other.article.id:
        return Relation.SAME if one.point.text == other.point.text else Relation.DIFFERENT
    return relation(one.features, other.features, weights)


def _unite(claim: _Claim, twin: _Claim) -> None:
    """Let `claim` stand for both: in the words of the one that has more to tell, with the caveats of both."""
    if _is_fuller(twin.sentence.features, claim.sentence.features):
        claim.sentence, twin.sentence = twin.sentence, claim.sentence
        claim.caveats, twin.caveats = twin.caveats, claim.caveats
        claim.context = twin.context
    _adopt(claim, twin)


def _are_twins(line: _ArticleSentence, other: _ArticleSentence, weights: TermWeights) -> bool:
    """Tell whether one of the two can stand for both, with no figure or doubt of the other lost."""
    if _relation(line, other, weights) is not Relation.SAME:
        return False
    return covers(line.features, other.features) or is_known(line.features, other.features)


def _is_fuller(one: SentenceFeatures, other: SentenceFeatures) -> bool:
    """Tell whether all of `other` is in `one`, and more."""
    return is_known(other, one) and (not covers(other, one) or len(one.terms) > len(other.terms))


def _adopt(claim: _Claim, repeated: _Claim) -> None:
    """Let `claim` have the caveats that `repeated` brings and it lacks, each in its publisher's words."""
    for caveat in repeated.caveats:
        told = (claim.sentence, *claim.caveats)
        if all(not is_known(caveat.features, line.features) for line in told):
            claim.caveats.append(caveat)


def _add_contradiction(claim: _Claim, other: _Claim) -> None:
    """Put what another publisher says against the claim beside it, once for each publisher."""
    if _publisher(other) not in {_publisher(opposing) for opposing in claim.contradictions}:
        claim.contradictions.append(other)


def _newer(one: _Claim, other: _Claim) -> _Claim:
    """Return which of a publisher's two claims was made later, at the place of the first."""
    if one.sentence.article.position >= other.sentence.article.position:
        return one
    return replace(other, rank=one.rank, position=one.position, contradictions=one.contradictions)


def _publisher(claim: _Claim) -> str:
    return claim.sentence.article.publisher


def _chosen(claims: Sequence[_Claim], points: int, weights: TermWeights) -> list[_Claim]:
    """Return the claims that fit into `points` lines together with what qualifies them.

    A claim that does not fit with at least its first caveat and all that is said against it gives way to the
    next one that does, and so does for a while one that echoes what is chosen. When none fits, the first is
    shown as far as it goes.
    """

    def held_back(claim: _Claim) -> tuple[float, tuple[int, int]]:
        echo = ECHO_RANK_PENALTY if any(_echoes(claim, other, weights) for other in chosen) else 0
        return claim.rank + echo, claim.position

    chosen: list[_Claim] = []
    waiting, left = list(claims), points
    while waiting and left > 0:
        claim = min(waiting, key=held_back)
        waiting.remove(claim)
        if _min_size(claim) <= left:
            _trim(claim, left)
            chosen.append(claim)
            _remove_repeated_caveats(chosen)
            left = points - sum(map(_size, chosen))
    if not chosen and claims and points > 0:
        first = claims[0]
        first.contradictions = []
        _trim(first, points)
        chosen = [first]
    return chosen


def _echoes(claim: _Claim, other: _Claim, weights: TermWeights) -> bool:
    if claim.caveats or claim.contradictions or claim.sentence.article.id == other.sentence.article.id:
        return False
    return is_echo(claim.sentence.features, other.sentence.features, weights)


def _min_size(claim: _Claim) -> int:
    return 1 + min(len(claim.caveats), 1) + sum(_min_size(other) for other in claim.contradictions)


def _size(claim: _Claim) -> int:
    return 1 + len(claim.caveats) + sum(_size(other) for other in claim.contradictions)


def _trim(claim: _Claim, lines: int) -> None:
    """Drop the last caveats until the claim fits into so many lines."""
    for part in (*claim.contradictions, claim):
        while part.caveats and _size(claim) > lines:
            part.caveats.pop()


def _story_points(claims: Sequence[_Claim]) -> Iterator[StoryPoint]:
    index = 0
    for claim in claims:
        for part in (claim, *claim.contradictions):
            yield _story_point(part.sentence, None, part.context)
            yield from (_story_point(caveat, index, ()) for caveat in part.caveats)
            index += 1 + len(part.caveats)


def _story_point(line: _ArticleSentence, qualifies: int | None, context: tuple[str, ...]) -> StoryPoint:
    role = Role.POINT if qualifies is None else Role.CAVEAT
    point = line.point
    return StoryPoint(point.text, role, line.article, point.start, point.end, qualifies, context)
