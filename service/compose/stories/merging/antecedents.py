"""Antecedents: every line of a story stays clear although other lines were left out (pure).

A sentence with "he" or "but" leans on the line before it. It is shown directly below that line, else with the
hint that its article has for it ("[Holm]"), else not at all. The form of each line is settled for the whole
story, before it is known how many lines are shown: so a shorter story shows a part of a longer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from service.compose.stories.merging.claims import ArticleSentence, Claim


def in_order(claims: Iterable[Claim]) -> list[Claim]:
    """Return the claims in the order in which they are shown: the story's caveats last."""
    return sorted(claims, key=lambda claim: (claim.is_story_caveat, claim.position))


def settle_headline(caveats: Sequence[ArticleSentence]) -> list[ArticleSentence]:
    """Return the caveats of the headline that are clear below it, each in its form."""
    return _clear(caveats, None)


def settle_claims(claims: Iterable[Claim]) -> list[Claim]:
    """Return the claims that are clear, in the order in which they are shown, each line in its form.

    A line below its antecedent has no hint, a line with a hint follows nothing. A claim whose caveats are all
    unclear is left out, as it needs one.
    """
    above: ArticleSentence | None = None
    settled: list[Claim] = []
    for claim in in_order(claims):
        parts: list[Claim] = []
        for part in (claim, *claim.contradictions):
            clear = _clear((part.sentence, *part.shown_caveats), above)
            if _is_whole(part, clear):
                part.sentence, *_ = clear
                forms = {line.place: line for line in clear}
                part.caveats = [forms[c.place] for c in part.caveats if c.place in forms]
                above = clear[-1]
                parts.append(part)
        if parts:
            first, *others = parts
            settled.append(first)
            first.contradictions = others
    return settled


def _is_whole(claim: Claim, clear: Sequence[ArticleSentence]) -> bool:
    """Return whether the sentence of the claim is clear, and one of the caveats that its article gives it."""
    places = {line.place for line in clear}
    own = [caveat for caveat in claim.caveats if caveat.article.id == claim.sentence.article.id]
    return claim.sentence.place in places and (not own or any(caveat.place in places for caveat in own))


def _clear(lines: Sequence[ArticleSentence], above: ArticleSentence | None) -> list[ArticleSentence]:
    """Return the lines that are clear, each in its form; the first one stands directly below `above`."""
    clear: list[ArticleSentence] = []
    for line in lines:
        point = line.point
        if point.follows is None:
            form = line
        elif above is not None and above.place == line.antecedent:
            form = replace(line, point=replace(point, hint=None))
        elif point.hint is not None:
            form = replace(line, point=replace(point, follows=None))
        else:
            continue
        clear.append(form)
        above = form
    return clear
