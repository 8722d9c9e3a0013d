"""The rate limit of sending, and pauses of all sending."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from service.core.model import DeliveryState
from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.leases import DeliverPolicy
from service.deliver.limits.circuit_breaker import FIRST_PAUSE, REFUSAL_WINDOW, CircuitBreaker
from service.deliver.limits.rate_limit import RateLimiter, RateLimits
from service.deliver.limits.refusal_evidence import MIN_RECIPIENTS_OF_ONE_DOMAIN
from service.deliver.stage import Deliverer, deliver
from tests.builders import NOON
from tests.deliver.fakes import (
    Clock,
    MemoryLedger,
    a_delivery,
    a_message_builder,
    a_relay,
    an_issue,
    some_deliveries,
)
from tests.deliver.server import ANY, DOT, MailServer, Reply

NOT_ON_MY_LIST = Reply("554 5.7.1 you are not on my list")
NEXT = an_issue(id="2" * 32)


class WaitingClock(Clock):
    """A clock that advances only by waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = 0.0

    async def pause(self, seconds: float) -> None:
        self.waited += seconds
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


async def sent_at(limits: RateLimits, *deliveries) -> tuple[WaitingClock, MailServer]:
    clock, store = WaitingClock(), MemoryLedger.holding(*deliveries)
    async with MailServer() as server:
        channel, patient = (
            SmtpChannel(a_relay(server), a_message_builder()),
            DeliverPolicy(lease=timedelta(days=1)),
        )
        deliverer = Deliverer(store, channel, patient, rate_limiter=RateLimiter(limits), sleep=clock.pause)
        report = await deliver(deliverer, now=clock)
        await channel.close()
    assert report.sent == len(deliveries)
    return clock, server


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        (RateLimits(), 0),
        (RateLimits(per_second=2), 9 / 2),
        (RateLimits(per_minute=30), 9 * 2),
        (RateLimits(per_second=10, per_minute=30), 9 * 2),
        (RateLimits(per_domain_minute=6), 9 * 10),
        (RateLimits(domains={"example.org": 60}), 9),
        (RateLimits(domains={"elsewhere.example": 1}), 0),
    ],
)
async def test_messages_are_spread_over_time(limits, seconds):
    clock, _ = await sent_at(limits, *some_deliveries(10))
    assert clock.waited == pytest.approx(seconds, abs=0.1)


async def test_a_slow_domain_does_not_hold_up_the_others():
    slow = [a_delivery(f"reader{n}@slow.example") for n in range(3)]
    quick = [a_delivery(f"reader{n}@quick.example") for n in range(3)]
    clock, server = await sent_at(RateLimits(domains={"slow.example": 1}), *slow, *quick)
    domains = [taken.recipient.partition("@")[2] for taken in server.taken]
    assert domains == ["slow.example", *["quick.example"] * 3, *["slow.example"] * 2]
    assert clock.waited == pytest.approx(120, abs=1)


async def test_a_refusal_for_policy_pauses_all_sending_and_suppresses_no_address():
    store, clock = MemoryLedger.holding(*some_deliveries(40, domains=4)), Clock()
    script = {DOT: {ANY: Reply("550 5.7.1 this message looks like spam")}}
    async with MailServer(script) as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        deliverer = Deliverer(store, channel)
        report = await deliver(deliverer, now=clock)
        assert server.turns[DOT] <= 4
        assert len(report.problems) == 1
        assert "sending is paused until 2026-03-02 12:15 UTC" in report.problems[0]
        assert "550 5.7.1 this message looks like spam" in report.problems[0]
        assert store.suppressed == set()
        assert store.states() == {DeliveryState.DEFERRED, DeliveryState.PLANNED}

        clock.now += FIRST_PAUSE / 2
        before = server.turns[DOT]
        again = await deliver(deliverer, now=clock)
        assert again.problems == report.problems
        assert server.turns[DOT] == before

        # Three recipients who refused before are due again; only a refusal by a fourth is evidence.
        clock.now += FIRST_PAUSE
        await deliver(deliverer, now=clock)
        assert server.turns[DOT] <= before + 5

        server.script[DOT] = {}
        clock.now += FIRST_PAUSE * 2
        last = await deliver(deliverer, now=clock)
        await channel.close()
    assert last.problems == ()
    assert len(server.taken) == 40
    assert store.states() == {DeliveryState.SENT}


