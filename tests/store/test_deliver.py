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
from tests.store.house import DAY, HOUR, MINUTE, House

LATER = NOON + 2 * MINUTE
THRICE = ResendPolicy(3, planned_after=NOON - DAY)
ALL = ResendPolicy(100, planned_after=NOON - DAY)
"""When a lease that was taken at noon has run out."""


# --- batches -----------------------------------------------------------------------------------


async def test_a_batch_carries_all_that_a_message_needs(house: House):
    issue = await house.issue_to("amina")
    batch = await house.take("a")
    [delivery] = batch.deliveries
    assert (batch.token, batch.lease_until, batch.suppressed) == ("a", NOON + MINUTE, 0)
    assert delivery.id == identity.delivery_id(issue.id, a_subscriber().id, "file")
    assert (delivery.issue_id, delivery.subscriber_id) == (issue.id, a_subscriber().id)
    assert (delivery.address, delivery.name) == ("amina@example.org", "Amina")
    assert (delivery.channel, delivery.attempts, delivery.planned_at) == ("file", 0, NOON)


async def test_what_one_token_holds_no_other_takes_until_the_lease_runs_out(house: House):
    await house.issue_to("amina", "ben", "chloe")
    assert len((await house.take("a", limit=2)).deliveries) == 2
    assert len((await house.take("b")).deliveries) == 1
    assert (await house.take("c")).deliveries == ()
    assert len((await house.take("d", LATER)).deliveries) == 3


async def test_nothing_is_taken_before_it_is_planned_or_for_another_channel(house: House):
    await house.issue_to("amina")
    assert (await house.take("a", NOON - MINUTE)).deliveries == ()
    assert (await house.deliver.take_batch("smtp", "a", NOON, LATER, 10)).deliveries == ()


async def test_workers_that_take_at_once_never_share_a_delivery(house: House):
    await house.issue_to(*(f"reader{n}" for n in range(60)))

    async def work(worker: int) -> list[str]:
        taken: list[str] = []
        while batch := (await house.take(f"{worker}-{len(taken)}", limit=7)).deliveries:
            taken.extend(delivery.id for delivery in batch)
        return taken

    taken = [id_ for ids in await asyncio.gather(*map(work, range(6))) for id_ in ids]
    assert len(taken) == len(set(taken)) == 60


async def test_a_lease_that_is_extended_holds_longer(house: House):
    await house.issue_to("amina")
    [delivery] = (await house.take("a")).deliveries
    await house.deliver.extend("a", LATER + MINUTE)
    assert (await house.take("b", LATER)).deliveries == ()
    assert await house.mark("a", [delivery], State.ATTEMPTING, LATER) == 1


async def test_what_is_released_is_due_at_once_but_not_what_was_attempted(house: House):
    await house.issue_to("amina", "ben")
    one, two = (await house.take("a")).deliveries
    await house.mark("a", [one], State.ATTEMPTING)
    await house.deliver.release("a")
    assert [delivery.id for delivery in (await house.take("b")).deliveries] == [two.id]


# --- marks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.SENT, State.REFUSED, State.DEFERRED, State.UNCERTAIN])
async def test_an_attempt_ends_with_what_the_channel_said(house: House, state: State):
    issue = await house.issue_to("amina")
    batch = (await house.take("a")).deliveries
    assert await house.mark("a", batch, State.ATTEMPTING) == 1
    assert await house.mark("a", batch, state, NOON + MINUTE, reply="250 ok", next_attempt_at=LATER) == 1
    [line] = await house.overview.deliveries(issue.id)
    assert (line.state, line.attempts, line.reply, line.at) == (state, 1, "250 ok", NOON + MINUTE)
    assert line.due_at == (LATER if state in (State.DEFERRED, State.UNCERTAIN) else None)


async def test_a_deferred_delivery_is_due_when_its_moment_comes_and_knows_its_attempts(house: House):
    await house.issue_to("amina")
    batch = (await house.take("a")).deliveries
    await house.mark("a", batch, State.ATTEMPTING)
    await house.mark("a", batch, State.DEFERRED, next_attempt_at=NOON + HOUR)
    assert (await house.take("b", NOON + HOUR - MINUTE)).deliveries == ()
    [again] = (await house.take("b", NOON + HOUR)).deliveries
    assert (again.id, again.attempts) == (batch[0].id, 1)


async def test_a_deferral_before_the_attempt_counts_as_a_try(house: House):
    await house.issue_to("amina")
    await house.mark("a", (await house.take("a")).deliveries, State.DEFERRED, next_attempt_at=LATER)
    assert [delivery.attempts for delivery in (await house.take("b", LATER)).deliveries] == [1]


