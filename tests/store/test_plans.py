"""Query plans: queries of every tick use indexes and never scan a table that grows."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection

from service.core.model import Correction, DeliveryState, FeedState, ManualSend, SubscriptionStatus, Summary
from service.deliver.ports import ResendPolicy
from service.gather.ports import PollResult
from service.store import sent_corrections
from service.store.database import Database
from service.store.issue_books import IssueBooks
from service.store.overview import OverviewQueries
from service.store.sends import ManualSendStore
from tests.builders import NOON, a_feed, a_subscriber, an_article, an_edition
from tests.store.stores import DAY, HOUR, Stores, an_issue

# These indexes, the tables of drafts and webhooks, and the days of a chart have a handful of rows.
# Suppressions are few beside subscribers, and their hashes alone are read.
HARMLESS_SCAN = re.compile(
    r"SCAN (anon_\d+|CONSTANT ROW|day|drafts$|webhooks$|suppressions USING COVERING INDEX)|"
    r"INDEX ix_(articles_new|corrections_waiting|deliveries_in_doubt)"
)


@pytest.fixture
async def stores(sqlite_database: Database) -> Stores:
    stores = Stores(sqlite_database)
    await stores.publish("One")
    await stores.plan_issue_for("amina", "ben")
    return stores


async def compose_again(stores: Stores) -> None:
    group = await stores.due_group(NOON + DAY)
    await stores.compose.record_issue(group, an_issue(group, occurrence="tomorrow"), NOON + 2 * DAY, "file")


async def edits_of_sent_articles(stores: Stores) -> None:
    article = an_article("One", gathered_at=NOON - HOUR)
    group = await stores.due_group(NOON + DAY)
    issue = replace(an_issue(group, through=2, occurrence="tomorrow"), article_ids=(article.id,))
    await stores.compose.record_issue(group, issue, NOON + 2 * DAY, "file")
    await stores.gather.record_polls(
        [PollResult(FeedState(a_feed()), edited=(replace(article, text="New words."),))]
    )
    [found] = await stores.compose.edited_articles(await stores.due_group(NOON + 2 * DAY), NOON - DAY, NOON)
    correction = Correction(found.article, found.edit, ())
    issue = replace(an_issue(group, occurrence="later"), corrections=(correction,))
    async with stores.database.write() as connection:
        await connection.run_sync(sent_corrections.record, 1, issue)
    records = sent_corrections.CorrectionQueries(stores.database)
    assert await records.of_article(article.id)
    assert await records.count_edited([article.id])
    assert await records.latest_edit(article.id)


QUERIES: dict[str, Callable[[Stores], Awaitable[object]]] = {
    "the refused deliveries of an issue": lambda stores: stores.queries.deliveries(
        "a", states=[DeliveryState.REFUSED], limit=50
    ),
    "the numbers of mails by day": lambda stores: IssueBooks(stores.database).by_day([NOON, NOON + DAY]),
    "the groups that are due soon": lambda stores: OverviewQueries(stores.database).due_groups(NOON + DAY),
    "articles by day": lambda stores: OverviewQueries(stores.database).articles_by_day([NOON, NOON + DAY]),
    "due feeds": lambda stores: stores.gather.claim_feeds(NOON, NOON + DAY),
    "a poll": lambda stores: stores.gather.record_polls([PollResult(FeedState(a_feed(), next_poll_at=NOON))]),
    "an edit": lambda stores: stores.gather.record_polls(
        [PollResult(FeedState(a_feed()), edited=(an_article("One", "New words."),))]
    ),
    "known articles": lambda stores: stores.gather.known_articles(["a", "b"]),
    "edits of sent articles": edits_of_sent_articles,
    "uncondensed articles": lambda stores: stores.condense.uncondensed(10),
    "a summary": lambda stores: stores.condense.record_summaries({"a": Summary("lead", ())}, NOON),
    "release position": lambda stores: stores.compose.release_position(NOON),
    "released articles": lambda stores: stores.compose.released_articles(an_edition(), 0, 5),
    "due groups": lambda stores: stores.compose.due_groups(NOON + DAY),
    "an issue": compose_again,
    "uncertain deliveries, resent": lambda stores: stores.deliver.settle_uncertain(
        NOON, ResendPolicy(3, NOON - DAY)
    ),
    "uncertain deliveries, waiting": lambda stores: stores.deliver.settle_uncertain(NOON, None),
    "a longer lease": lambda stores: stores.deliver.extend("a", NOON),
    "a released batch": lambda stores: stores.deliver.release("a"),
    "backlog of deliver": lambda stores: stores.queries.backlog(NOON),
    "a pause": lambda stores: stores.deliver.pause("a", NOON),
    "a resume": lambda stores: stores.deliver.resume("a", NOON),
    "a manual send": lambda stores: ManualSendStore(stores.database).find(
        ManualSend("a", "b", NOON), timedelta(minutes=1)
    ),
    "pending work": lambda stores: stores.queries.pending_work(NOON),
    "the next delivery": lambda stores: stores.queries.next_delivery_due(NOON),
    "issues with their books": lambda stores: stores.queries.issues("morning"),
    "one subscriber": lambda stores: stores.subscribers.memberships(email="amina@example.org"),
    "unsubscribing": lambda stores: stores.subscribers.set_status(
        a_subscriber().id, None, SubscriptionStatus.UNSUBSCRIBED, NOON
    ),
    "resuming a subscription": lambda stores: stores.subscribers.set_status(
        a_subscriber().id, "morning", SubscriptionStatus.ACTIVE, NOON
    ),
}


@pytest.mark.parametrize("query", QUERIES)
async def test_no_growing_table_is_scanned(stores: Stores, query: str):
    plans: dict[str, list[str]] = {}

    def explain(
        connection: Connection, _cursor: object, statement: str, values: Any, _context: object, many: bool
    ) -> None:
        if statement.startswith(("SELECT", "UPDATE", "INSERT", "DELETE")):
            cursor = connection.connection.cursor()
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values[0] if many else values)
            plans[statement] = [row[3] for row in cursor.fetchall()]
            cursor.close()

    for engine in (stores.database._reads.engine, stores.database._writes.engine):
        event.listen(engine, "before_cursor_execute", explain)
    await QUERIES[query](stores)
    assert plans
    scans = [(step, sql) for sql, steps in plans.items() for step in steps if step.startswith("SCAN")]
    assert [scan for scan in scans if not HARMLESS_SCAN.search(scan[0])] == []
