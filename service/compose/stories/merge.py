"""Merging: the points of a story, selected from the key points of its articles (pure).

A point is shown with its caveats and the contradictions of other publishers, or not at all. What two articles
both say is shown once, with the caveats of both: in the words of the first article, or of the one with an
additional number or doubt. Known points are left out. Of a figure that changed, the newest one is shown, with
the one before as its earlier figure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from service.compose.stories.claims import (
    ArticleSentence,
    Claim,
    adopt,
    all_sentences,
    claims_of,
    headline_caveats,
    outdate,
    sentences_of,
    with_newest_toll,
)
from service.compose.stories.figures import newest_tolls
from service.core.model import CondensedArticle, Role, StoryPoint
from service.text.similarity import (
    Relation,
    SentenceFeatures,
    TermWeights,
    covers,
    is_echo,
    is_known,
    relation,
    term_weights,
)

MAX_ARTICLES = 16  # of a story are merged; the others are only named as sources
ECHO_RANK_PENALTY = 4  # for a point that mostly repeats a chosen one and has no caveat


def merge_key_points(
    articles: Sequence[CondensedArticle], *, points: int, known: Sequence[CondensedArticle] = ()
) -> tuple[StoryPoint, ...]:
    """Return at most `points` points and caveats; a caveat follows the point that it qualifies.

    The caveats of the headline come first; they leave room for a point.
    The leading article is the first one. If publishers contradict each other on a claim, both claims are
    shown or none. A point of the `known` articles is shown only if it has a new caveat or contradiction.
    """
    claims = claims_of(articles[:MAX_ARTICLES])
    for toll in newest_tolls([*articles, *known]):
        claims = with_newest_toll(toll, claims, {condensed.article.id for condensed in known})
    headline = headline_caveats(articles[:1], points)
    known_sentences = [one for article in known[-MAX_ARTICLES:] for one in sentences_of(article)]
    weights = term_weights([one.features for one in (*all_sentences(claims), *known_sentences)])
    headline = [c for c in headline if not any(is_known(c.features, k.features) for k in known_sentences)]
    once = [
        claim
        for claim in _without_repetitions(claims, weights)
        if all(_relation(claim.sentence, caveat) is not Relation.SAME for caveat in headline)
    ]
    new = [claim for claim in once if _is_new(claim, known_sentences, weights)] if known else once
    chosen = _chosen(new, points - len(headline), weights)
    return tuple(_story_points(headline, sorted(chosen, key=lambda claim: claim.position)))


def _is_new(claim: Claim, known: Collection[ArticleSentence], weights: TermWeights) -> bool:
    """Return whether the claim, one of its caveats or one of its contradictions is not known."""
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
        or any(_is_new(other, known, weights) for other in claim.contradictions)
    )


def _without_repetitions(claims: Sequence[Claim], weights: TermWeights) -> list[Claim]:
    """Return the claims without repetitions, whose caveats are added to the remaining claim."""
    kept: list[Claim] = []
    for claim in claims:
        if not _merge_into(claim, kept, weights):
            kept.append(claim)
    return sorted(_without_caveats(kept), key=lambda claim: (claim.rank, claim.position))


def _remove_repeated_caveats(chosen: Sequence[Claim]) -> None:
    """Remove the caveats that another claim has too, and those that repeat a shown contradiction."""
    disputed = [
        one.sentence for claim in chosen if claim.contradictions for one in (claim, *claim.contradictions)
    ]
    seen: list[ArticleSentence] = []
    for claim in _with_contradictions(chosen):
        claim.caveats = [
            caveat
            for caveat in claim.caveats
            if not any(is_known(caveat.features, line.features) for line in seen)
            and all(_relation(line, caveat) is not Relation.SAME for line in disputed)
        ]
        seen += claim.caveats


def _without_caveats(kept: Sequence[Claim]) -> list[Claim]:
    """Return the claims without those that are caveats of another claim, which gets their caveats."""
    remaining = list(kept)
    for claim in kept:
        others = [other for other in remaining if other is not claim]
        qualified_claims = (one for one in _with_contradictions(others) if _qualifies(claim.sentence, one))
        qualified = None if claim.contradictions else next(qualified_claims, None)
        if qualified is not None:
            remaining = others
            # The qualified claim takes its rank.
            qualified.rank = min(qualified.rank, claim.rank)
            adopt(qualified, claim)
    return remaining


def _qualifies(line: ArticleSentence, claim: Claim) -> bool:
    return any(_relation(line, caveat) is Relation.SAME for caveat in claim.caveats)


def _with_contradictions(claims: Sequence[Claim]) -> list[Claim]:
    """Return the claims, each followed by its contradictions."""
    return [one for claim in claims for one in (claim, *claim.contradictions)]


def _merge_into(claim: Claim, kept: list[Claim], weights: TermWeights) -> bool:
    """Merge the claim into one of `kept` that says the same or contradicts it, if any; return whether."""
    known = _with_contradictions(kept)
    same = [one for one in known if _are_twins(one.sentence, claim.sentence, weights)]
    if same:
        verbatim = (one for one in same if one.sentence.point.text == claim.sentence.point.text)
        _unite(next(verbatim, same[0]), claim)
        return True
    for place, other in enumerate(kept):
        if _relation(other.sentence, claim.sentence) is Relation.CONTRADICTION:
            if outdate(claim, other):
                kept[place] = claim
            elif outdate(other, claim):
                pass
            elif _publisher(other) == _publisher(claim):
                kept[place] = _newer(other, claim)
            else:
                _add_contradiction(other, claim)
            return True
    return False


def _relation(one: ArticleSentence, other: ArticleSentence, weights: TermWeights | None = None) -> Relation:
    # In one article, similar sentences are about different things: figures of this year and of last year.
    if one.article.id == other.article.id:
        return Relation.SAME if one.point.text == other.point.text else Relation.DIFFERENT
    return relation(one.features, other.features, weights)


def _unite(claim: Claim, other: Claim) -> None:
    """Make `claim` represent both: in the words of the one with more content, with the caveats of both."""
    if _is_fuller(other.sentence.features, claim.sentence.features):
        claim.sentence, other.sentence = other.sentence, claim.sentence
        claim.caveats, other.caveats = other.caveats, claim.caveats
    adopt(claim, other)


def _are_twins(line: ArticleSentence, other: ArticleSentence, weights: TermWeights) -> bool:
    """Return whether one of the two can represent both, with no number or doubt of the other lost."""
    if _relation(line, other, weights) is not Relation.SAME:
        return False
    return covers(line.features, other.features) or is_known(line.features, other.features)


def _is_fuller(one: SentenceFeatures, other: SentenceFeatures) -> bool:
    """Return whether `one` contains all of `other`, and more."""
    return is_known(other, one) and (not covers(other, one) or len(one.terms) > len(other.terms))


def _add_contradiction(claim: Claim, other: Claim) -> None:
    """Add the contradiction of another publisher to the claim, one per publisher."""
    if _publisher(other) not in {_publisher(opposing) for opposing in claim.contradictions}:
        claim.contradictions.append(other)


def _newer(one: Claim, other: Claim) -> Claim:
    """Return the later one of two claims of a publisher, at the position of the first."""
    if one.sentence.article.position >= other.sentence.article.position:
        return one
    return replace(other, rank=one.rank, position=one.position, contradictions=one.contradictions)


def _publisher(claim: Claim) -> str:
    return claim.sentence.article.publisher


def _chosen(claims: Sequence[Claim], points: int, weights: TermWeights) -> list[Claim]:
    """Return the claims that fit into `points` sentences, with their caveats and contradictions.

    A claim is skipped if it does not fit with its first caveat and all its contradictions. A claim that
    repeats a chosen one loses ranks. If none fits, the first claim is shown with as many caveats as fit.
    """

    def effective_rank(claim: Claim) -> tuple[float, tuple[int, int]]:
        echo = ECHO_RANK_PENALTY if any(_echoes(claim, other, weights) for other in chosen) else 0
        return claim.rank + echo, claim.position

    chosen: list[Claim] = []
    waiting, room = list(claims), points
    while waiting and room > 0:
        claim = min(waiting, key=effective_rank)
        waiting.remove(claim)
        if _min_size(claim) <= room:
            _trim(claim, room)
            chosen.append(claim)
            _remove_repeated_caveats(chosen)
            room = points - sum(map(_size, chosen))
    if not chosen and claims and points > 0:
        first = claims[0]
        first.contradictions = []
        _trim(first, points)
        chosen = [first]
    return chosen


def _echoes(claim: Claim, other: Claim, weights: TermWeights) -> bool:
    if claim.caveats or claim.contradictions or claim.sentence.article.id == other.sentence.article.id:
        return False
    return is_echo(claim.sentence.features, other.sentence.features, weights)


def _min_size(claim: Claim) -> int:
    return 1 + min(len(claim.caveats), 1) + sum(_min_size(other) for other in claim.contradictions)


def _size(claim: Claim) -> int:
    return 1 + len(claim.caveats) + sum(_size(other) for other in claim.contradictions)


def _trim(claim: Claim, size: int) -> None:
    """Drop the last caveats until the claim has at most `size` sentences."""
    for part in (*claim.contradictions, claim):
        while part.caveats and _size(claim) > size:
            part.caveats.pop()


def _story_points(headline: Sequence[ArticleSentence], claims: Sequence[Claim]) -> Iterator[StoryPoint]:
    for caveat in headline:
        yield StoryPoint.of_key_point(caveat.article, caveat.point, role=Role.CAVEAT, qualifies=None)
    index = len(headline)
    for claim in claims:
        for part in (claim, *claim.contradictions):
            point = _story_point(part.sentence, None)
            yield replace(point, earlier=part.earlier)
            yield from (_story_point(caveat, index) for caveat in part.caveats)
            index += 1 + len(part.caveats)


def _story_point(line: ArticleSentence, qualifies: int | None) -> StoryPoint:
    role = Role.POINT if qualifies is None else Role.CAVEAT
    return StoryPoint.of_key_point(line.article, line.point, role=role, qualifies=qualifies)