async def test_a_stale_token_writes_nothing_over_its_successor(house: House):
    issue = await house.issue_to("amina")
    batch = (await house.take("a")).deliveries
    await house.take("b", LATER)
    for state in (State.ATTEMPTING, State.SENT, State.DEFERRED):
        assert await house.mark("a", batch, state, LATER, suppress=True) == 0
    assert await house.states(issue) == {"amina": "planned"}
    assert (await house.membership()).suppressed is None
    await house.deliver.release("a")
    await house.deliver.extend("a", NOON + DAY)
    assert await house.mark("b", batch, State.ATTEMPTING, LATER) == 1


async def test_an_attempt_is_not_written_once_the_lease_has_run_out(house: House):
    issue = await house.issue_to("amina")
    batch = (await house.take("a")).deliveries
    assert await house.mark("a", batch, State.ATTEMPTING, NOON + MINUTE) == 0
    assert await house.states(issue) == {"amina": "planned"}


async def test_writing_an_attempt_again_is_harmless(house: House):
    issue = await house.issue_to("amina")
    batch = (await house.take("a")).deliveries
    assert await house.mark("a", batch, State.ATTEMPTING) == 1
    assert await house.mark("a", batch, State.ATTEMPTING) == 1
    assert [line.attempts for line in await house.overview.deliveries(issue.id)] == [1]


async def test_what_is_finished_is_not_written_again(house: House):
    issue = await house.issue_to("amina")
    batch = (await house.take("a")).deliveries
    assert await house.mark("a", batch, State.SENT) == 1
    assert await house.mark("a", batch, State.REFUSED) == 0
    assert await house.mark("a", batch, State.ATTEMPTING) == 0
    assert await house.states(issue) == {"amina": "sent"}


async def test_one_commit_carries_attempts_and_outcomes_of_many(house: House):
    issue = await house.issue_to("amina", "ben", "chloe")
    one, two, three = (await house.take("a")).deliveries
    await house.mark("a", [one], State.ATTEMPTING)
    marks = [
        StateChange(one.id, State.SENT, NOON),
        StateChange(two.id, State.ATTEMPTING, NOON),
        StateChange(three.id, State.ATTEMPTING, NOON),
        StateChange(three.id, State.REFUSED, NOON, "550 no such user", suppress=True),
        StateChange("nobody's", State.SENT, NOON),
    ]
    assert await house.deliver.record_changes("a", marks) == {one.id, two.id, three.id}
    assert sorted((await house.states(issue)).values()) == ["attempting", "refused", "sent"]
    assert await house.deliver.record_changes("a", []) == set()


async def test_a_reply_that_no_database_takes_is_kept_as_far_as_it_can_be(house: House):
    issue = await house.issue_to("amina")
    batch = (await house.take("a")).deliveries
    reply = "550 \x00 \ud800 'quoted' \"twice\" \u2028 \\u0000"
    await house.mark("a", batch, State.REFUSED, reply=reply, suppress=True)
    kept = "550 \ufffd \ufffd 'quoted' \"twice\" \u2028 \\u0000"
    assert [line.reply for line in await house.overview.deliveries(issue.id)] == [kept]
    assert (await house.membership()).suppressed == kept


async def test_a_bad_address_is_suppressed_with_the_refusal(house: House):
    await house.issue_to("amina")
    batch = (await house.take("a")).deliveries
    await house.mark("a", batch, State.REFUSED, reply="550 5.1.1 no such user", suppress=True)
    assert (await house.membership()).suppressed == "550 5.1.1 no such user"


# --- who must not be mailed --------------------------------------------------------------------


async def test_suppressed_people_are_passed_over_when_a_batch_is_taken(house: House):
    issue = await house.issue_to("amina", "ben")
    await house.people.suppress("Amina@Example.org", "complaint", NOON)
    batch = await house.take("a")
    assert [delivery.address for delivery in batch.deliveries] == ["ben@example.org"]
    assert batch.suppressed == 1
    assert (await house.states(issue))["amina"] == "suppressed"


async def test_a_batch_is_only_empty_when_nothing_is_due(house: House):
    await house.issue_to("amina", "ben", "chloe")
    for name in ("amina", "ben", "chloe"):
        await house.people.suppress(f"{name}@example.org", "complaint", NOON)
    batch = await house.take("a", limit=2)
    assert (len(batch.deliveries), batch.suppressed) == (0, 3)


