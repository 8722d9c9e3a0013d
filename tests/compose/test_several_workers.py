"""Several workers on one record, and publishers who edit meanwhile: all are told once, and what is true."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.compose.render.theme import JinjaRenderer
from service.compose.stage import Composer, ComposeReport, compose
from service.compose.stories.assign import StoryAssigner
from service.condense.stage import Condenser, condense
from service.core.errors import ArticleChanged
from service.core.ids import edit_key
from service.core.model import FeedState, Group, Issue
from service.gather.ports import PollResult
from service.settings.packaged_files import templates_folder
from service.store.compose import SqlComposeStore
from service.store.corrections import settle
from service.store.database import Database
from service.store.sends import DraftComposeStore, ManualSendStore
from service.store.stories import SqlStoryStore
from tests.builders import NOON, a_feed, a_newsletter, an_article, condensed
from tests.compose.digests import SITE
from tests.compose.fakes import tell_all
from tests.store.house import DAY, HOUR, House, an_issue
from tests.store.test_sends import a_send

FIRST = an_article("Two ferries hit", "Two ferries were hit. Nobody was hurt.", gathered_at=NOON - HOUR)
EDITED = replace(FIRST, title="Three ferries hit", text="Three ferries were hit. One sailor was hurt.")


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def a_composer(store: SqlComposeStore) -> Composer:
    renderer, newsletters = JinjaRenderer(templates_folder(), SITE), {"morning": a_newsletter()}
    joiner = StoryAssigner(SqlStoryStore(store.database))
    return Composer(store, renderer, tell_all, newsletters, timedelta(minutes=10), "file", joiner)


async def the_only_issue(house: House) -> Issue:
    [line] = await house.overview.issues()
    issue = await house.deliver.issue(line.id)
    assert issue is not None
    return issue


async def tell_first(house: House) -> None:
    await house.subscribe("amina", "ben")
    await house.arrive([FIRST])
    await house.condense.record_summary(FIRST.id, condensed(FIRST).summary, NOON)


async def edit(house: House) -> None:
    await house.gather.record_poll(PollResult(FeedState(a_feed()), edited=(EDITED,)))


# --- at the same moment ------------------------------------------------------------------------


async def test_two_that_compose_at_once_make_one_issue(house: House):
    await house.subscribe("amina", "ben", "chloe")
    await house.publish("Harbour reopens", "Talks resume")
    reports = await asyncio.gather(*(compose(a_composer(house.compose), now=NOON) for _ in range(3)))
    assert sorted(report.deliveries for report in reports) == [0, 0, 3]
    assert set((await house.states(await the_only_issue(house))).values()) == {"planned"}


async def test_two_that_condense_at_once_cost_a_little_time_and_nothing_else(house: House):
    articles = [an_article(f"Report {n}", gathered_at=NOON) for n in range(6)]
    await house.arrive([*articles, an_article("", "", url="https://news.example/poison", gathered_at=NOON)])
    crew = [Condenser(house.condense, None, "lead", 3, ()) for _ in range(2)]
    reports = await asyncio.gather(*(condense(one, now=NOON) for one in crew))

    assert all(report.problems for report in reports)
    left = [article.url for article in await house.condense.uncondensed(10)]
    assert left in ([], ["https://news.example/poison"])
    await condense(crew[0], now=NOON)
    await condense(crew[0], now=NOON)
    assert await house.compose.release_position(NOON) == 7


# --- edited between being read and being told --------------------------------------------------


class Interrupted(SqlComposeStore):
    """The record of a worker that is overtaken: before its issue is recorded, an edit gets its summary."""

    async def record_issue(self, group: Group, issue: Issue, *more: Any) -> int:
        house = House(self.database)
        await edit(house)
        for article in await house.condense.uncondensed(10):
            await house.condense.record_summary(article.id, condensed(article).summary, NOON)
        return await super().record_issue(group, issue, *more)


async def test_an_issue_is_made_anew_of_words_that_came_in_between(house: House):
    await tell_first(house)
    report = await compose(a_composer(Interrupted(house.database)), now=NOON)

    assert report == ComposeReport(issues=1, deliveries=2)
    issue = await the_only_issue(house)
    assert issue.rendered.subject == "Three ferries hit"
    assert "Three ferries were hit." in issue.rendered.text
    assert "Two ferries" not in issue.rendered.text
    [told] = await house.overview.articles_by_id(issue.article_ids)
    assert told.article.text == EDITED.text
    assert await house.compose.due_groups(NOON) == []


class Restless(SqlComposeStore):
    """The record of articles that are edited whenever somebody wants to tell them."""

    async def record_issue(self, *_: Any) -> int:
        raise ArticleChanged("an article was edited while the issue was made")


async def test_who_was_overtaken_again_and_again_stays_due(house: House):
    await tell_first(house)
    report = await compose(a_composer(Restless(house.database)), now=NOON)

    assert (report.issues, len(report.problems)) == (0, 1)
    assert "was edited while the issue was made; it is tried again" in report.problems[0]
    assert await house.overview.issues() == []
    assert await compose(a_composer(house.compose), now=NOON) == ComposeReport(issues=1, deliveries=2)


def made_of(issue: Issue, *articles: Any) -> Issue:
    return replace(
        issue,
        article_ids=tuple(a.id for a in articles),
        words=tuple(edit_key(a.id, a.title, a.text) for a in articles),
    )


async def test_whoever_comes_first_settles_what_the_article_says(house: House):
    await tell_first(house)
    await edit(house)
    group = await house.group()
    issue = made_of(an_issue(group), FIRST)
    async with house.database.write() as connection:
        # Condense is in the middle of its transaction while compose wants to record.
        assert await settle(connection, FIRST.id, condensed(EDITED).summary) == 1
        recording = asyncio.create_task(house.compose.record_issue(group, issue, NOON + DAY, "file"))
        await asyncio.sleep(0)
    with pytest.raises(ArticleChanged):
        await recording
    assert await house.overview.issues() == []
    assert await house.compose.record_issue(group, made_of(issue, EDITED), NOON + DAY, "file") == 2


async def test_a_send_by_hand_is_not_recorded_with_words_that_are_no_more(house: House):
    await house.subscribe("amina")
    await house.arrive([EDITED])
    await house.condense.record_summary(EDITED.id, condensed(EDITED).summary, NOON)
    draft = DraftComposeStore(house.database)
    for group in await house.compose.groups_of("morning", None):
        await draft.record_issue(group, made_of(an_issue(group), FIRST), None, "file")
    with pytest.raises(ArticleChanged):
        await ManualSendStore(house.database).record(a_send(), draft, "file", None)
    assert await house.overview.issues() == []
    assert await ManualSendStore(house.database).find(a_send(), None) is None
