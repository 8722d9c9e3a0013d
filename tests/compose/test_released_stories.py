"""Work that the groups of one pass share, and which does not change what they get."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

from service.compose.render.theme import JinjaRenderer
from service.compose.stage import Composer, compose
from service.compose.stories.merging.merge import merge_key_points
from service.core.model import Issue
from service.settings.packaged_files import templates_folder
from tests.builders import NOON, a_newsletter, an_edition, condensed
from tests.compose.digests import SITE
from tests.compose.fakes import Member, MemoryStore
from tests.compose.reports import REPORTS, a_report

DAY = timedelta(days=1)
EDITIONS = [
    an_edition(topics=topics, points=points, languages=languages, schedule=schedule, language=language)
    for topics, points, languages, schedule, language in product(
        ((), ("world",), ("sport", "world")),
        (2, 4),
        ((), ("en",)),
        ("daily 07:00", "daily 07:00,18:00"),
        ("en", "de"),
    )
]


async def issues_of(*editions) -> list[list[Issue]]:
    """Return the issues of two days of a reader of each edition, all composed in the same passes."""
    members = [Member(f"r{n}", edition, NOON - DAY) for n, edition in enumerate(editions)]
    store = MemoryStore(members)
    composer = Composer(
        store,
        JinjaRenderer(templates_folder(), SITE),
        merge_key_points,
        {"morning": a_newsletter()},
        settle=timedelta(minutes=10),
        channel="file",
    )
    reports = [a_report(n, hours=-26 if n % 2 else -2) for n in range(len(REPORTS))]
    told = [replace(one, topics=(("world", "world", "sport")[n % 3],)) for n, one in enumerate(reports)]
    store.publish(*(_condensed(one) for one in told if one.gathered_at < NOON - DAY))
    await compose(composer, now=NOON - DAY)
    for member in members:
        member.next_due_at = NOON
    store.publish(*(_condensed(one) for one in told if one.gathered_at >= NOON - DAY))
    await compose(composer, now=NOON)
    return [member.issues for member in members]


def _condensed(article):
    return condensed(article, *article.text.split("\n")[0].split(". ")[:2])


async def test_issues_are_the_same_alone_and_with_many_others():
    together = await issues_of(*EDITIONS)

    for edition, issues in list(zip(EDITIONS, together, strict=True))[::5]:
        assert issues == (await issues_of(edition))[0]
        assert len(issues) == 2
