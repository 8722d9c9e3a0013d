"""The list of a newsletter's issues has its own edition's issues, and no issue whose news somebody chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from service.core.model import Edition, Issue
from service.store.compose import SqlComposeStore
from service.store.listed_issues import SqlListedIssues
from tests.builders import NOON, an_edition
from tests.store.stores import DAY, Stores, an_issue

OWN = an_edition()
EARLIER_HOUR = an_edition(schedule="daily 05:00")
CHOSEN_NEWS = an_edition(topics=("sport",))


async def plan(stores: Stores, edition: Edition, occurrence: str, *names: str) -> Issue:
    """Plan an issue of the edition for new subscribers with these names."""
    await stores.subscribe(*names, edition=edition)
    composing = SqlComposeStore(stores.database, {"morning": OWN})
    (group,) = [one for one in await composing.due_groups(NOON) if one.edition == edition]
    issue = an_issue(group, occurrence=occurrence)
    if occurrence.startswith("again"):
        issue = replace(issue, due_at=NOON)
    assert await composing.record_issue(group, issue, NOON + DAY, "file") == len(names)
    return issue


async def listed(stores: Stores, **page: int) -> Sequence[tuple[str, str, str]]:
    found = await SqlListedIssues(stores.database).latest("morning", **({"limit": 10} | page))
    return [(one.id, one.day, one.time) for one in found]


async def test_the_newest_issue_of_the_own_edition_is_first(stores: Stores):
    first = await plan(stores, OWN, "2026-03-02T07:00", "amina")
    second = await plan(stores, OWN, "2026-03-02T18:00", "ben")
    third = await plan(stores, OWN, "2026-03-03T07:00", "carla")

    assert await listed(stores) == [
        (third.id, "2026-03-03", "07:00"),
        (second.id, "2026-03-02", "18:00"),
        (first.id, "2026-03-02", "07:00"),
    ]
    assert await listed(stores, limit=1, offset=1) == [(second.id, "2026-03-02", "18:00")]


async def test_a_day_without_one_has_the_issue_that_most_got_of_the_same_news(stores: Stores):
    await plan(stores, EARLIER_HOUR, "2026-03-02T05:00", "amina")
    larger = await plan(stores, an_edition(stories=3), "2026-03-02T06:00", "ben", "carla")
    await plan(stores, an_edition(stories=4), "2026-03-02T06:30", "dora")

    assert await listed(stores) == [(larger.id, "2026-03-02", "")]


async def test_the_own_edition_hides_the_others_of_its_day(stores: Stores):
    await plan(stores, EARLIER_HOUR, "2026-03-02T05:00", "amina", "ben")
    own = await plan(stores, OWN, "2026-03-02T07:00", "carla")

    assert await listed(stores) == [(own.id, "2026-03-02", "07:00")]


async def test_news_that_a_subscriber_chose_is_not_listed(stores: Stores):
    await plan(stores, CHOSEN_NEWS, "2026-03-02T07:00", "amina")
    await plan(stores, an_edition(follow=("harbour",)), "2026-03-02T07:00", "ben")
    await plan(stores, an_edition(language="de"), "2026-03-02T07:00", "carla")

    assert await listed(stores) == []


async def test_of_two_issues_at_one_time_the_one_with_more_readers_is_listed(stores: Stores):
    small = await plan(stores, OWN, "2026-03-02T07:00", "amina")
    await stores.subscribe("ben", "carla", edition=OWN)
    composing = SqlComposeStore(stores.database, {"morning": OWN})
    (group,) = await composing.due_groups(NOON)
    large = replace(an_issue(group, occurrence="2026-03-02T07:00"), id="f" * 32)
    await composing.record_issue(group, large, NOON + DAY, "file")

    assert await listed(stores) == [(large.id, "2026-03-02", "07:00")]
    assert small.id != large.id


async def test_a_repeated_issue_and_one_for_some_are_not_listed(stores: Stores):
    await plan(stores, OWN, "again:1234", "amina")
    await stores.subscribe("ben", edition=OWN)
    composing = SqlComposeStore(stores.database, {"morning": OWN})
    (group,) = await composing.due_groups(NOON)
    for_some = replace(group, subscriber_ids=("x",))
    await composing.record_issue(for_some, an_issue(for_some, occurrence="manual:1"), None, "file")

    assert await listed(stores) == []


async def test_a_manual_send_to_all_has_its_local_time(stores: Stores):
    await stores.subscribe("amina", edition=OWN)
    composing = SqlComposeStore(stores.database, {"morning": OWN})
    group = await stores.due_group()
    issue = replace(an_issue(group, occurrence="manual:12"), due_at=NOON + timedelta(hours=11, minutes=30))
    await composing.record_issue(group, issue, None, "file")

    assert await listed(stores) == [(issue.id, "2026-03-03", "00:30")]


async def test_neighbours_are_those_before_and_after(stores: Stores):
    first = await plan(stores, OWN, "2026-03-02T07:00", "amina")
    second = await plan(stores, OWN, "2026-03-02T18:00", "ben")
    third = await plan(stores, OWN, "2026-03-03T07:00", "carla")
    other = await plan(stores, CHOSEN_NEWS, "2026-03-03T07:00", "dora")
    store = SqlListedIssues(stores.database)

    async def around(issue: Issue) -> tuple[str | None, str | None]:
        earlier, later = await store.neighbours("morning", issue.id)
        return earlier and earlier.id, later and later.id

    assert await around(first) == (None, second.id)
    assert await around(second) == (first.id, third.id)
    assert await around(third) == (second.id, None)
    assert await around(other) == (None, None)


async def test_a_paused_issue_is_not_listed(stores: Stores):
    issue = await plan(stores, OWN, "2026-03-02T07:00", "amina")
    await stores.deliver.pause(issue.id, NOON)

    assert await listed(stores) == []
