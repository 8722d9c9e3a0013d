"""A send by hand is recorded once, and an issue that is paused is in nobody's hands."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from service.core.ids import send_id
from service.core.model import DeliveryState, ManualSend
from service.store.sends import DraftComposeStore, ManualSendStore
from tests.builders import NOON, a_subscriber
from tests.store.house import DAY, MINUTE, House, an_issue


def a_send(key: str = "key", **changes: object) -> ManualSend:
    return replace(ManualSend(send_id(key), "morning to amina", NOON), **changes)


async def a_draft(house: House, *names: str, key: str = "key") -> DraftComposeStore:
    """Draft an issue for these people, as compose would."""
    draft = DraftComposeStore(house.database)
    wanted = [a_subscriber(f"{name}@example.org").id for name in names]
    for group in await house.compose.groups_of("morning", wanted):
        await draft.record_issue(group, an_issue(group, occurrence=key), None, "file")
    return draft


async def test_a_send_is_recorded_with_its_issues_and_deliveries(house: House):
    await house.subscribe("amina", "ben", "chloe")
    draft = await a_draft(house, "amina", "ben")
    send = a_send(nothing_new=1, left_out={"x": "paused it"}, problems=("one",))
    recorded, is_new = await ManualSendStore(house.database).record(send, draft, "file", None)
    issue = draft.issues[0][1]

    assert is_new
    assert recorded == replace(send, issues=(issue.id,), deliveries=2)
    assert await ManualSendStore(house.database).find(send, None) == recorded
    assert await house.states(issue) == {"amina": "planned", "ben": "planned"}


async def test_a_draft_alone_leaves_no_trace(house: House):
    await house.subscribe("amina")
    await a_draft(house, "amina")

    assert await house.overview.issues() == []
    assert (await house.place()).served_through == 0


async def test_a_hundred_at_once_with_the_same_key_plan_once(house: House):
    await house.subscribe("amina", "ben")
    records = ManualSendStore(house.database)
    drafts = [await a_draft(house, "amina", "ben") for _ in range(100)]
    recorded = await asyncio.gather(*(records.record(a_send(), draft, "file", None) for draft in drafts))

    assert sum(is_new for _, is_new in recorded) == 1
    assert len({send.issues for send, _ in recorded}) == 1
    assert [issue.books.due for issue in await house.overview.issues()] == [2]


async def test_each_key_is_a_send_of_its_own(house: House):
    names = [f"reader{n}" for n in range(30)]
    await house.subscribe(*names)
    records = ManualSendStore(house.database)
    drafts = {name: await a_draft(house, name, key=name) for name in names}
    await asyncio.gather(*(records.record(a_send(n), draft, "file", None) for n, draft in drafts.items()))

    assert [issue.books.due for issue in await house.overview.issues(limit=100)] == [1] * 30


async def test_the_same_request_within_a_moment_is_a_slip_unless_it_planned_nothing(house: House):
    await house.subscribe("amina")
    records = ManualSendStore(house.database)
    empty = a_send("empty", at=NOON - timedelta(seconds=3))
    await records.record(empty, DraftComposeStore(house.database), "file", MINUTE)
    assert await records.find(a_send("new"), MINUTE) is None

    first, _ = await records.record(a_send("first"), await a_draft(house, "amina"), "file", MINUTE)
    slip, late = a_send("slip", at=NOON + MINUTE / 2), a_send("late", at=NOON + MINUTE)
    assert await records.find(slip, MINUTE) == first
    assert await records.find(slip, None) is None
    assert await records.find(late, MINUTE) is None
    assert await records.find(replace(slip, request="something else"), MINUTE) is None


# --- a pause -----------------------------------------------------------------------------------


async def test_a_paused_issue_is_taken_up_by_nobody_until_it_is_resumed(house: House):
    issue = await house.issue_to("amina", "ben")
    await house.deliver.pause(issue.id, NOON)
    [line] = await house.overview.issues()

    assert line.paused_at == NOON
    assert (line.books.waiting, line.books.closed) == (2, True)
    assert (await house.take("t", NOON + DAY)).deliveries == ()
    assert (await house.overview.pending_work(NOON + DAY)).deliveries == 0

    assert await house.deliver.resume(issue.id, NOON + DAY) == 2
    assert [line.paused_at for line in await house.overview.issues()] == [None]
    assert len((await house.take("t", NOON + DAY)).deliveries) == 2


async def test_a_pause_takes_out_of_a_worker_s_hands_what_it_did_not_attempt(house: House):
    issue = await house.issue_to("amina", "ben")
    batch = await house.take("worker")
    assert await house.mark("worker", batch.deliveries[:1], DeliveryState.ATTEMPTING) == 1
    await house.deliver.pause(issue.id, NOON)

    assert await house.mark("worker", batch.deliveries[1:], DeliveryState.ATTEMPTING) == 0
    assert await house.mark("worker", batch.deliveries[:1], DeliveryState.SENT) == 1
    await house.deliver.release("worker")
    assert sorted((await house.states(issue)).values()) == ["planned", "sent"]
    assert (await house.take("t", NOON + DAY)).deliveries == ()


async def test_what_is_put_off_during_a_pause_waits_like_the_rest(house: House):
    issue = await house.issue_to("amina")
    batch = await house.take("worker")
    await house.mark("worker", batch.deliveries, DeliveryState.ATTEMPTING)
    await house.deliver.pause(issue.id, NOON)
    again = NOON + MINUTE
    await house.mark("worker", batch.deliveries, DeliveryState.DEFERRED, next_attempt_at=again)

    assert (await house.take("t", NOON + DAY)).deliveries == ()
    await house.deliver.resume(issue.id, NOON + MINUTE)
    assert len((await house.take("t", NOON + DAY)).deliveries) == 1


async def test_pausing_and_resuming_twice_are_harmless(house: House):
    issue = await house.issue_to("amina")
    for later in (NOON, NOON + MINUTE):
        await house.deliver.pause(issue.id, later)
    assert [line.paused_at for line in await house.overview.issues()] == [NOON]
    assert [await house.deliver.resume(issue.id, NOON) for _ in range(2)] == [1, 0]


async def test_the_pause_of_one_issue_holds_up_no_other(house: House):
    first = await house.issue_to("amina")
    await house.subscribe("amina", "ben")
    draft = await a_draft(house, "ben", key="other")
    await ManualSendStore(house.database).record(a_send(), draft, "file", None)
    await house.deliver.pause(first.id, NOON)

    batch = await house.take("t")
    assert [delivery.address for delivery in batch.deliveries] == ["ben@example.org"]
