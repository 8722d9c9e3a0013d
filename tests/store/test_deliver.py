"""The ledger: batches, leases, state changes, and uncertain deliveries after a crash."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest

from service.core import ids as identity
from service.core.model import Delivery, SubscriptionStatus
from service.core.model import DeliveryState as State
from service.deliver.ports import ResendPolicy, StateChange
from tests.builders import NOON, a_subscriber, an_edition
from tests.store.stores import DAY, HOUR, MINUTE, Stores

LATER = NOON + 2 * MINUTE
"""A time at which a lease taken at noon has expired."""
AT_MOST_THREE = ResendPolicy(3, planned_after=NOON - DAY)
ALWAYS = ResendPolicy(100, planned_after=NOON - DAY)


# --- batches -----------------------------------------------------------------------------------


async def test_a_batch_has_all_values_of_a_message(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = await stores.take_batch("a")
    [delivery] = batch.deliveries
    assert (batch.token, batch.lease_until, batch.suppressed) == ("a", NOON + MINUTE, 0)
    assert delivery.id == identity.delivery_id(issue.id, a_subscriber().id, "file")
    assert (delivery.issue_id, delivery.subscriber_id) == (issue.id, a_subscriber().id)
    assert (delivery.address, delivery.name) == ("amina@example.org", "Amina")
    assert (delivery.channel, delivery.attempts, delivery.planned_at) == ("file", 0, NOON)


async def test_a_leased_delivery_is_taken_by_no_other_token_until_the_lease_expires(stores: Stores):
    await stores.plan_issue_for("amina", "ben", "chloe")
    assert len((await stores.take_batch("a", limit=2)).deliveries) == 2
    assert len((await stores.take_batch("b")).deliveries) == 1
    assert (await stores.take_batch("c")).deliveries == ()
    assert len((await stores.take_batch("d", LATER)).deliveries) == 3


async def test_no_delivery_is_taken_before_its_due_time_or_for_another_channel(stores: Stores):
    await stores.plan_issue_for("amina")
    assert (await stores.take_batch("a", NOON - MINUTE)).deliveries == ()
    assert (await stores.deliver.take_batch("smtp", "a", NOON, LATER, 10)).deliveries == ()


async def test_concurrent_workers_never_share_a_delivery(stores: Stores):
    await stores.plan_issue_for(*(f"reader{n}" for n in range(60)))

    async def work(worker: int) -> list[str]:
        taken: list[str] = []
        while batch := (await stores.take_batch(f"{worker}-{len(taken)}", limit=7)).deliveries:
            taken.extend(delivery.id for delivery in batch)
        return taken

    taken = [id_ for ids in await asyncio.gather(*map(work, range(6))) for id_ in ids]
    assert len(taken) == len(set(taken)) == 60


async def test_an_extended_lease_lasts_longer(stores: Stores):
    await stores.plan_issue_for("amina")
    [delivery] = (await stores.take_batch("a")).deliveries
    await stores.deliver.extend("a", LATER + MINUTE)
    assert (await stores.take_batch("b", LATER)).deliveries == ()
    assert await stores.record_state("a", [delivery], State.ATTEMPTING, LATER) == 1


async def test_a_released_delivery_is_due_at_once_unless_it_was_attempted(stores: Stores):
    await stores.plan_issue_for("amina", "ben")
    one, two = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", [one], State.ATTEMPTING)
    await stores.deliver.release("a")
    assert [delivery.id for delivery in (await stores.take_batch("b")).deliveries] == [two.id]


# --- state changes -----------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.SENT, State.REFUSED, State.DEFERRED, State.UNCERTAIN])
async def test_an_attempt_ends_with_the_outcome_of_the_channel(stores: Stores, state: State):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    assert await stores.record_state("a", batch, State.ATTEMPTING) == 1
    assert (
        await stores.record_state("a", batch, state, NOON + MINUTE, reply="250 ok", next_attempt_at=LATER)
        == 1
    )
    [line] = await stores.queries.deliveries(issue.id)
    assert (line.state, line.attempts, line.reply, line.at) == (state, 1, "250 ok", NOON + MINUTE)
    assert line.due_at == (LATER if state in (State.DEFERRED, State.UNCERTAIN) else None)


async def test_a_deferred_delivery_is_due_at_its_next_attempt_and_keeps_its_count(stores: Stores):
    await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    await stores.record_state("a", batch, State.DEFERRED, next_attempt_at=NOON + HOUR)
    assert (await stores.take_batch("b", NOON + HOUR - MINUTE)).deliveries == ()
    [again] = (await stores.take_batch("b", NOON + HOUR)).deliveries
    assert (again.id, again.attempts) == (batch[0].id, 1)


async def test_a_deferral_before_the_attempt_counts_as_an_attempt(stores: Stores):
    await stores.plan_issue_for("amina")
    await stores.record_state(
        "a", (await stores.take_batch("a")).deliveries, State.DEFERRED, next_attempt_at=LATER
    )
    assert [delivery.attempts for delivery in (await stores.take_batch("b", LATER)).deliveries] == [1]


async def test_a_stale_token_changes_no_delivery_of_its_successor(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    await stores.take_batch("b", LATER)
    for state in (State.ATTEMPTING, State.SENT, State.DEFERRED):
        assert await stores.record_state("a", batch, state, LATER, suppress=True) == 0
    assert await stores.states(issue) == {"amina": "planned"}
    assert (await stores.membership()).suppressed is None
    await stores.deliver.release("a")
    await stores.deliver.extend("a", NOON + DAY)
    assert await stores.record_state("b", batch, State.ATTEMPTING, LATER) == 1


async def test_an_attempt_is_not_recorded_after_the_lease_has_expired(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    assert await stores.record_state("a", batch, State.ATTEMPTING, NOON + MINUTE) == 0
    assert await stores.states(issue) == {"amina": "planned"}


async def test_recording_an_attempt_twice_is_harmless(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    assert await stores.record_state("a", batch, State.ATTEMPTING) == 1
    assert await stores.record_state("a", batch, State.ATTEMPTING) == 1
    assert [line.attempts for line in await stores.queries.deliveries(issue.id)] == [1]


async def test_a_finished_delivery_is_not_changed(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    assert await stores.record_state("a", batch, State.SENT) == 1
    assert await stores.record_state("a", batch, State.REFUSED) == 0
    assert await stores.record_state("a", batch, State.ATTEMPTING) == 0
    assert await stores.states(issue) == {"amina": "sent"}


async def test_one_commit_records_attempts_and_outcomes_of_several_deliveries(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben", "chloe")
    one, two, three = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", [one], State.ATTEMPTING)
    changes = [
        StateChange(one, State.SENT, NOON),
        StateChange(two, State.ATTEMPTING, NOON),
        StateChange(three, State.ATTEMPTING, NOON),
        StateChange(three, State.REFUSED, NOON, "550 no such user", suppress=True),
        StateChange(replace(one, id="unknown", row=(999, 999)), State.SENT, NOON),
    ]
    assert await stores.deliver.record_changes("a", changes) == {one.id, two.id, three.id}
    assert sorted((await stores.states(issue)).values()) == ["attempting", "refused", "sent"]
    assert await stores.deliver.record_changes("a", []) == set()


async def test_characters_that_no_database_stores_are_replaced_in_a_reply(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    reply = "550 \x00 \ud800 'quoted' \"twice\" \u2028 \\u0000"
    await stores.record_state("a", batch, State.REFUSED, reply=reply, suppress=True)
    kept = "550 \ufffd \ufffd 'quoted' \"twice\" \u2028 \\u0000"
    assert [line.reply for line in await stores.queries.deliveries(issue.id)] == [kept]
    assert (await stores.membership()).suppressed == kept


async def test_a_bad_address_is_suppressed_with_the_refusal(stores: Stores):
    await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.REFUSED, reply="550 5.1.1 no such user", suppress=True)
    assert (await stores.membership()).suppressed == "550 5.1.1 no such user"


# --- suppressed subscribers --------------------------------------------------------------------


async def test_a_batch_skips_suppressed_subscribers(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    await stores.subscribers.suppress("Amina@Example.org", "complaint", NOON)
    batch = await stores.take_batch("a")
    assert [delivery.address for delivery in batch.deliveries] == ["ben@example.org"]
    assert batch.suppressed == 1
    assert (await stores.states(issue))["amina"] == "suppressed"


async def test_a_batch_is_only_empty_when_nothing_is_due(stores: Stores):
    await stores.plan_issue_for("amina", "ben", "chloe")
    for name in ("amina", "ben", "chloe"):
        await stores.subscribers.suppress(f"{name}@example.org", "complaint", NOON)
    batch = await stores.take_batch("a", limit=2)
    assert (len(batch.deliveries), batch.suppressed) == (0, 3)


@pytest.mark.parametrize("status", [SubscriptionStatus.UNSUBSCRIBED, SubscriptionStatus.PAUSED])
async def test_a_batch_skips_inactive_subscriptions(stores: Stores, status: SubscriptionStatus):
    issue = await stores.plan_issue_for("amina")
    await stores.subscribers.set_status(a_subscriber().id, "morning", status, NOON)
    assert (await stores.take_batch("a")).suppressed == 1
    assert await stores.states(issue) == {"amina": "suppressed"}


async def test_a_subscriber_who_unsubscribes_before_the_attempt_is_not_mailed(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    batch = (await stores.take_batch("a")).deliveries
    amina = next(d for d in batch if d.address == "amina@example.org")
    await stores.subscribers.set_status(amina.subscriber_id, "morning", SubscriptionStatus.UNSUBSCRIBED, NOON)
    written = await stores.deliver.record_changes(
        "a", [StateChange(d, State.ATTEMPTING, NOON) for d in batch]
    )
    assert written == {d.id for d in batch} - {amina.id}
    assert await stores.states(issue) == {"amina": "suppressed", "ben": "attempting"}


@pytest.mark.parametrize("state", [State.PLANNED, State.ATTEMPTING])
async def test_a_person_erased_during_the_transfer_is_not_written_any_more(stores: Stores, state: State):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    if state is State.ATTEMPTING:
        assert await stores.record_state("a", batch, state) == 1
    await stores.subscribers.erase("amina@example.org")
    reply = "550 <amina@example.org> no such user"
    for then in (State.ATTEMPTING, State.REFUSED):
        assert await stores.record_state("a", batch, then, reply=reply, suppress=True) == 0
    [found] = await stores.queries.deliveries(issue.id)
    assert (found.state, found.reply) == (state, "")


async def test_an_address_suppressed_before_the_attempt_is_not_mailed(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    await stores.subscribers.suppress("amina@example.org", "bounced", NOON)
    assert await stores.record_state("a", batch, State.ATTEMPTING) == 0
    assert await stores.states(issue) == {"amina": "suppressed"}


async def test_unsubscribing_from_one_newsletter_does_not_hold_back_another(stores: Stores):
    await stores.plan_issue_for("amina")
    evening = an_edition("evening")
    await stores.subscribe("amina", edition=evening)  # this ends the subscription to `morning`
    assert (await stores.take_batch("a")).suppressed == 1
    issue = await stores.plan_issue_for("amina", edition=evening)
    assert len((await stores.take_batch("b")).deliveries) == 1
    assert await stores.states(issue) == {"amina": "planned"}


# --- uncertain deliveries ----------------------------------------------------------------------


async def test_an_attempt_with_an_expired_lease_is_uncertain(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    one, two = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", [one], State.ATTEMPTING)
    taken = (await stores.take_batch("b", LATER)).deliveries
    assert [delivery.id for delivery in taken] == [two.id]
    assert sorted((await stores.states(issue)).values()) == ["planned", "uncertain"]


async def test_an_uncertain_delivery_is_sent_again_under_a_resend_policy(stores: Stores):
    await stores.plan_issue_for("amina")
    [delivery] = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", [delivery], State.ATTEMPTING)
    assert await stores.deliver.settle_uncertain(NOON, ALWAYS) == 0
    assert await stores.deliver.settle_uncertain(LATER, ALWAYS) == 1
    [again] = (await stores.take_batch("b", LATER)).deliveries
    assert (again.id, again.attempts) == (delivery.id, 1)


async def test_an_uncertain_delivery_waits_until_a_policy_allows_a_resend(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    await stores.record_state("a", (await stores.take_batch("a")).deliveries, State.ATTEMPTING)
    assert await stores.deliver.settle_uncertain(LATER, None) == 1
    assert (await stores.take_batch("b", LATER)).deliveries == ()
    assert await stores.states(issue) == {"amina": "uncertain"}
    assert (await stores.queries.pending_work(LATER)).deliveries == 0
    assert await stores.deliver.settle_uncertain(LATER, ALWAYS) == 0
    assert len((await stores.take_batch("b", LATER)).deliveries) == 1


async def an_uncertain_delivery(stores: Stores, *times: datetime) -> Delivery:
    """Take the only delivery at each of these times with a worker that dies during the attempt."""
    for number, now in enumerate(times):
        await stores.deliver.settle_uncertain(now, ALWAYS)
        [delivery] = (await stores.take_batch(f"worker{number}", now)).deliveries
        assert delivery.uncertain_attempts == number
        await stores.record_state(f"worker{number}", [delivery], State.ATTEMPTING, now)
    return delivery


async def test_after_three_uncertain_attempts_a_delivery_waits_for_the_operator(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    await an_uncertain_delivery(stores, NOON, NOON + HOUR, NOON + 2 * HOUR)
    for hours in (3, 4, 50):
        await stores.deliver.settle_uncertain(NOON + hours * HOUR, AT_MOST_THREE)
        assert (await stores.take_batch("x", NOON + hours * HOUR)).deliveries == ()
    assert await stores.states(issue) == {"amina": "uncertain"}
    assert (await stores.queries.pending_work(NOON + DAY)).deliveries == 0
    assert await stores.deliver.resend(issue.id, [State.UNCERTAIN], NOON + DAY) == 1
    await stores.record_state(
        "y", (await stores.take_batch("y", NOON + DAY)).deliveries, State.SENT, NOON + DAY
    )
    assert await stores.states(issue) == {"amina": "sent"}


async def test_an_uncertain_delivery_of_an_old_issue_is_not_sent_again(stores: Stores):
    await stores.plan_issue_for("amina")
    await an_uncertain_delivery(stores, NOON)
    await stores.deliver.settle_uncertain(NOON + DAY, ResendPolicy(3, planned_after=NOON))
    assert (await stores.take_batch("x", NOON + DAY)).deliveries == ()


async def test_an_uncertain_attempt_is_counted_once_even_if_its_worker_reports_it_later(stores: Stores):
    await stores.plan_issue_for("amina")
    delivery = await an_uncertain_delivery(stores, NOON)
    await stores.deliver.settle_uncertain(LATER, None)
    assert await stores.record_state("worker0", [delivery], State.UNCERTAIN, LATER) == 1
    await stores.deliver.settle_uncertain(LATER, ALWAYS)
    [again] = (await stores.take_batch("b", LATER)).deliveries
    assert again.uncertain_attempts == 1


async def test_an_uncertain_delivery_waits_for_its_next_attempt(stores: Stores):
    await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    await stores.record_state("a", batch, State.UNCERTAIN, next_attempt_at=NOON + HOUR)
    await stores.deliver.settle_uncertain(LATER, ALWAYS)
    assert (await stores.take_batch("b", LATER)).deliveries == ()
    assert (await stores.queries.pending_work(NOON + HOUR)).deliveries == 1
    await stores.deliver.settle_uncertain(NOON + HOUR, ALWAYS)
    assert len((await stores.take_batch("b", NOON + HOUR)).deliveries) == 1


async def test_a_late_outcome_is_recorded_while_no_other_worker_has_taken_the_delivery(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    await stores.deliver.settle_uncertain(LATER, ALWAYS)
    assert await stores.record_state("a", batch, State.SENT, LATER) == 1
    assert await stores.states(issue) == {"amina": "sent"}


async def test_a_late_outcome_is_ignored_after_another_worker_has_taken_the_delivery(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    await stores.deliver.settle_uncertain(LATER, ALWAYS)
    await stores.take_batch("b", LATER)
    assert await stores.record_state("a", batch, State.SENT, LATER) == 0
    assert await stores.states(issue) == {"amina": "deferred"}


async def test_the_books_close_at_every_step(stores: Stores):
    issue = await stores.plan_issue_for(*(f"reader{n}" for n in range(8)))
    await stores.subscribers.suppress("reader0@example.org", "complaint", NOON)
    batch = (await stores.take_batch("a", limit=5)).deliveries
    steps = [
        (batch[:4], State.ATTEMPTING),
        (batch[:1], State.SENT),
        (batch[1:2], State.REFUSED),
        (batch[2:3], State.DEFERRED),
        (batch[3:4], State.UNCERTAIN),
    ]
    for some, state in steps:
        await stores.record_state("a", some, state)
        [line] = await stores.queries.issues()
        assert line.books.closed
    assert line.id == issue.id
    assert (line.books.due, line.books.sent, line.books.refused, line.books.uncertain) == (8, 1, 1, 1)


# --- resend ------------------------------------------------------------------------------------


async def test_an_operator_can_resend_an_issue_to_one_subscriber(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.SENT)
    again = await stores.deliver.resend(issue.id, [State.SENT], LATER, subscribers=[a_subscriber().id])
    assert again == 1
    [delivery] = (await stores.take_batch("b", LATER)).deliveries
    assert delivery.address == "amina@example.org"


async def test_a_leased_delivery_is_not_resent(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch[:1], State.UNCERTAIN)
    again = [State.PLANNED, State.ATTEMPTING, State.UNCERTAIN]
    assert await stores.deliver.resend(issue.id, again, NOON) == 1
    assert await stores.deliver.resend("unknown", again, NOON) == 0
