"""A cancelled issue: its waiting deliveries end, and their subscribers get its articles with the next one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from service.core.model import DeliveryState as State
from service.core.model import Issue, SubscriptionStatus
from service.core.read_models import CancelCounts, IssueDetails
from service.store import cancel
from service.store.backups.backup import back_up
from service.store.cancel import SqlCancellation
from service.store.corrections import was_sent
from service.store.database import Database
from service.store.schema import articles, deliveries
from tests.builders import NOON, a_subscriber, an_article, an_edition
from tests.store.restored import restored
from tests.store.stores import DAY, HOUR, MINUTE, Stores, a_desired_subscription, an_issue

NAMES = ("amina", "ben", "chloe")


class Killed(Exception):
    """The end of a process in the middle of its work."""


@pytest.fixture
def cancellation(database: Database) -> SqlCancellation:
    return SqlCancellation(database)


async def plan(stores: Stores, *, through: int, day: int = 0) -> Issue:
    """Plan the issue of the only group that is due on that day."""
    at = NOON + day * DAY
    issue = an_issue(await stores.due_group(at), through=through, occurrence=f"day {day}")
    await stores.compose.record_issue(await stores.due_group(at), issue, at + DAY, "file")
    return issue


async def send_to(stores: Stores, *names: str) -> None:
    """Send the due deliveries of these people, and give the others back."""
    batch = await stores.take_batch("worker")
    theirs = [one for one in batch.deliveries if one.address.split("@")[0] in names]
    assert await stores.record_state("worker", theirs, State.ATTEMPTING) == len(names)
    assert await stores.record_state("worker", theirs, State.SENT) == len(names)
    await stores.deliver.release("worker")


async def cursors(stores: Stores, *names: str) -> list[int]:
    return [(await stores.subscription(name)).served_through for name in names or NAMES]


async def details(stores: Stores, issue: Issue) -> IssueDetails:
    [found] = await stores.queries.issues_by_prefix(issue.id)
    return found


async def test_those_who_did_not_get_the_issue_get_its_articles_with_the_next_one(stores, cancellation):
    await stores.subscribe(*NAMES)
    issue = await plan(stores, through=4)
    await send_to(stores, "amina")
    assert await cancellation.cancel(issue.id, NOON) == CancelCounts(returned=2)

    assert await stores.states(issue) == {"amina": "sent", "ben": "cancelled", "chloe": "cancelled"}
    assert await cursors(stores) == [4, 0, 0]
    groups = await stores.compose.due_groups(NOON + DAY)
    assert {(group.served_through, group.size, group.due_at) for group in groups} == {
        (4, 1, NOON + DAY),
        (0, 2, NOON + DAY),
    }
    books = (await details(stores, issue)).books
    assert (books.due, books.sent, books.cancelled, books.waiting, books.closed) == (3, 1, 2, 0, True)


async def test_a_cancelled_issue_is_not_sent_and_cannot_be_resumed_or_resent(stores, cancellation):
    issue = await stores.plan_issue_for(*NAMES)
    await cancellation.cancel(issue.id, NOON)

    assert (await stores.take_batch("a", NOON + DAY)).deliveries == ()
    assert await stores.deliver.resume(issue.id, NOON) == 0
    assert await stores.deliver.resend(issue.id, tuple(State), NOON) == 0
    assert await stores.queries.paused_issues() == []
    assert set((await stores.states(issue)).values()) == {"cancelled"}
    assert (await stores.take_batch("b", NOON + DAY)).deliveries == ()


async def test_a_second_cancellation_changes_nothing(stores, cancellation):
    issue = await stores.plan_issue_for(*NAMES)
    await cancellation.cancel(issue.id, NOON)
    before = await details(stores, issue)

    assert await cancellation.cancel(issue.id, NOON + HOUR) == CancelCounts()
    assert await cancellation.cancel_rest(NOON + HOUR) == 0
    assert await details(stores, issue) == before
    assert await cursors(stores) == [0, 0, 0]


async def test_a_preview_counts_the_same_and_changes_nothing(stores, cancellation):
    await stores.subscribe(*NAMES)
    issue = await plan(stores, through=4)
    await send_to(stores, "ben")
    expected = await cancellation.preview(issue.id)

    assert set((await stores.states(issue)).values()) == {"planned", "sent"}
    assert (await details(stores, issue)).cancelled_at is None
    assert await cancellation.cancel(issue.id, NOON) == expected == CancelCounts(returned=2)


async def test_a_worker_cannot_attempt_a_delivery_that_it_leased_before(stores, cancellation):
    issue = await stores.plan_issue_for(*NAMES)
    batch = await stores.take_batch("worker")
    await cancellation.cancel(issue.id, NOON)

    assert await stores.record_state("worker", batch.deliveries, State.ATTEMPTING) == 0
    assert await stores.record_state("worker", batch.deliveries, State.REFUSED) == 0
    assert set((await stores.states(issue)).values()) == {"cancelled"}


async def test_a_delivery_in_transfer_is_finished_by_its_worker(stores, cancellation):
    issue = await stores.plan_issue_for("amina", "ben")
    batch = await stores.take_batch("worker")
    await stores.record_state("worker", batch.deliveries, State.ATTEMPTING)
    assert await cancellation.cancel(issue.id, NOON) == CancelCounts(in_transfer=2)

    [amina, ben] = sorted(batch.deliveries, key=lambda one: one.address)
    assert await stores.record_state("worker", [amina], State.SENT) == 1
    later = {"next_attempt_at": NOON + MINUTE}
    assert await stores.record_state("worker", [ben], State.DEFERRED, **later) == 1
    assert (await stores.take_batch("other", NOON + HOUR)).deliveries == ()
    assert await cancellation.cancel_rest(NOON + HOUR) == 1
    assert await stores.states(issue) == {"amina": "sent", "ben": "cancelled"}
    assert await cursors(stores, "amina", "ben") == [1, 0]


async def test_a_mail_that_may_have_arrived_is_not_sent_again(stores, cancellation):
    issue = await stores.plan_issue_for("amina", "ben")
    batch = await stores.take_batch("worker")
    [amina, ben] = sorted(batch.deliveries, key=lambda one: one.address)
    await stores.record_state("worker", [amina, ben], State.ATTEMPTING)
    await stores.record_state("worker", [amina], State.UNCERTAIN)
    await stores.record_state("worker", [ben], State.SENT)
    for state in (State.UNCERTAIN, State.SENT):
        assert await stores.deliver.resend(issue.id, [state], NOON) == 1

    assert await cancellation.cancel(issue.id, NOON) == CancelCounts(maybe_arrived=2)
    assert await cursors(stores, "amina", "ben") == [1, 1]


async def test_who_has_a_later_issue_does_not_get_the_articles_again(stores, cancellation):
    await stores.subscribe(*NAMES)
    first = await plan(stores, through=4)
    later = await plan(stores, through=9, day=1)
    assert await cancellation.cancel(first.id, NOON) == CancelCounts(in_later_issue=3)
    assert await cursors(stores) == [9, 9, 9]

    assert await cancellation.cancel(later.id, NOON) == CancelCounts(returned=3)
    assert await cursors(stores) == [0, 0, 0]


async def test_a_cursor_that_an_empty_issue_advanced_goes_back(stores, cancellation):
    await stores.subscribe("amina")
    issue = await plan(stores, through=4)
    await stores.compose.skip_issue(await stores.due_group(NOON + DAY), NOON + 2 * DAY, 9)

    assert await cancellation.cancel(issue.id, NOON) == CancelCounts(returned=1)
    assert await cursors(stores, "amina") == [0]


async def test_a_changed_edition_and_a_left_newsletter(stores, cancellation):
    await stores.subscribe(*NAMES)
    issue = await plan(stores, through=4)
    early = an_edition(schedule="daily 06:00")
    await stores.subscribers.save_preferences(
        a_desired_subscription("ben", early, next_due_at=NOON + HOUR), NOON
    )
    chloe = a_subscriber("chloe@example.org").id
    await stores.subscribers.set_status(chloe, "morning", SubscriptionStatus.UNSUBSCRIBED, NOON)

    assert await cancellation.cancel(issue.id, NOON) == CancelCounts(returned=2, inactive=1)
    group = await stores.due_group(NOON + HOUR)
    assert (group.edition, group.served_through, group.size) == (early, 0, 1)
    assert await cursors(stores) == [0, 0, 4]


async def test_a_late_member_of_a_cancelled_issue_waits_for_the_next_one(stores, cancellation):
    await stores.subscribe("amina")
    issue = await plan(stores, through=4)
    await cancellation.cancel(issue.id, NOON)
    await stores.subscribers.add_subscriptions([a_desired_subscription("ben")], NOON, starts_after=NOON - DAY)
    group = await stores.due_group()
    again = an_issue(group, through=4, occurrence="day 0")

    assert again.id == issue.id
    assert await stores.compose.record_issue(group, again, NOON + DAY, "file") == 0
    next_group = await stores.due_group(NOON + DAY)
    assert (next_group.served_through, next_group.size) == (0, 2)


async def test_the_next_issue_of_the_same_articles_is_another_issue(stores, cancellation):
    await stores.subscribe("amina", "ben")
    cancelled = await plan(stores, through=4)
    await cancellation.cancel(cancelled.id, NOON)
    group = await stores.due_group(NOON + DAY)
    assert not await stores.compose.recently_sent(group, NOON - DAY)
    issue = await plan(stores, through=6, day=1)

    assert issue.id != cancelled.id
    assert await stores.states(issue) == {"amina": "planned", "ben": "planned"}
    [group] = await stores.compose.due_groups(NOON + 2 * DAY)
    assert (await stores.compose.recently_sent(group, NOON - DAY)).keys() == {"a", "b"}


async def test_an_edit_of_an_article_that_nobody_got_replaces_its_text(stores, cancellation):
    await stores.publish("Harbour reopens")
    await stores.subscribe("amina")
    article = an_article("Harbour reopens")
    group = await stores.due_group()
    issue = replace(an_issue(group), article_ids=(article.id,))
    await stores.compose.record_issue(group, issue, NOON + DAY, "file")
    await cancellation.cancel(issue.id, NOON)

    async with stores.database.read() as connection:
        assert await connection.scalar(select(was_sent()).where(articles.c.id == article.id)) in (False, 0)


async def test_batches_of_any_size_cancel_everything(stores, cancellation, monkeypatch):
    monkeypatch.setattr(cancel, "MAX_CANCELLED", 2)
    names = [f"reader{n}" for n in range(7)]
    issue = await stores.plan_issue_for(*names)

    assert await cancellation.preview(issue.id) == CancelCounts(returned=7)
    assert await cancellation.cancel(issue.id, NOON) == CancelCounts(returned=7)
    assert await cursors(stores, *names) == [0] * 7


async def test_a_crash_between_two_batches_leaves_no_subscriber_without_their_articles(
    stores, cancellation, monkeypatch
):
    monkeypatch.setattr(cancel, "MAX_CANCELLED", 2)
    names = [f"reader{n}" for n in range(5)]
    issue = await stores.plan_issue_for(*names)
    cancel_some, batches = cancel._cancel_some, iter([True, False])

    async def crash_in_the_second_batch(*arguments):
        counts = await cancel_some(*arguments)
        if not next(batches):
            raise Killed
        return counts

    monkeypatch.setattr(cancel, "_cancel_some", crash_in_the_second_batch)
    with pytest.raises(Killed):
        await cancellation.cancel(issue.id, NOON)
    states = await stores.states(issue)
    for name in names:
        assert (await cursors(stores, name) == [0]) == (states[name] == "cancelled")
    assert (await stores.take_batch("a", NOON + HOUR)).deliveries == ()

    monkeypatch.setattr(cancel, "_cancel_some", cancel_some)
    assert await cancellation.cancel_rest(NOON + HOUR) == 3
    assert await cursors(stores, *names) == [0] * 5


async def test_concurrent_cancellations_return_each_delivery_once(stores, cancellation):
    issue = await stores.plan_issue_for(*(f"reader{n}" for n in range(20)))
    counts = await asyncio.gather(*(cancellation.cancel(issue.id, NOON) for _ in range(5)))
    assert sum(one.returned for one in counts) == 20
    assert len(await stores.compose.due_groups(NOON + DAY)) == 1


async def test_a_row_that_a_worker_has_locked_is_waited_for(postgres_url):
    database = await Database.open(postgres_url)
    stores = Stores(database)
    issue = await stores.plan_issue_for("amina", "ben")
    async with database.write() as connection:
        attempted = deliveries.c.subscriber == text("(SELECT min(number) FROM subscribers)")
        await connection.execute(update(deliveries).where(attempted).values(state=State.ATTEMPTING))
        cancelling = asyncio.create_task(SqlCancellation(database).cancel(issue.id, NOON))
        async with asyncio.timeout(60):
            while (await stores.states(issue))["ben"] == "planned":  # noqa: ASYNC110 - a row has no event
                await asyncio.sleep(0)
        assert not cancelling.done()
    assert await cancelling == CancelCounts(returned=1, in_transfer=1)
    await database.close()


async def test_a_restore_of_an_older_backup_keeps_the_cancellation(database_url, tmp_path):
    database = await Database.open(database_url)
    stores = Stores(database)
    await stores.subscribe("amina", "ben")
    issue = await plan(stores, through=4)
    back_up(database_url, tmp_path / "copy")
    await send_to(stores, "amina")
    await SqlCancellation(database).cancel(issue.id, NOON)
    await database.close()

    await restored(database_url, tmp_path / "copy")

    database = await Database.open(database_url)
    stores = Stores(database)
    assert await stores.states(issue) == {"amina": "sent", "ben": "cancelled"}
    assert await cursors(stores, "amina", "ben") == [4, 0]
    found = await details(stores, issue)
    assert found.cancelled_at == NOON
    assert found.books.closed
    await database.close()


async def test_an_old_cancelled_issue_is_not_looked_at_every_minute(stores, cancellation):
    issue = await stores.plan_issue_for("amina")
    await cancellation.cancel(issue.id, NOON)
    async with stores.database.write() as connection:
        await connection.execute(update(deliveries).values(state=State.DEFERRED, due_at=NOON))
    assert await cancellation.cancel_rest(NOON + timedelta(days=8)) == 0
    assert await cancellation.cancel_rest(NOON + timedelta(days=6)) == 1
