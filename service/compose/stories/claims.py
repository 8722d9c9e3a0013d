"""Claims: the points of a story's articles with their caveats, before they are merged (pure).

Of a figure that changed, the claim with the newest one gets the place of those that it outdates, and names
the last of them as its earlier figure.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from service.compose.stories.figures import NewestToll, StatedToll, earlier_figure, tolls_of
from service.core.model import Article, CondensedArticle, EarlierFigure, KeyPoint
from service.text.numbers import extract_numbers
from service.text.similarity import SentenceFeatures, is_known, sentence_features

OPENING_CHARACTERS = 80  # the first sentence starts before here, behind a place or a byline
LATER_ARTICLE_RANK_PENALTY = 0.5  # for the points of an article that does not lead the story


@dataclass(frozen=True)
class ArticleSentence:
    """A key point with its article."""

    article: Article
    point: KeyPoint

    @cached_property
    def features(self) -> SentenceFeatures:
        """What is compared of the sentence."""
        return sentence_features(
            self.point.text, self.article.language, opens_article=self.point.start < OPENING_CHARACTERS
        )


@dataclass
class Claim:
    """A point with its caveats, the best first, and the claims of other publishers that contradict it.

    Claims are chosen by `rank`, the lowest first, and shown by `position`. `earlier` are the figures of older
    articles that its own outdates.
    """

    sentence: ArticleSentence
    caveats: list[ArticleSentence]
    rank: float
    position: tuple[int, int]
    contradictions: list[Claim] = field(default_factory=list)
    earlier: tuple[EarlierFigure, ...] = ()


def claims_of(articles: Sequence[CondensedArticle]) -> list[Claim]:
    """Return the points of all articles by rank."""
    claims = []
    for number, condensed in enumerate(articles):
        key_points = condensed.summary.key_points
        # The headline of another article is not shown: a caveat of it is a point.
        own = [
            index
            for index, point in enumerate(key_points)
            if point.qualifies is None and (number or not point.is_of_headline)
        ]
        for rank, index in enumerate(sorted(own, key=lambda i: key_points[i].rank)):
            caveats = sorted((p for p in key_points if p.qualifies == index), key=lambda p: p.rank)
            claims.append(
                Claim(
                    sentence=ArticleSentence(condensed.article, key_points[index]),
                    caveats=[ArticleSentence(condensed.article, caveat) for caveat in caveats],
                    rank=rank + (LATER_ARTICLE_RANK_PENALTY if number else 0),
                    position=(number, index),
                )
            )
    return sorted(claims, key=lambda claim: (claim.rank, claim.position))


def headline_caveats(articles: Sequence[CondensedArticle], points: int) -> list[ArticleSentence]:
    """Return the caveats of the headline, which is that of the first article; the others leave one place."""
    found = [
        ArticleSentence(one.article, point)
        for one in articles
        for point in one.summary.key_points
        if point.is_of_headline
    ]
    return found[: max(points - 1, 1)]


def sentences_of(condensed: CondensedArticle) -> list[ArticleSentence]:
    """Return all key points of an article."""
    return [ArticleSentence(condensed.article, point) for point in condensed.summary.key_points]


def all_sentences(claims: Sequence[Claim]) -> list[ArticleSentence]:
    """Return the points of the claims with their caveats."""
    return [one for claim in claims for one in (claim.sentence, *claim.caveats)]


def adopt(claim: Claim, repeated: Claim) -> None:
    """Add to `claim` the caveats of `repeated` that it lacks."""
    for caveat in repeated.caveats:
        present = (claim.sentence, *claim.caveats)
        if all(not is_known(caveat.features, one.features) for one in present):
            claim.caveats.append(caveat)


def with_newest_toll(toll: NewestToll, claims: Sequence[Claim], known: Collection[str]) -> list[Claim]:
    """Return the claims without those with an outdated toll; one with the newest toll takes their place.

    If no claim has the newest toll, because only a headline has it, the outdated ones stay and are labelled
    as earlier; if its article is `known` (ids), they are left out.
    """
    outdated = {
        claim.position: next(one for one in toll.outdated if _states(claim, one))
        for claim in claims
        if any(_states(claim, one) for one in toll.outdated)
    }
    current = [claim for claim in claims if claim.position not in outdated]
    newest = (
        [claim for claim in current if _states(claim, toll.newest)]
        or [claim for claim in current if _has_toll(claim, toll.newest)]
        or [claim for claim in current if _has_number(claim, toll.newest)]
    )
    if not newest and toll.newest.article.id not in known:
        for claim in claims:
            if claim.position in outdated:
                claim.earlier += (outdated[claim.position].earlier,)
        return list(claims)
    for claim in newest[:1]:
        claim.earlier += (toll.outdated[0].earlier,)
        for one in claims:
            if one.position in outdated:
                claim.rank = min(claim.rank, one.rank)
                adopt(claim, one)
    return sorted(current, key=lambda claim: (claim.rank, claim.position))


def outdate(newer: Claim, older: Claim) -> bool:
    """Give `newer` the place of a claim that says the same with an earlier figure; return whether it is one.

    The two are known to contradict each other.
    """
    pairs = [(claim.sentence.article, claim.sentence.features) for claim in (newer, older)]
    figure = None if older.contradictions else earlier_figure(*pairs)
    if figure is None:
        return False
    newer.earlier += (figure,)
    newer.rank = min(newer.rank, older.rank)
    adopt(newer, older)
    return True


def _states(claim: Claim, toll: StatedToll) -> bool:
    """Return whether the claim is of the toll's article and states the toll."""
    return claim.sentence.article.id == toll.article.id and _has_toll(claim, toll)


def _has_number(claim: Claim, toll: StatedToll) -> bool:
    """Return whether the claim is of the toll's article and names the number, in whatever words."""
    sentence = claim.sentence
    return sentence.article.id == toll.article.id and str(toll.value) in extract_numbers(sentence.point.text)


def _has_toll(claim: Claim, toll: StatedToll) -> bool:
    found = tolls_of(claim.sentence.point.text, claim.sentence.article)
    return any((one.kind, one.value) == (toll.kind, toll.value) for one in found)
