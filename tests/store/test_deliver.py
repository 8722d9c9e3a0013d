"""The ledger: batches, leases, marks, and what a crash leaves behind."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from service.core import ids as identity
from service.core.model import Delivery, SubscriptionStatus
from service.core.model import DeliveryState as State
from service.deliver.ports import ResendPolicy, StateChange
from tests.builders import NOON, a_subscriber, an_edition
from tests.store.stores import DAY, HOUR, MINUTE, Stores

LATER = NOON + 2 * MINUTE
THRICE = ResendPolicy(3, planned_after=NOON - DAY)
ALL = ResendPolicy(100, planned_after=NOON - DAY)
"""When a lease that was taken at noon has run out."""


# --- batches -----------------------------------------------------------------------------------


async def test_a_batch_carries_all_that_a_message_needs(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = await stores.take_batch("a")
    [delivery] = batch.deliveries
    assert (batch.token, batch.lease_until, batch.suppressed) == ("a", NOON + MINUTE, 0)
    assert delivery.id == identity.delivery_id(issue.id, a_subscriber().id, "file")
    assert (delivery.issue_id, delivery.subscriber_id) == (issue.id, a_subscriber().id)
    assert (delivery.address, delivery.name) == ("amina@example.org", "Amina")
    assert (delivery.channel, delivery.attempts, delivery.planned_at) == ("file", 0, NOON)


async def test_what_one_token_holds_no_other_takes_until_the_lease_runs_out(stores: Stores):
    await stores.plan_issue_for("amina", "ben", "chloe")
    assert len((await stores.take_batch("a", limit=2)).deliveries) == 2
    assert len((await stores.take_batch("b")).deliveries) == 1
    assert (await stores.take_batch("c")).deliveries == ()
    assert len((await stores.take_batch("d", LATER)).deliveries) == 3


async def test_nothing_is_taken_before_it_is_planned_or_for_another_channel(stores: Stores):
    await stores.plan_issue_for("amina")
    assert (await stores.take_batch("a", NOON - MINUTE)).deliveries == ()
    assert (await stores.deliver.take_batch("smtp", "a", NOON, LATER, 10)).deliveries == ()


async def test_workers_that_take_at_once_never_share_a_delivery(stores: Stores):
    await stores.plan_issue_for(*(f"reader{n}" for n in range(60)))

    async def work(worker: int) -> list[str]:
        taken: list[str] = []
        while batch := (await stores.take_batch(f"{worker}-{len(taken)}", limit=7)).deliveries:
            taken.extend(delivery.id for delivery in batch)
        return taken

    taken = [id_ for ids in await asyncio.gather(*map(work, range(6))) for id_ in ids]
    assert len(taken) == len(set(taken)) == 60


async def test_a_lease_that_is_extended_holds_longer(stores: Stores):
    await stores.plan_issue_for("amina")
    [delivery] = (await stores.take_batch("a")).deliveries
    await stores.deliver.extend("a", LATER + MINUTE)
    assert (await stores.take_batch("b", LATER)).deliveries == ()
    assert await stores.record_state("a", [delivery], State.ATTEMPTING, LATER) == 1


async def test_what_is_released_is_due_at_once_but_not_what_was_attempted(stores: Stores):
    await stores.plan_issue_for("amina", "ben")
    one, two = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", [one], State.ATTEMPTING)
    await stores.deliver.release("a")
    assert [delivery.id for delivery in (await stores.take_batch("b")).deliveries] == [two.id]


# --- marks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.SENT, State.REFUSED, State.DEFERRED, State.UNCERTAIN])
async def test_an_attempt_ends_with_what_the_channel_said(stores: Stores, state: State):
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


async def test_a_deferred_delivery_is_due_when_its_moment_comes_and_knows_its_attempts(stores: Stores):
    await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    await stores.record_state("a", batch, State.DEFERRED, next_attempt_at=NOON + HOUR)
    assert (await stores.take_batch("b", NOON + HOUR - MINUTE)).deliveries == ()
    [again] = (await stores.take_batch("b", NOON + HOUR)).deliveries
    assert (again.id, again.attempts) == (batch[0].id, 1)


async def test_a_deferral_before_the_attempt_counts_as_a_try(stores: Stores):
    await stores.plan_issue_for("amina")
    await stores.record_state(
        "a", (await stores.take_batch("a")).deliveries, State.DEFERRED, next_attempt_at=LATER
    )
    assert [delivery.attempts for delivery in (await stores.take_batch("b", LATER)).deliveries] == [1]


async def test_a_stale_token_writes_nothing_over_its_successor(stores: Stores):
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


async def test_an_attempt_is_not_written_once_the_lease_has_run_out(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    assert await stores.record_state("a", batch, State.ATTEMPTING, NOON + MINUTE) == 0
    assert await stores.states(issue) == {"amina": "planned"}


async def test_writing_an_attempt_again_is_harmless(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    assert await stores.record_state("a", batch, State.ATTEMPTING) == 1
    assert await stores.record_state("a", batch, State.ATTEMPTING) == 1
    assert [line.attempts for line in await stores.queries.deliveries(issue.id)] == [1]


async def test_what_is_finished_is_not_written_again(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    assert await stores.record_state("a", batch, State.SENT) == 1
    assert await stores.record_state("a", batch, State.REFUSED) == 0
    assert await stores.record_state("a", batch, State.ATTEMPTING) == 0
    assert await stores.states(issue) == {"amina": "sent"}


async def test_one_commit_carries_attempts_and_outcomes_of_many(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben", "chloe")
    one, two, three = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", [one], State.ATTEMPTING)
    marks = [
        StateChange(one.id, State.SENT, NOON),
        StateChange(two.id, State.ATTEMPTING, NOON),
        StateChange(three.id, State.ATTEMPTING, NOON),
        StateChange(three.id, State.REFUSED, NOON, "550 no such user", suppress=True),
        StateChange("nobody's", State.SENT, NOON),
    ]
    assert await stores.deliver.record_changes("a", marks) == {one.id, two.id, three.id}
    assert sorted((await stores.states(issue)).values()) == ["attempting", "refused", "sent"]
    assert await stores.deliver.record_changes("a", []) == set()


async def test_a_reply_that_no_database_takes_is_kept_as_far_as_it_can_be(stores: Stores):
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


# --- who must not be mailed --------------------------------------------------------------------


async def test_suppressed_people_are_passed_over_when_a_batch_is_taken(stores: Stores):
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
async def test_whoever_left_before_the_batch_was_taken_is_not_in_it(
    stores: Stores, status: SubscriptionStatus
):
    issue = await stores.plan_issue_for("amina")
    await stores.subscribers.set_status(a_subscriber().id, "morning", status, NOON)
    assert (await stores.take_batch("a")).suppressed == 1
    assert await stores.states(issue) == {"amina": "suppressed"}


async def test_whoever_leaves_before_the_attempt_is_not_mailed(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    batch = (await stores.take_batch("a")).deliveries
    amina = next(d for d in batch if d.address == "amina@example.org")
    await stores.subscribers.set_status(amina.subscriber_id, "morning", SubscriptionStatus.UNSUBSCRIBED, NOON)
    written = await stores.deliver.record_changes(
        "a", [StateChange(d.id, State.ATTEMPTING, NOON) for d in batch]
    )
    assert written == {d.id for d in batch} - {amina.id}
    assert await stores.states(issue) == {"amina": "suppressed", "ben": "attempting"}


async def test_whoever_is_suppressed_before_the_attempt_is_not_mailed(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    await stores.subscribers.suppress("amina@example.org", "bounced", NOON)
    assert await stores.record_state("a", batch, State.ATTEMPTING) == 0
    assert await stores.states(issue) == {"amina": "suppressed"}


async def test_leaving_one_newsletter_does_not_keep_back_another(stores: Stores):
    await stores.plan_issue_for("amina")
    evening = an_edition("evening")
    await stores.subscribe("amina", edition=evening)  # the roster ends `morning` by this
    assert (await stores.take_batch("a")).suppressed == 1
    issue = await stores.plan_issue_for("amina", edition=evening)
    assert len((await stores.take_batch("b")).deliveries) == 1
    assert await stores.states(issue) == {"amina": "planned"}


# --- what a crash leaves behind ----------------------------------------------------------------


async def test_an_attempt_whose_lease_ran_out_is_in_doubt(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    one, two = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", [one], State.ATTEMPTING)
    taken = (await stores.take_batch("b", LATER)).deliveries
    assert [delivery.id for delivery in taken] == [two.id]
    assert sorted((await stores.states(issue)).values()) == ["planned", "uncertain"]


async def test_what_is_in_doubt_is_sent_again_when_policy_says_so(stores: Stores):
    await stores.plan_issue_for("amina")
    [delivery] = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", [delivery], State.ATTEMPTING)
    assert await stores.deliver.settle_uncertain(NOON, ALL) == 0
    assert await stores.deliver.settle_uncertain(LATER, ALL) == 1
    [again] = (await stores.take_batch("b", LATER)).deliveries
    assert (again.id, again.attempts) == (delivery.id, 1)


async def test_what_is_in_doubt_rests_when_policy_says_so_and_goes_out_when_it_changes(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    await stores.record_state("a", (await stores.take_batch("a")).deliveries, State.ATTEMPTING)
    assert await stores.deliver.settle_uncertain(LATER, None) == 1
    assert (await stores.take_batch("b", LATER)).deliveries == ()
    assert await stores.states(issue) == {"amina": "uncertain"}
    assert (await stores.queries.pending_work(LATER)).deliveries == 0
    assert await stores.deliver.settle_uncertain(LATER, ALL) == 0
    assert len((await stores.take_batch("b", LATER)).deliveries) == 1


async def in_doubt(stores: Stores, *times: datetime) -> Delivery:
    """Let workers die over the only delivery, one at each of these times."""
    for number, now in enumerate(times):
        await stores.deliver.settle_uncertain(now, ALL)
        [delivery] = (await stores.take_batch(f"worker{number}", now)).deliveries
        assert delivery.uncertain_attempts == number
        await stores.record_state(f"worker{number}", [delivery], State.ATTEMPTING, now)
    return delivery


async def test_the_third_doubt_rests_until_somebody_decides(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    await in_doubt(stores, NOON, NOON + HOUR, NOON + 2 * HOUR)
    for hours in (3, 4, 50):
        await stores.deliver.settle_uncertain(NOON + hours * HOUR, THRICE)
        assert (await stores.take_batch("x", NOON + hours * HOUR)).deliveries == ()
    assert await stores.states(issue) == {"amina": "uncertain"}
    assert (await stores.queries.pending_work(NOON + DAY)).deliveries == 0
    assert await stores.deliver.resend(issue.id, [State.UNCERTAIN], NOON + DAY) == 1
    await stores.record_state(
        "y", (await stores.take_batch("y", NOON + DAY)).deliveries, State.SENT, NOON + DAY
    )
    assert await stores.states(issue) == {"amina": "sent"}


async def test_a_doubt_about_old_news_rests(stores: Stores):
    await stores.plan_issue_for("amina")
    await in_doubt(stores, NOON)
    await stores.deliver.settle_uncertain(NOON + DAY, ResendPolicy(3, planned_after=NOON))
    assert (await stores.take_batch("x", NOON + DAY)).deliveries == ()


async def test_a_doubt_is_counted_once_even_if_its_worker_says_so_later(stores: Stores):
    await stores.plan_issue_for("amina")
    delivery = await in_doubt(stores, NOON)
    await stores.deliver.settle_uncertain(LATER, None)
    assert await stores.record_state("worker0", [delivery], State.UNCERTAIN, LATER) == 1
    await stores.deliver.settle_uncertain(LATER, ALL)
    [again] = (await stores.take_batch("b", LATER)).deliveries
    assert again.uncertain_attempts == 1


async def test_a_doubt_with_a_moment_waits_for_it(stores: Stores):
    await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    await stores.record_state("a", batch, State.UNCERTAIN, next_attempt_at=NOON + HOUR)
    await stores.deliver.settle_uncertain(LATER, ALL)
    assert (await stores.take_batch("b", LATER)).deliveries == ()
    assert (await stores.queries.pending_work(NOON + HOUR)).deliveries == 1
    await stores.deliver.settle_uncertain(NOON + HOUR, ALL)
    assert len((await stores.take_batch("b", NOON + HOUR)).deliveries) == 1


async def test_late_news_ends_a_doubt_while_nobody_else_has_taken_it_up(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    await stores.deliver.settle_uncertain(LATER, ALL)
    assert await stores.record_state("a", batch, State.SENT, LATER) == 1
    assert await stores.states(issue) == {"amina": "sent"}


async def test_a_doubt_that_somebody_took_up_is_theirs(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    await stores.deliver.settle_uncertain(LATER, ALL)
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


# --- again, on purpose -------------------------------------------------------------------------


async def test_an_operator_may_send_again_to_one_person(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.SENT)
    again = await stores.deliver.resend(issue.id, [State.SENT], LATER, subscribers=[a_subscriber().id])
    assert again == 1
    [delivery] = (await stores.take_batch("b", LATER)).deliveries
    assert delivery.address == "amina@example.org"


async def test_what_a_worker_holds_is_not_sent_again(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch[:1], State.UNCERTAIN)
    again = [State.PLANNED, State.ATTEMPTING, State.UNCERTAIN]
    assert await stores.deliver.resend(issue.id, again, NOON) == 1
    assert await stores.deliver.resend("nobody's", again, NOON) == 0