@pytest.mark.parametrize("status", [SubscriptionStatus.UNSUBSCRIBED, SubscriptionStatus.PAUSED])
async def test_whoever_left_before_the_batch_was_taken_is_not_in_it(house: House, status: SubscriptionStatus):
    issue = await house.issue_to("amina")
    await house.people.set_status(a_subscriber().id, "morning", status, NOON)
    assert (await house.take("a")).suppressed == 1
    assert await house.states(issue) == {"amina": "suppressed"}


async def test_whoever_leaves_before_the_attempt_is_not_mailed(house: House):
    issue = await house.issue_to("amina", "ben")
    batch = (await house.take("a")).deliveries
    amina = next(d for d in batch if d.address == "amina@example.org")
    await house.people.set_status(amina.subscriber_id, "morning", SubscriptionStatus.UNSUBSCRIBED, NOON)
    written = await house.deliver.record_changes(
        "a", [StateChange(d.id, State.ATTEMPTING, NOON) for d in batch]
    )
    assert written == {d.id for d in batch} - {amina.id}
    assert await house.states(issue) == {"amina": "suppressed", "ben": "attempting"}


async def test_whoever_is_suppressed_before_the_attempt_is_not_mailed(house: House):
    issue = await house.issue_to("amina")
    batch = (await house.take("a")).deliveries
    await house.people.suppress("amina@example.org", "bounced", NOON)
    assert await house.mark("a", batch, State.ATTEMPTING) == 0
    assert await house.states(issue) == {"amina": "suppressed"}


async def test_leaving_one_newsletter_does_not_keep_back_another(house: House):
    await house.issue_to("amina")
    evening = an_edition("evening")
    await house.subscribe("amina", edition=evening)  # the roster ends `morning` by this
    assert (await house.take("a")).suppressed == 1
    issue = await house.issue_to("amina", edition=evening)
    assert len((await house.take("b")).deliveries) == 1
    assert await house.states(issue) == {"amina": "planned"}


# --- what a crash leaves behind ----------------------------------------------------------------


async def test_an_attempt_whose_lease_ran_out_is_in_doubt(house: House):
    issue = await house.issue_to("amina", "ben")
    one, two = (await house.take("a")).deliveries
    await house.mark("a", [one], State.ATTEMPTING)
    taken = (await house.take("b", LATER)).deliveries
    assert [delivery.id for delivery in taken] == [two.id]
    assert sorted((await house.states(issue)).values()) == ["planned", "uncertain"]


async def test_what_is_in_doubt_is_sent_again_when_policy_says_so(house: House):
    await house.issue_to("amina")
    [delivery] = (await house.take("a")).deliveries
    await house.mark("a", [delivery], State.ATTEMPTING)
    assert await house.deliver.settle_uncertain(NOON, ALL) == 0
    assert await house.deliver.settle_uncertain(LATER, ALL) == 1
    [again] = (await house.take("b", LATER)).deliveries
    assert (again.id, again.attempts) == (delivery.id, 1)


async def test_what_is_in_doubt_rests_when_policy_says_so_and_goes_out_when_it_changes(house: House):
    issue = await house.issue_to("amina")
    await house.mark("a", (await house.take("a")).deliveries, State.ATTEMPTING)
    assert await house.deliver.settle_uncertain(LATER, None) == 1
    assert (await house.take("b", LATER)).deliveries == ()
    assert await house.states(issue) == {"amina": "uncertain"}
    assert (await house.overview.pending_work(LATER)).deliveries == 0
    assert await house.deliver.settle_uncertain(LATER, ALL) == 0
    assert len((await house.take("b", LATER)).deliveries) == 1


async def in_doubt(house: House, *times: datetime) -> Delivery:
    """Let workers die over the only delivery, one at each of these times."""
    for number, now in enumerate(times):
        await house.deliver.settle_uncertain(now, ALL)
        [delivery] = (await house.take(f"worker{number}", now)).deliveries
        assert delivery.uncertain_attempts == number
        await house.mark(f"worker{number}", [delivery], State.ATTEMPTING, now)
    return delivery


async def test_the_third_doubt_rests_until_somebody_decides(house: House):
    issue = await house.issue_to("amina")
    await in_doubt(house, NOON, NOON + HOUR, NOON + 2 * HOUR)
    for hours in (3, 4, 50):
        await house.deliver.settle_uncertain(NOON + hours * HOUR, THRICE)
        assert (await house.take("x", NOON + hours * HOUR)).deliveries == ()
    assert await house.states(issue) == {"amina": "uncertain"}
    assert (await house.overview.pending_work(NOON + DAY)).deliveries == 0
    assert await house.deliver.resend(issue.id, [State.UNCERTAIN], NOON + DAY) == 1
    await house.mark("y", (await house.take("y", NOON + DAY)).deliveries, State.SENT, NOON + DAY)
    assert await house.states(issue) == {"amina": "sent"}


