"""Several workers on one database, and edits during composition: an issue is sent once, with current text."""

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
from service.store.corrections import accept_edits
from service.store.database import Database
from service.store.sends import DraftComposeStore, ManualSendStore
from service.store.stories import SqlStoryStore
from tests.builders import NOON, a_feed, a_newsletter, an_article, condensed
from tests.compose.digests import SITE
from tests.compose.fakes import merge_all
from tests.store.stores import DAY, HOUR, Stores, an_issue
from tests.store.test_sends import a_send

FIRST = an_article("Two ferries hit", "Two ferries were hit. Nobody was hurt.", gathered_at=NOON - HOUR)
EDITED = replace(FIRST, title="Three ferries hit", text="Three ferries were hit. One sailor was hurt.")


@pytest.fixture
def stores(database: Database) -> Stores:
    return Stores(database)


def a_composer(store: SqlComposeStore) -> Composer:
    renderer, newsletters = JinjaRenderer(templates_folder(), SITE), {"morning": a_newsletter()}
    joiner = StoryAssigner(SqlStoryStore(store.database))
    return Composer(store, renderer, merge_all, newsletters, timedelta(minutes=10), "file", joiner)


async def the_only_issue(stores: Stores) -> Issue:
    [line] = await stores.queries.issues()
    issue = await stores.deliver.issue(line.id)
    assert issue is not None
    return issue


async def prepare_article(stores: Stores) -> None:
    await stores.subscribe("amina", "ben")
    await stores.store_articles([FIRST])
    await stores.condense.record_summaries({FIRST.id: condensed(FIRST).summary}, NOON)


async def edit(stores: Stores) -> None:
    await stores.gather.record_polls([PollResult(FeedState(a_feed()), edited=(EDITED,))])


# --- concurrent workers ------------------------------------------------------------------------


async def test_concurrent_composers_make_one_issue(stores: Stores):
    await stores.subscribe("amina", "ben", "chloe")
    await stores.publish("Harbour reopens", "Talks resume")
    reports = await asyncio.gather(*(compose(a_composer(stores.compose), now=NOON) for _ in range(3)))
    assert sorted(report.deliveries for report in reports) == [0, 0, 3]
    assert set((await stores.states(await the_only_issue(stores))).values()) == {"planned"}


async def test_concurrent_condensers_lose_no_article(stores: Stores):
    articles = [an_article(f"Report {n}", gathered_at=NOON) for n in range(6)]
    await stores.store_articles(
        [*articles, an_article("", "", url="https://news.example/poison", gathered_at=NOON)]
    )
    condensers = [Condenser(stores.condense, None, "lead", 3, ()) for _ in range(2)]
    reports = await asyncio.gather(*(condense(one, now=NOON) for one in condensers))

    assert all(report.problems for report in reports)
    left = [article.url for article in await stores.condense.uncondensed(10)]
    assert left in ([], ["https://news.example/poison"])
    await condense(condensers[0], now=NOON)
    await condense(condensers[0], now=NOON)
    assert await stores.compose.release_position(NOON) == 7


# --- edits during composition ------------------------------------------------------------------


class StoreWithOneEdit(SqlComposeStore):
    """A store in which an edit gets its summary before an issue is recorded."""

    async def record_issue(self, group: Group, issue: Issue, *more: Any) -> int:
        stores = Stores(self.database)
        await edit(stores)
        for article in await stores.condense.uncondensed(10):
            await stores.condense.record_summaries({article.id: condensed(article).summary}, NOON)
        return await super().record_issue(group, issue, *more)


async def test_an_issue_is_made_again_from_a_text_edited_meanwhile(stores: Stores):
    await prepare_article(stores)
    report = await compose(a_composer(StoreWithOneEdit(stores.database)), now=NOON)

    assert report == ComposeReport(issues=1, deliveries=2)
    issue = await the_only_issue(stores)
    assert issue.rendered.subject == "Three ferries hit"
    assert "Three ferries were hit." in issue.rendered.text
    assert "Two ferries" not in issue.rendered.text
    [article] = await stores.queries.articles_by_id(issue.article_ids)
    assert article.article.text == EDITED.text
    assert await stores.compose.due_groups(NOON) == []


class StoreWithEndlessEdits(SqlComposeStore):
    """A store in which an article is edited before every issue is recorded."""

    async def record_issue(self, *_: Any) -> int:
        raise ArticleChanged("an article was edited while the issue was made")


async def test_a_group_stays_due_if_its_articles_are_edited_every_time(stores: Stores):
    await prepare_article(stores)
    report = await compose(a_composer(StoreWithEndlessEdits(stores.database)), now=NOON)

    assert (report.issues, len(report.problems)) == (0, 1)
    assert "was edited while the issue was made; it is tried again" in report.problems[0]
    assert await stores.queries.issues() == []
    assert await compose(a_composer(stores.compose), now=NOON) == ComposeReport(issues=1, deliveries=2)


def made_of(issue: Issue, *articles: Any) -> Issue:
    return replace(
        issue,
        article_ids=tuple(a.id for a in articles),
        edit_keys=tuple(edit_key(a.id, a.title, a.text) for a in articles),
    )


async def test_an_edit_accepted_first_makes_the_issue_fail(stores: Stores):
    await prepare_article(stores)
    await edit(stores)
    group = await stores.due_group()
    issue = made_of(an_issue(group), FIRST)
    async with stores.database.write() as connection:
        # Condense is in its transaction while compose records the issue.
        made = {FIRST.id: condensed(EDITED).summary}
        assert await connection.run_sync(accept_edits, made) == {FIRST.id: 1}
        recording = asyncio.create_task(stores.compose.record_issue(group, issue, NOON + DAY, "file"))
        await asyncio.sleep(0)
    with pytest.raises(ArticleChanged):
        await recording
    assert await stores.queries.issues() == []
    assert await stores.compose.record_issue(group, made_of(issue, EDITED), NOON + DAY, "file") == 2


async def test_a_manual_send_is_not_recorded_with_an_outdated_text(stores: Stores):
    await stores.subscribe("amina")
    await stores.store_articles([EDITED])
    await stores.condense.record_summaries({EDITED.id: condensed(EDITED).summary}, NOON)
    draft = DraftComposeStore(stores.database)
    for group in await stores.compose.groups_of("morning", None):
        await draft.record_issue(group, made_of(an_issue(group), FIRST), None, "file")
    with pytest.raises(ArticleChanged):
        await ManualSendStore(stores.database).record(a_send(), draft, "file", None)
    assert await stores.queries.issues() == []
    assert await ManualSendStore(stores.database).find(a_send(), None) is None
