"""Manual sends are recorded once, and no worker takes deliveries of a paused issue."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from service.core.ids import send_id
from service.core.model import DeliveryState, ManualSend
from service.store.sends import DraftComposeStore, ManualSendStore
from tests.builders import NOON, a_subscriber
from tests.store.stores import DAY, MINUTE, Stores, an_issue


def a_send(key: str = "key", **changes: object) -> ManualSend:
    return replace(ManualSend(send_id(key), "morning to amina", NOON), **changes)


async def a_draft(stores: Stores, *names: str, key: str = "key") -> DraftComposeStore:
    """Draft an issue for these subscribers, as compose does."""
    draft = DraftComposeStore(stores.database)
    wanted = [a_subscriber(f"{name}@example.org").id for name in names]
    for group in await stores.compose.groups_of("morning", wanted):
        await draft.record_issue(group, an_issue(group, occurrence=key), None, "file")
    return draft


async def test_a_send_is_recorded_with_its_issues_and_deliveries(stores: Stores):
    await stores.subscribe("amina", "ben", "chloe")
    draft = await a_draft(stores, "amina", "ben")
    send = a_send(nothing_new=1, left_out={"x": "paused it"}, problems=("one",))
    recorded, is_new = await ManualSendStore(stores.database).record(send, draft, "file", None)
    issue = draft.issues[0][1]

    assert is_new
    assert recorded == replace(send, issues=(issue.id,), deliveries=2)
    assert await ManualSendStore(stores.database).find(send, None) == recorded
    assert await stores.states(issue) == {"amina": "planned", "ben": "planned"}


async def test_a_draft_alone_leaves_no_trace(stores: Stores):
    await stores.subscribe("amina")
    await a_draft(stores, "amina")

    assert await stores.queries.issues() == []
    assert (await stores.subscription()).served_through == 0


async def test_a_hundred_concurrent_sends_with_the_same_key_plan_one(stores: Stores):
    await stores.subscribe("amina", "ben")
    records = ManualSendStore(stores.database)
    drafts = [await a_draft(stores, "amina", "ben") for _ in range(100)]
    recorded = await asyncio.gather(*(records.record(a_send(), draft, "file", None) for draft in drafts))

    assert sum(is_new for _, is_new in recorded) == 1
    assert len({send.issues for send, _ in recorded}) == 1
    assert [issue.books.due for issue in await stores.queries.issues()] == [2]


async def test_each_key_is_a_separate_send(stores: Stores):
    names = [f"reader{n}" for n in range(30)]
    await stores.subscribe(*names)
    records = ManualSendStore(stores.database)
    drafts = {name: await a_draft(stores, name, key=name) for name in names}
    await asyncio.gather(*(records.record(a_send(n), draft, "file", None) for n, draft in drafts.items()))

    assert [issue.books.due for issue in await stores.queries.issues(limit=100)] == [1] * 30


async def test_a_request_repeated_within_a_minute_is_a_duplicate_unless_it_planned_nothing(stores: Stores):
    await stores.subscribe("amina")
    records = ManualSendStore(stores.database)
    empty = a_send("empty", at=NOON - timedelta(seconds=3))
    await records.record(empty, DraftComposeStore(stores.database), "file", MINUTE)
    assert await records.find(a_send("new"), MINUTE) is None

    first, _ = await records.record(a_send("first"), await a_draft(stores, "amina"), "file", MINUTE)
    repeated, late = a_send("repeated", at=NOON + MINUTE / 2), a_send("late", at=NOON + MINUTE)
    assert await records.find(repeated, MINUTE) == first
    assert await records.find(repeated, None) is None
    assert await records.find(late, MINUTE) is None
    assert await records.find(replace(repeated, request="something else"), MINUTE) is None


# --- pause and resume --------------------------------------------------------------------------


async def test_no_worker_takes_a_paused_issue_until_it_is_resumed(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    await stores.deliver.pause(issue.id, NOON)
    [line] = await stores.queries.issues()

    assert line.paused_at == NOON
    assert (line.books.waiting, line.books.closed) == (2, True)
    assert (await stores.take_batch("t", NOON + DAY)).deliveries == ()
    assert (await stores.queries.pending_work(NOON + DAY)).deliveries == 0

    assert await stores.deliver.resume(issue.id, NOON + DAY) == 2
    assert [line.paused_at for line in await stores.queries.issues()] == [None]
    assert len((await stores.take_batch("t", NOON + DAY)).deliveries) == 2


async def test_a_pause_releases_leased_deliveries_without_an_attempt(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    batch = await stores.take_batch("worker")
    assert await stores.record_state("worker", batch.deliveries[:1], DeliveryState.ATTEMPTING) == 1
    await stores.deliver.pause(issue.id, NOON)

    assert await stores.record_state("worker", batch.deliveries[1:], DeliveryState.ATTEMPTING) == 0
    assert await stores.record_state("worker", batch.deliveries[:1], DeliveryState.SENT) == 1
    await stores.deliver.release("worker")
    assert sorted((await stores.states(issue)).values()) == ["planned", "sent"]
    assert (await stores.take_batch("t", NOON + DAY)).deliveries == ()


async def test_a_delivery_deferred_during_a_pause_waits_for_the_resume(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = await stores.take_batch("worker")
    await stores.record_state("worker", batch.deliveries, DeliveryState.ATTEMPTING)
    await stores.deliver.pause(issue.id, NOON)
    retry_at = NOON + MINUTE
    await stores.record_state("worker", batch.deliveries, DeliveryState.DEFERRED, next_attempt_at=retry_at)

    assert (await stores.take_batch("t", NOON + DAY)).deliveries == ()
    await stores.deliver.resume(issue.id, NOON + MINUTE)
    assert len((await stores.take_batch("t", NOON + DAY)).deliveries) == 1


async def test_pausing_twice_and_resuming_twice_are_harmless(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    for later in (NOON, NOON + MINUTE):
        await stores.deliver.pause(issue.id, later)
    assert [line.paused_at for line in await stores.queries.issues()] == [NOON]
    assert [await stores.deliver.resume(issue.id, NOON) for _ in range(2)] == [1, 0]


async def test_the_pause_of_one_issue_holds_back_no_other(stores: Stores):
    first = await stores.plan_issue_for("amina")
    await stores.subscribe("amina", "ben")
    draft = await a_draft(stores, "ben", key="other")
    await ManualSendStore(stores.database).record(a_send(), draft, "file", None)
    await stores.deliver.pause(first.id, NOON)

    batch = await stores.take_batch("t")
    assert [delivery.address for delivery in batch.deliveries] == ["ben@example.org"]