async def test_a_doubt_about_old_news_rests(house: House):
    await house.issue_to("amina")
    await in_doubt(house, NOON)
    await house.deliver.settle_uncertain(NOON + DAY, ResendPolicy(3, planned_after=NOON))
    assert (await house.take("x", NOON + DAY)).deliveries == ()


async def test_a_doubt_is_counted_once_even_if_its_worker_says_so_later(house: House):
    await house.issue_to("amina")
    delivery = await in_doubt(house, NOON)
    await house.deliver.settle_uncertain(LATER, None)
    assert await house.mark("worker0", [delivery], State.UNCERTAIN, LATER) == 1
    await house.deliver.settle_uncertain(LATER, ALL)
    [again] = (await house.take("b", LATER)).deliveries
    assert again.uncertain_attempts == 1


async def test_a_doubt_with_a_moment_waits_for_it(house: House):
    await house.issue_to("amina")
    batch = (await house.take("a")).deliveries
    await house.mark("a", batch, State.ATTEMPTING)
    await house.mark("a", batch, State.UNCERTAIN, next_attempt_at=NOON + HOUR)
    await house.deliver.settle_uncertain(LATER, ALL)
    assert (await house.take("b", LATER)).deliveries == ()
    assert (await house.overview.pending_work(NOON + HOUR)).deliveries == 1
    await house.deliver.settle_uncertain(NOON + HOUR, ALL)
    assert len((await house.take("b", NOON + HOUR)).deliveries) == 1


async def test_late_news_ends_a_doubt_while_nobody_else_has_taken_it_up(house: House):
    issue = await house.issue_to("amina")
    batch = (await house.take("a")).deliveries
    await house.mark("a", batch, State.ATTEMPTING)
    await house.deliver.settle_uncertain(LATER, ALL)
    assert await house.mark("a", batch, State.SENT, LATER) == 1
    assert await house.states(issue) == {"amina": "sent"}


async def test_a_doubt_that_somebody_took_up_is_theirs(house: House):
    issue = await house.issue_to("amina")
    batch = (await house.take("a")).deliveries
    await house.mark("a", batch, State.ATTEMPTING)
    await house.deliver.settle_uncertain(LATER, ALL)
    await house.take("b", LATER)
    assert await house.mark("a", batch, State.SENT, LATER) == 0
    assert await house.states(issue) == {"amina": "deferred"}


async def test_the_books_close_at_every_step(house: House):
    issue = await house.issue_to(*(f"reader{n}" for n in range(8)))
    await house.people.suppress("reader0@example.org", "complaint", NOON)
    batch = (await house.take("a", limit=5)).deliveries
    steps = [
        (batch[:4], State.ATTEMPTING),
        (batch[:1], State.SENT),
        (batch[1:2], State.REFUSED),
        (batch[2:3], State.DEFERRED),
        (batch[3:4], State.UNCERTAIN),
    ]
    for some, state in steps:
        await house.mark("a", some, state)
        [line] = await house.overview.issues()
        assert line.books.closed
    assert line.id == issue.id
    assert (line.books.due, line.books.sent, line.books.refused, line.books.uncertain) == (8, 1, 1, 1)


# --- again, on purpose -------------------------------------------------------------------------


async def test_an_operator_may_send_again_to_one_person(house: House):
    issue = await house.issue_to("amina", "ben")
    batch = (await house.take("a")).deliveries
    await house.mark("a", batch, State.SENT)
    again = await house.deliver.resend(issue.id, [State.SENT], LATER, subscribers=[a_subscriber().id])
    assert again == 1
    [delivery] = (await house.take("b", LATER)).deliveries
    assert delivery.address == "amina@example.org"


async def test_what_a_worker_holds_is_not_sent_again(house: House):
    issue = await house.issue_to("amina", "ben")
    batch = (await house.take("a")).deliveries
    await house.mark("a", batch[:1], State.UNCERTAIN)
    again = [State.PLANNED, State.ATTEMPTING, State.UNCERTAIN]
    assert await house.deliver.resend(issue.id, again, NOON) == 1
    assert await house.deliver.resend("nobody's", again, NOON) == 0