async def test_a_refusal_for_policy_among_acceptances_pauses_nothing():
    store = MemoryLedger.holding(*some_deliveries(20))
    script = {"RCPT": {n: Reply("550 5.7.1 you are not on my list") for n in (3, 4, 9, 12, 13)}}
    async with MailServer(script) as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        report = await deliver(Deliverer(store, channel), now=Clock())
        await channel.close()
    assert (report.sent, report.deferred, report.problems) == (15, 5, ())
    assert store.suppressed == set()


async def test_repeated_refusals_by_one_recipient_do_not_stop_the_others():
    store, clock = (
        MemoryLedger.holding(a_delivery("strict@example.org"), *some_deliveries(30, domains=3)),
        Clock(),
    )
    async with MailServer({"RCPT": {1: NOT_ON_MY_LIST}}) as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        deliverer = Deliverer(store, channel)
        assert (await deliver(deliverer, now=clock)).sent == 30
        # No other delivery is due: the refusals of this recipient follow each other.
        server.script["RCPT"] = {ANY: NOT_ON_MY_LIST}
        for _ in range(6):
            clock.now += timedelta(hours=5)
            report = await deliver(deliverer, now=clock)
            assert (report.deferred, report.alert) == (1, "")
        server.script["RCPT"] = {}
        store.rows |= MemoryLedger.holding(
            *some_deliveries(9, domains=2, channel="smtp", issue_id=NEXT.id)
        ).rows
        store.issues[NEXT.id] = NEXT
        assert (await deliver(deliverer, now=clock)).sent == 9
        await channel.close()


async def test_one_domain_that_refuses_does_not_stop_the_others():
    strict = [a_delivery(f"reader{n}@strict.example") for n in range(9)]
    store = MemoryLedger.holding(*strict, *some_deliveries(20))
    async with MailServer({"RCPT": dict.fromkeys(range(1, 10), NOT_ON_MY_LIST)}) as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        report = await deliver(Deliverer(store, channel), now=Clock())
        await channel.close()
    assert (report.sent, report.deferred, report.problems) == (20, 9, ())


async def test_refusals_by_the_only_domain_stop_sending():
    store = MemoryLedger.holding(*some_deliveries(200))
    async with MailServer({DOT: {ANY: Reply("550 5.7.1 this message looks like spam")}}) as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        report = await deliver(Deliverer(store, channel), now=Clock())
        await channel.close()
    assert "sending is paused" in report.alert
    assert server.turns[DOT] <= MIN_RECIPIENTS_OF_ONE_DOMAIN + 1


def test_refusals_far_apart_in_time_are_not_counted_together():
    breaker, now = CircuitBreaker(), NOON
    for n in range(20):
        breaker.record_refused("no", now, recipient=f"reader{n}@example{n}.org")
        now += REFUSAL_WINDOW / 2
    assert breaker.alert(now) is None


def a_refusal(breaker: CircuitBreaker, now: datetime, reader: int) -> None:
    assert breaker.allow(now)
    breaker.record_refused("no", now, recipient=f"reader{reader}@example{reader}.org")


def test_pauses_grow_and_end_with_one_trial_message():
    breaker, now = CircuitBreaker(), NOON
    for reader in range(3):
        a_refusal(breaker, now, reader)
    assert not breaker.allow(now)
    now += FIRST_PAUSE
    # A recipient who refused before is no new evidence; the next message is the trial.
    a_refusal(breaker, now, 2)
    assert breaker.allow(now)
    assert not breaker.allow(now)
    breaker.record_refused("still no", now, recipient="another@example.net")
    assert not breaker.allow(now + FIRST_PAUSE)
    now += FIRST_PAUSE * 2
    assert breaker.allow(now)
    breaker.record_inconclusive()
    assert breaker.allow(now)
    breaker.record_accepted()
    assert breaker.allow(now)
    assert breaker.allow(now)
    assert breaker.alert(now) is None


def test_one_conclusive_refusal_is_enough_and_renews_the_pause():
    breaker = CircuitBreaker()
    breaker.record_refused("a wrong password", NOON, conclusive=True)
    assert "a wrong password" in (breaker.alert(NOON) or "")
    breaker.record_refused("a wrong password", NOON + FIRST_PAUSE, conclusive=True)
    assert breaker.is_open(NOON + FIRST_PAUSE * 2)
