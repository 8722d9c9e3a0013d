"""Merging: the points of a story, selected from the key points of its articles (pure).

A point is shown with its caveats and the contradictions of other publishers, or not at all. What two articles
both say is shown once, with the caveats of both: in the words of the first article, or of the one with an
additional number or doubt. Known points are left out. Of a figure that changed, the newest one is shown, with
the one before as its earlier figure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from service.compose.stories.denials import headline_doubt
from service.compose.stories.figures import newest_tolls
from service.compose.stories.merging.antecedents import settle_claims, settle_headline
from service.compose.stories.merging.chain import chain_of_lines
from service.compose.stories.merging.claims import (
    ArticleSentence,
    Claim,
    Place,
    adopt,
    all_sentences,
    claims_of,
    headline_caveats,
    name_known_figure,
    outdate,
    sentences_of,
    with_newest_toll,
)
from service.compose.stories.merging.main_claim import lead_with_main_claim
from service.core.model import CondensedArticle, Grade, Role, StoryPoint
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


def merge_key_points(
    articles: Sequence[CondensedArticle], *, points: int, known: Sequence[CondensedArticle] = ()
) -> tuple[StoryPoint, ...]:
    """Return at most `points` points and caveats; a caveat follows the point that it qualifies.

    More are returned only if the first point needs them: its caveat, another publisher's contradiction. The
    points for a lower number are among those for a higher one.
    The caveats of the headline come first and leave room for a point; those of the story come last.
    The leading article is the first one. If publishers contradict each other on a claim, both claims are
    shown or none. A point of the `known` articles is shown only if it has a new caveat or contradiction, or
    if a new sentence is clear only below it.
    """
    claims = claims_of(articles[:MAX_ARTICLES])
    for toll in newest_tolls([*articles, *known]):
        claims = with_newest_toll(toll, claims, {condensed.article.id for condensed in known})
    headline = headline_caveats(articles)
    known_sentences = [one for article in known[-MAX_ARTICLES:] for one in sentences_of(article)]
    weights = term_weights([one.features for one in (*all_sentences(claims), *known_sentences)])
    headline = [c for c in headline if not any(is_known(c.features, k.features) for k in known_sentences)]
    once = [
        claim
        for claim in _without_repetitions(claims, weights)
        if all(_relation(claim.sentence, caveat) is not Relation.SAME for caveat in headline)
    ]
    lead_with_main_claim(once, articles)
    headline, once = settle_headline(headline)[: max(points - 1, 1)], settle_claims(once)
    new = [claim for claim in once if _is_new(claim, known_sentences, weights)] if known else once
    for claim in new if known else ():
        contradicted = [
            line for line in known_sentences if _relation(line, claim.sentence) is Relation.CONTRADICTION
        ]
        name_known_figure(claim, contradicted)
    for claim in new:
        claim.caveats.sort(key=lambda caveat: _is_known_caveat(caveat, known_sentences))
    shown: dict[Place, int] = {}
    room = points - len(headline)
    for number, lines in enumerate(chain_of_lines(once, new, headline, weights)):
        if room <= 0 or (shown and len(lines) > room):
            break
        shown |= {line.place: number for line in lines}
        room -= len(lines)
    return story_points(headline, once, shown)


def headline_points(articles: Sequence[CondensedArticle]) -> tuple[StoryPoint, ...]:
    """Return the caveats of a story's headline, for a story that is shown as one line.

    The headline is that of the first article. If none qualifies it alone, it is the caveat of the whole story
    that speaks against it. A reader may know them from an earlier issue; they are returned
    all the same, for a headline that its own article denies must not stand alone.
    """
    leading = articles[0]
    points = leading.summary.key_points
    # Most headlines have none, and this is asked of every story of every edition.
    if not any(one.role is Role.CAVEAT and one.is_of_headline for one in points):
        doubt = headline_doubt(leading.article.title, leading.article.language, points)
        caveats = [ArticleSentence(leading.article, doubt)] if doubt else []
        return story_points(settle_headline(caveats), (), {})
    return story_points(settle_headline(headline_caveats(articles)), (), {})


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
        or any(not _is_known_caveat(caveat, known) for caveat in claim.caveats)
        or any(_is_new(other, known, weights) for other in claim.contradictions)
    )


def _is_known_caveat(caveat: ArticleSentence, known: Collection[ArticleSentence]) -> bool:
    return any(is_known(caveat.features, line.features) for line in known)


def _without_repetitions(claims: Sequence[Claim], weights: TermWeights) -> list[Claim]:
    """Return the claims without repetitions, whose caveats are added to the remaining claim.

    A caveat that repeats what stands beside it as a contradiction is dropped.
    """
    kept: list[Claim] = []
    for claim in claims:
        if not _merge_into(claim, kept, weights):
            kept.append(claim)
    once = _without_echoes(_without_caveats(kept), weights)
    for claim in once:
        parts = [claim, *claim.contradictions]
        for part in parts:
            part.caveats = [
                caveat
                for caveat in part.caveats
                if all(_relation(one.sentence, caveat) is not Relation.SAME for one in parts)
            ]
    return sorted(once, key=lambda claim: (claim.rank, claim.position))


def _without_caveats(kept: Sequence[Claim]) -> list[Claim]:
    """Return the claims without those that are caveats of another claim, which gets their caveats.

    It also gets what other publishers say against them, so that the two stand together.
    """
    remaining = list(kept)
    for claim in kept:
        others = [other for other in remaining if other is not claim]
        parts = [claim, *claim.contradictions]
        qualified = next(
            (one for one in _with_contradictions(others) if any(_qualifies(p.sentence, one) for p in parts)),
            None,
        )
        if qualified is not None:
            remaining = others
            # The qualified claim takes its rank.
            qualified.rank = min(qualified.rank, claim.rank)
            for part in parts:
                if claim.contradictions and not _qualifies(part.sentence, qualified):
                    qualified.caveats.append(part.sentence)
                adopt(qualified, part)
    return remaining


def _without_echoes(claims: Sequence[Claim], weights: TermWeights) -> list[Claim]:
    """Return the claims without those that repeat one of another article, which gets their caveats.

    A claim with another number stays, and so do those on which another line leans.
    """
    kept: list[Claim] = []
    for claim in sorted(claims, key=lambda claim: (claim.rank, claim.position)):
        repeated = next((one for one in kept if _repeats(claim, one, weights)), None)
        if repeated is None:
            kept.append(claim)
        else:
            adopt(repeated, claim)
    return kept


def _repeats(claim: Claim, other: Claim, weights: TermWeights) -> bool:
    sentence, before = claim.sentence, other.sentence
    return (
        claim.grade is other.grade is None
        and not (claim.contradictions or sentence.is_antecedent)
        and sentence.article.id != before.article.id
        and sentence.features.numbers <= before.features.numbers
        and is_echo(sentence.features, before.features, weights)
    )


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
    if _representative(claim.sentence, other.sentence) is other.sentence:
        claim.sentence, other.sentence = other.sentence, claim.sentence
        claim.caveats, other.caveats = other.caveats, claim.caveats
    adopt(claim, other)


def _are_twins(line: ArticleSentence, other: ArticleSentence, weights: TermWeights) -> bool:
    """Return whether one of the two can represent both."""
    return _relation(line, other, weights) is Relation.SAME and _representative(line, other) is not None


def _representative(line: ArticleSentence, other: ArticleSentence) -> ArticleSentence | None:
    """Return the one of two sentences that can represent both, which say the same; None if neither can.

    It has every number and doubt of the other, and nothing is clear only below the other. If both can, it is
    the one with more content, then one that is clear by itself, then `line`.
    """
    if not (covers(line.features, other.features) or is_known(line.features, other.features)):
        return None
    words, lost = (other, line) if _is_fuller(other.features, line.features) else (line, other)
    unclear = words.needs_antecedent and not lost.needs_antecedent and not words.is_antecedent
    if (lost.is_antecedent or unclear) and covers(lost.features, words.features):
        words, lost = lost, words
    return None if lost.is_antecedent else words


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


def story_points(
    headline: Sequence[ArticleSentence], claims: Sequence[Claim], shown: Mapping[Place, int]
) -> tuple[StoryPoint, ...]:
    """Return the lines that are `shown`, in order, with the places at which they were chosen as ranks."""
    points: list[StoryPoint] = []
    places: dict[Place, int] = {}

    def show(line: ArticleSentence, grade: Grade | None, qualifies: int | None = None) -> None:
        point = StoryPoint.of_key_point(
            line.article,
            line.point,
            role=Role.POINT if grade is None else Role.CAVEAT,
            qualifies=qualifies,
        )
        follows = None if line.antecedent is None else places.get(line.antecedent)
        places[line.place] = len(points)
        points.append(
            replace(point, grade=grade or Grade.TIED, follows=follows, rank=shown.get(line.place, 0))
        )

    for caveat in headline:
        show(caveat, Grade.TIED)
    for claim in claims:
        for part in (claim, *claim.contradictions):
            if part.sentence.place in shown:
                own = len(points)
                show(part.sentence, None if part is not claim else claim.grade)
                points[own] = replace(points[own], earlier=part.earlier)
                for caveat in part.shown_caveats:
                    if caveat.place in shown:
                        show(caveat, Grade.TIED, own)
    return tuple(points)
