"""Claims: the points of a story's articles with their caveats, before they are merged (pure).

Of a figure that changed, the claim with the newest one gets the place of those that it outdates, and names
the last of them as its earlier figure.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from service.compose.stories.figures import NewestToll, StatedToll, earlier_figure, tolls_of
from service.core.model import Article, CondensedArticle, EarlierFigure, Grade, KeyPoint, Role
from service.text.numbers import extract_numbers
from service.text.similarity import SentenceFeatures, is_known, sentence_features

OPENING_CHARACTERS = 80  # the first sentence starts before here, behind a place or a byline
LATER_ARTICLE_RANK_PENALTY = 0.5  # for the lines of an article that does not lead the story
QUALIFYING_RANK_BONUS = 1.5  # among several articles, for a further claim that may qualify what is shown
"""A sentence with a negation or a doubt is three times as often a caveat as another key point."""
CAVEAT_RANK_STEP = 0.25  # of a caveat behind the point of its article that was chosen before it

Place = tuple[int, int]
"""The number of an article in its story, and the index of one of its key points."""


@dataclass(frozen=True)
class ArticleSentence:
    """A key point with its article, its place and its rank in the story: the lowest are chosen first.

    `is_antecedent`: another sentence of the article is clear only directly below it.
    """

    article: Article
    point: KeyPoint
    place: Place = (0, 0)
    rank: float = 0.0
    is_antecedent: bool = False

    @cached_property
    def features(self) -> SentenceFeatures:
        """What is compared of the sentence."""
        return sentence_features(
            self.point.text, self.article.language, opens_article=self.point.start < OPENING_CHARACTERS
        )

    @property
    def antecedent(self) -> Place | None:
        """The place of the line that must stand directly above it, None if it needs none."""
        return None if self.point.follows is None else (self.place[0], self.point.follows)

    @property
    def needs_antecedent(self) -> bool:
        """Return whether it is clear only directly below its antecedent, for it has no hint."""
        return self.point.follows is not None and self.point.hint is None


@dataclass
class Claim:
    """A point with its caveats, the best first, and the claims of other publishers that contradict it.

    A caveat of the grades STORY and CONTEXT is a claim too. Claims are chosen by `rank`, the lowest first,
    and shown by `position`. `articles` are the ids of the articles that say it. `earlier` are the figures of
    older articles that its own outdates.
    """

    sentence: ArticleSentence
    caveats: list[ArticleSentence]
    rank: float
    position: Place
    articles: set[str]
    contradictions: list[Claim] = field(default_factory=list)
    earlier: tuple[EarlierFigure, ...] = ()

    @property
    def grade(self) -> Grade | None:
        """STORY or CONTEXT of a caveat; None of a point, and of what publishers contradict each other on."""
        point = self.sentence.point
        if point.role is not Role.CAVEAT or point.grade is Grade.TIED or self.contradictions:
            return None
        return point.grade

    @property
    def is_story_caveat(self) -> bool:
        """Return whether it is shown last in the story, as a caveat of it."""
        return self.grade is Grade.STORY

    @property
    def shown_caveats(self) -> list[ArticleSentence]:
        """Its caveats in the order in which they are shown: as in its article, then those of others."""
        own = self.sentence.place[0]
        return sorted(self.caveats, key=lambda caveat: (caveat.place[0] != own, caveat.place))


def claims_of(articles: Sequence[CondensedArticle]) -> list[Claim]:
    """Return the points of all articles by rank, and their caveats that have no point."""
    claims = []
    for number, condensed in enumerate(articles):
        sentences = _ranked(number, condensed)
        for sentence in sentences:
            if _is_claim(sentence.point, number):
                caveats = [one for one in sentences if one.point.qualifies == sentence.place[1]]
                claims.append(
                    Claim(
                        sentence,
                        caveats=sorted(caveats, key=lambda caveat: caveat.point.rank),
                        # A caveat that was chosen before its point brings it.
                        rank=min([_claim_rank(sentence, len(articles)), *(one.rank for one in caveats)]),
                        position=sentence.place,
                        articles={condensed.article.id},
                    )
                )
    return sorted(claims, key=lambda claim: (claim.rank, claim.position))


def _claim_rank(sentence: ArticleSentence, articles: int) -> float:
    """Return the rank of a claim; one that may qualify what is shown is chosen earlier, but not first.

    The one article of a story has chosen its own order.
    """
    point = sentence.point
    is_context = point.role is Role.CAVEAT and point.grade is Grade.CONTEXT
    may_qualify = is_context or sentence.features.negated or sentence.features.uncertain
    if articles == 1 or not may_qualify or sentence.rank < 1:
        return sentence.rank
    return max(sentence.rank - QUALIFYING_RANK_BONUS, 1.0)


def _is_claim(point: KeyPoint, number: int) -> bool:
    # The headline of another article is not shown: a caveat of it is a point.
    return point.qualifies is None and (number > 0 or not point.is_of_headline)


def _ranked(number: int, condensed: CondensedArticle) -> list[ArticleSentence]:
    """Return the sentences of an article, ranked: its points 0, 1, 2, each caveat behind one of them."""
    points = condensed.summary.key_points
    antecedents = {p.follows for p in points if p.follows is not None and p.hint is None}
    penalty = LATER_ARTICLE_RANK_PENALTY if number else 0
    found: list[ArticleSentence] = []
    claims = 0
    for index in sorted(range(len(points)), key=lambda index: points[index].rank):
        rank: float = claims
        if _is_claim(points[index], number):
            claims += 1
        else:
            rank = claims - 1 + CAVEAT_RANK_STEP
        found.append(
            ArticleSentence(
                condensed.article, points[index], (number, index), rank + penalty, index in antecedents
            )
        )
    return sorted(found, key=lambda sentence: sentence.place)


def headline_caveats(articles: Sequence[CondensedArticle]) -> list[ArticleSentence]:
    """Return the caveats of the headline, which is that of the first article."""
    return [
        sentence
        for condensed in articles[:1]
        for sentence in _ranked(0, condensed)
        if sentence.point.is_of_headline
    ]


def sentences_of(condensed: CondensedArticle) -> list[ArticleSentence]:
    """Return all key points of an article."""
    return [ArticleSentence(condensed.article, point) for point in condensed.summary.key_points]


def all_sentences(claims: Sequence[Claim]) -> list[ArticleSentence]:
    """Return the points of the claims with their caveats."""
    return [one for claim in claims for one in (claim.sentence, *claim.caveats)]


def adopt(claim: Claim, repeated: Claim) -> None:
    """Add to `claim` the articles and caveats of `repeated` that it lacks.

    A caveat that is clear only below the sentence of `repeated` is lost.
    """
    claim.articles |= repeated.articles
    for caveat in repeated.caveats:
        if caveat.needs_antecedent and caveat.antecedent == repeated.sentence.place:
            continue
        present = (claim.sentence, *claim.caveats)
        if all(not is_known(caveat.features, one.features) for one in present):
            claim.caveats.append(caveat)


def with_newest_toll(toll: NewestToll, claims: Sequence[Claim], known: Collection[str]) -> list[Claim]:
    """Return the claims without those with an outdated toll; one with the newest toll takes their place.

    If no claim has the newest toll, because only a headline has it, the outdated ones stay and are labelled
    as earlier; if its article is `known` (ids), they are left out. The earlier figure is that of a known
    article, which the reader remembers, if there is one.
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
        remembered = (one for one in toll.outdated if one.article.id in known)
        claim.earlier += (next(remembered, toll.outdated[0]).earlier,)
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


def name_known_figure(claim: Claim, known: Sequence[ArticleSentence]) -> None:
    """Add to a new claim the figure that the reader knows, if its own replaces it: the newest one of `known`.

    `known` are sentences that are known to contradict the claim.
    """
    if any(figure.article.id == line.article.id for figure in claim.earlier for line in known):
        return
    newest_first = sorted(known, key=lambda line: line.article.effective_published_at, reverse=True)
    own = claim.sentence.article, claim.sentence.features
    figures = (earlier_figure(own, (line.article, line.features)) for line in newest_first)
    figure = next((one for one in figures if one is not None), None)
    if figure is not None:
        claim.earlier = (figure,)


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
