"""Chain: the order in which the lines of a story are chosen, whatever their number (pure).

A story of n lines shows the first links of the chain that fit, so a shorter story shows a part of a longer
one. A link holds what is never separated: a point, its first caveat, what another publisher says against it,
and the line on which it leans. The other caveats are links of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from service.compose.stories.merging.claims import ArticleSentence, Claim, Place
from service.text.similarity import TermWeights, is_echo, is_known

ECHO_RANK_PENALTY = 4  # for a point that mostly repeats a chosen one and has no caveat
CAVEAT_RANK = 0.75  # of a caveat of what is shown, at most: behind the first point of each article


@dataclass(frozen=True, eq=False)
class ChainLink:
    """Lines of a claim that are shown together. `base` is the link that must be shown with it, if any."""

    claim: Claim
    lines: tuple[ArticleSentence, ...]
    rank: float
    base: ChainLink | None = None

    @property
    def place(self) -> Place:
        """The place of its first line, which identifies it."""
        return self.lines[0].place


def chain_of_lines(
    claims: Sequence[Claim],
    chosen_from: Sequence[Claim],
    headline: Sequence[ArticleSentence],
    weights: TermWeights,
) -> Iterator[list[ArticleSentence]]:
    """Yield the lines of the story in the order in which they are chosen: lists that are never separated.

    Only the claims in `chosen_from` are chosen; of the others, those are shown on which a chosen one leans. A
    caveat of the story waits until something of its article is shown. A caveat that is shown already, in
    other words, is left out.
    """
    links = {claim.position: _links(claim) for claim in claims}
    owners = {line.place: link for found in links.values() for link in found for line in link.lines}
    waiting = [link for claim in chosen_from for link in _anchored(links, claim, chosen_from)]
    shown: set[Place] = set()
    caveats: list[ArticleSentence] = []
    articles = {line.article.id for line in headline}
    echoes: set[Place] = set()
    while ready := [link for link in waiting if _is_ready(link, articles)]:
        best = min(
            ready,
            key=lambda link: (
                _rank(link, shown) + (ECHO_RANK_PENALTY if link.place in echoes else 0),
                link.base is not None,
                link.claim.position,
                link.place,
            ),
        )
        bundle = _with_needed(best, owners, shown)
        places = {link.place for link in bundle}
        waiting = [link for link in waiting if link.place not in places]
        lines = [line for link in bundle for line in _new_lines(link, caveats)]
        shown |= {line.place for link in bundle for line in link.lines}
        for link in bundle:
            articles |= link.claim.articles
            echoes |= {one.place for one in waiting if _echoes(one.claim, link.claim, weights)}
        if lines:
            yield lines


def _rank(link: ChainLink, shown: Collection[Place]) -> float:
    """Return the rank of a link, of a caveat CAVEAT_RANK at most if what it qualifies is shown."""
    of_shown = link.base is not None and link.base.place in shown
    return min(link.rank, CAVEAT_RANK) if of_shown or link.claim.is_story_caveat else link.rank


def _links(claim: Claim) -> list[ChainLink]:
    """Return the links of a claim: the first is its base, with its first caveat and first contradiction."""
    opposed = claim.contradictions[:1]
    parts = [line for one in (claim, *opposed) for line in (one.sentence, *one.caveats[:1])]
    base = ChainLink(claim, tuple(parts), claim.rank)
    further: list[tuple[ArticleSentence, ...]] = [
        (caveat,) for one in (claim, *opposed) for caveat in one.caveats[1:]
    ]
    for one in claim.contradictions[1:]:
        further += [(one.sentence, *one.caveats[:1]), *((caveat,) for caveat in one.caveats[1:])]
    return [base, *(ChainLink(claim, lines, max(claim.rank, lines[0].rank), base) for lines in further)]


def _anchored(
    links: dict[Place, list[ChainLink]], claim: Claim, chosen_from: Iterable[Claim]
) -> list[ChainLink]:
    """Return the links of a claim.

    A caveat of a story of which nothing else can be chosen, because the reader knows it, is based on the
    first point of its article.
    """
    found = links[claim.position]
    if not claim.is_story_caveat or any(_shares_article(claim, other) for other in chosen_from):
        return found
    known = [ones[0] for ones in links.values() if _shares_article(claim, ones[0].claim)]
    base = min(known, key=lambda link: (link.rank, link.claim.position), default=None)
    return [ChainLink(claim, link.lines, link.rank, link.base or base) for link in found]


def _shares_article(caveat: Claim, other: Claim) -> bool:
    return not other.is_story_caveat and not caveat.articles.isdisjoint(other.articles)


def _is_ready(link: ChainLink, articles: set[str]) -> bool:
    """Return whether a link can be chosen: a caveat of the story not before something of its article."""
    is_anchored = link.base is not None and link.base.claim is not link.claim
    return is_anchored or not link.claim.is_story_caveat or not articles.isdisjoint(link.claim.articles)


def _with_needed(link: ChainLink, owners: dict[Place, ChainLink], shown: set[Place]) -> list[ChainLink]:
    """Return the link with those that must be shown with it and are not shown yet."""
    found: dict[Place, ChainLink] = {}
    pending = [link]
    while pending:
        one = pending.pop()
        if one.place in found or one.place in shown:
            continue
        found[one.place] = one
        needed = [owners.get(line.antecedent) for line in one.lines if line.antecedent is not None]
        pending += [other for other in (one.base, *needed) if other is not None]
    return list(found.values())


def _new_lines(link: ChainLink, caveats: list[ArticleSentence]) -> list[ArticleSentence]:
    """Return the lines of a link without the caveats that are shown already, and add its own to these."""
    lines = []
    for line in link.lines:
        if not _is_caveat(line, link.claim):
            lines.append(line)
        elif line.is_antecedent or not any(is_known(line.features, one.features) for one in caveats):
            lines.append(line)
            caveats.append(line)
    return lines


def _is_caveat(line: ArticleSentence, claim: Claim) -> bool:
    points = {one.sentence.place for one in (claim, *claim.contradictions)}
    return claim.is_story_caveat or line.place not in points


def _echoes(claim: Claim, other: Claim, weights: TermWeights) -> bool:
    if claim.caveats or claim.contradictions or claim.is_story_caveat:
        return False
    if claim.sentence.article.id == other.sentence.article.id:
        return False
    return is_echo(claim.sentence.features, other.sentence.features, weights)
