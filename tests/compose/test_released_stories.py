"""Work that the groups of one pass share, and which does not change what they get."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

from typing_extensions import override

from service.compose import released_stories
from service.compose.released_stories import ReleasedStories
from service.compose.render.theme import JinjaRenderer
from service.compose.stage import Composer, compose
from service.compose.stories.merging.merge import merge_key_points
from service.core.model import Digest, Issue, RenderedMail
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


ALMOST_ALIKE = [
    an_edition(**{"topics": ("sport", "world"), **wishes})
    for wishes in (
        {},
        {"stories": 1},
        {"minutes": 1},
        {"minutes": 1, "points": 1},
        {"follow": ("pension",)},
        {"mute": ("quake",)},
        {"format": "text"},
        {"language": "de"},
        {"topics": ("world", "sport")},
    )
]
"""Editions each of which differs from the first in one thing: what they share must not be mixed up."""


class CountingRenderer(JinjaRenderer):
    """The real renderer, which counts its renderings."""

    renderings = 0

    @override
    def render(self, digest: Digest, **values: str) -> RenderedMail:
        self.renderings += 1
        return super().render(digest, **values)


async def issues_of(*editions, renderer: JinjaRenderer | None = None) -> list[list[Issue]]:
    """Return the issues of two days of a reader of each edition, all composed in the same passes."""
    members = [Member(f"r{n}", edition, NOON - DAY) for n, edition in enumerate(editions)]
    store = MemoryStore(members)
    composer = Composer(
        store,
        renderer or JinjaRenderer(templates_folder(), SITE),
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


async def test_issues_are_the_same_if_there_is_no_room_for_all_articles(monkeypatch):
    with_room = await issues_of(*EDITIONS)
    monkeypatch.setattr(released_stories, "MAX_CACHED_ARTICLES", len(REPORTS) // 2)

    assert await issues_of(*EDITIONS) == with_room


async def test_articles_are_forgotten_before_there_are_more_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(released_stories, "MAX_CACHED_ARTICLES", 3)
    store = MemoryStore([])
    store.publish(*(_condensed(a_report(n, topics=(f"t{n}",))) for n in range(4)))
    times: list[str] = []

    def make_room() -> None:
        times.append("forgotten")
        released.forget()

    released = ReleasedStories(store, times.append, make_room)
    for topics in (("t0",), ("t1",), ("t2",), ("t0", "t1", "t2")):
        await released.stories(an_edition(topics=topics), 0, 4, served_from=0)
    assert not times, "articles that are read already need no more room"

    await released.stories(an_edition(topics=("t3",)), 0, 4, served_from=0)
    assert times == ["forgotten"]
    assert store.reads == [(1,), (2,), (3,), (4,)]


async def test_issues_of_editions_that_are_almost_alike_are_those_of_each_alone():
    together = await issues_of(*ALMOST_ALIKE)

    for edition, issues in zip(ALMOST_ALIKE, together, strict=True):
        assert issues == (await issues_of(edition))[0]
    assert len({second.rendered.text for _, second in together}) == len(ALMOST_ALIKE)


async def test_editions_that_differ_only_in_the_schedule_are_rendered_once():
    renderer = CountingRenderer(templates_folder(), SITE)
    schedules = ("daily 07:00", "daily 07:00,18:00", "weekdays 07:00")
    issues = await issues_of(*(an_edition(schedule=schedule) for schedule in schedules), renderer=renderer)

    # On the second day, an update links to the first issue of its own group.
    assert renderer.renderings == 1 + 3
    assert all(first.rendered == issues[0][0].rendered for first, _ in issues)
    assert [first.digest.edition.schedule for first, _ in issues if first.digest] == list(schedules)
    assert len({first.id for first, _ in issues}) == 3


async def test_a_theme_that_shows_the_id_of_an_issue_is_rendered_for_each(tmp_path: Path):
    theme = tmp_path / "digest/daily"
    theme.mkdir(parents=True)
    (theme / "body.txt").write_text("{{ page.issue }} {{ page.unsubscribe_url }}")
    renderer = CountingRenderer(templates_folder(), SITE, tmp_path)
    editions = [an_edition(schedule=schedule) for schedule in ("daily 07:00", "weekdays 07:00")]
    one, other = await issues_of(*editions, renderer=renderer)

    assert one[0].id in one[0].rendered.text
    assert other[0].id in other[0].rendered.text
