"""Denials: the caveat of an article that speaks against its own headline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from service.compose.stories.denials import headline_doubt
from service.compose.stories.merging.merge import headline_points
from service.core.model import (
    CaveatKind,
    CondensedArticle,
    Grade,
    KeyPoint,
    Role,
    StoryPoint,
    Summary,
)
from tests.builders import an_article

HEADLINE = "Chemical plant leak poisons river, residents say"
DENIAL = "The chemical plant denied any leak."
ELSEWHERE = "The mayor denied that taxes would rise."


def article(*caveats: tuple[str, Grade, CaveatKind | None], title: str = HEADLINE) -> CondensedArticle:
    """Return an article of a point and these caveats, none of which qualifies the point."""
    told = an_article(title, " ".join(["Fish died.", *(text for text, _, _ in caveats)]))
    points = [KeyPoint.from_source(told.text, 0, len("Fish died."))]
    for text, grade, kind in caveats:
        start = told.text.index(text)
        caveat = KeyPoint.from_source(told.text, start, start + len(text), Role.CAVEAT)
        points.append(replace(caveat, grade=grade, kind=kind))
    return CondensedArticle(told, Summary("keypoints", tuple(points)))


def doubt_of(told: CondensedArticle) -> str | None:
    found = headline_doubt(told.article.title, "en", told.summary.key_points)
    return found.text if found else None


def texts(points: Sequence[StoryPoint]) -> list[str]:
    return [point.text for point in points]


@pytest.mark.parametrize("grade", [Grade.TIED, Grade.STORY])
def test_a_denial_of_the_headline_or_of_what_it_says_speaks_against_it(grade: Grade):
    assert doubt_of(article((DENIAL, grade, CaveatKind.DENIED))) == DENIAL


@pytest.mark.parametrize("kind", [CaveatKind.CONDITIONAL, CaveatKind.LIMITED, None])
def test_another_caveat_does_not_speak_against_the_headline(kind: CaveatKind | None):
    assert doubt_of(article((DENIAL, Grade.TIED, kind))) is None


def test_a_denial_of_another_matter_does_not_speak_against_the_headline():
    assert doubt_of(article((ELSEWHERE, Grade.STORY, CaveatKind.DENIED))) is None
    assert doubt_of(article((DENIAL, Grade.CONTEXT, CaveatKind.DENIED))) is None


def test_the_strongest_doubt_is_chosen():
    unconfirmed = "Nobody confirmed the chemical leak of the plant."
    told = article(
        (unconfirmed, Grade.TIED, CaveatKind.UNCONFIRMED), (DENIAL, Grade.STORY, CaveatKind.DENIED)
    )

    assert doubt_of(told) == DENIAL


def test_a_line_shows_the_denial_of_the_story_if_no_caveat_is_of_the_headline_alone():
    limited = "Only the headwaters of the river were tested."
    denial = (DENIAL, Grade.STORY, CaveatKind.DENIED)

    [shown] = headline_points([article(denial)])
    assert (shown.text, shown.is_of_headline, shown.kind) == (DENIAL, True, CaveatKind.DENIED)
    assert texts(headline_points([article(denial, (limited, Grade.TIED, CaveatKind.LIMITED))])) == [limited]
    assert headline_points([article((ELSEWHERE, Grade.STORY, CaveatKind.DENIED))]) == ()
    # The denial of another publisher is not that of the article with the headline.
    assert headline_points([article(title="Fish die"), article(denial)]) == ()
