"""A mail server that limits our rate gets every mail once, at the permitted rate; in virtual time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from service.core.model import DeliveryState
from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.leases import DeliverPolicy
from service.deliver.limits.rate_limit import RateLimiter
from service.deliver.stage import Deliverer, DeliverReport, deliver
from service.store.coordination import SqlCoordination
from tests.builders import NOON
from tests.deliver.fakes import Clock, MemoryLedger, a_delivery, a_message_builder, a_relay, some_deliveries
from tests.deliver.limits.test_adaptive_rate import FixedWindow, Server, SlidingWindow
from tests.deliver.limits.test_coordination import Log, SharedClock, worker_group
from tests.deliver.limits.test_rate_limit import WaitingClock
from tests.deliver.planning import plan_issue
from tests.deliver.server import ANY, DOT, MailServer, Reply

TOO_MUCH = Reply("450 4.7.1 Error: too much mail from 127.0.0.1")
LONG_LEASE = DeliverPolicy(lease=timedelta(days=1))


class Limited(Mapping[int, Reply]):
    """Replies to a command: the usual one while the limit permits it, else `refusal`."""

    def __init__(self, limit: Server, clock: Clock, refusal: Reply = TOO_MUCH) -> None:
        self.limit, self.clock, self.refusal = limit, clock, refusal
        self.refused = 0

    def get(self, turn: int, default: object = None) -> Reply | None:  # type: ignore[override]  # noqa: ARG002 - a dict's
        if turn == ANY or self.limit.takes(self.clock().timestamp()):
            return None
        self.refused += 1
        return self.refusal

    def __getitem__(self, turn: int) -> Reply:
        raise KeyError(turn)

    def __iter__(self):
        return iter(())

    def __len__(self) -> int:
        return 0


def a_deliverer(store: MemoryLedger, server: MailServer, clock: WaitingClock, **relay: int) -> Deliverer:
    channel = SmtpChannel(a_relay(server, **relay), a_message_builder())
    return Deliverer(store, channel, LONG_LEASE, RateLimiter(), sleep=clock.pause, relay="mail.example:25")


def rate_warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the sentences of the events `rate_limited`."""
    return [record.reason for record in caplog.records if record.getMessage() == "rate_limited"]


async def sent(
    store: MemoryLedger, command: str, limit: Server, refusal: Reply = TOO_MUCH
) -> tuple[DeliverReport, MailServer, WaitingClock, Limited]:
    clock = WaitingClock()
    async with MailServer() as server:
        answers = Limited(limit, clock, refusal)
        server.script[command] = answers  # type: ignore[assignment]
        deliverer = a_deliverer(store, server, clock)
        report = await deliver(deliverer, now=clock)
        await deliverer.channel.close()
    return report, server, clock, answers


@pytest.mark.parametrize("limit", [FixedWindow, SlidingWindow])
async def test_messages_refused_by_a_rate_limit_are_sent_when_it_permits(limit: type[Server]):
    store = MemoryLedger.holding(*some_deliveries(187))
    report, server, clock, answers = await sent(store, "MAIL", limit(20, 60))
    assert (report.sent, report.refused, report.problems) == (187, 0, ())
    assert len(set(server.ids)) == len(server.ids) == 187
    # 187 messages at twenty a minute need nine full minutes, the first of them before the limit is known.
    assert clock.waited < 9 * 60 / 0.85
    assert answers.refused < 40


@pytest.mark.parametrize("reply", ["454 Throttling failure: Maximum sending rate exceeded", TOO_MUCH.text])
async def test_a_limit_that_refuses_after_the_content_loses_no_message(reply):
    store, clock = MemoryLedger.holding(*some_deliveries(60)), WaitingClock()
    async with MailServer() as server:
        server.script[DOT] = Limited(FixedWindow(20, 60), clock, Reply(reply))  # type: ignore[assignment]
        deliverer = a_deliverer(store, server, clock)
        for _ in range(9):
            await deliver(deliverer, now=clock)
            clock.now += timedelta(seconds=30)
        await deliverer.channel.close()
    assert store.states() == {DeliveryState.SENT}
    assert len(set(server.ids)) == len(server.taken) == 60


async def test_a_refusal_for_our_rate_is_no_attempt_and_does_not_shorten_the_retries():
    old = a_delivery(planned_at=NOON - timedelta(days=5))
    store, clock = MemoryLedger.holding(old), WaitingClock()
    async with MailServer({"MAIL": {1: TOO_MUCH, 2: TOO_MUCH}}) as server:
        deliverer = a_deliverer(store, server, clock)
        assert (await deliver(deliverer, now=clock)).sent == 1
        await deliverer.channel.close()
    assert store.rows[old.id].attempts == 1


async def test_a_rate_limit_of_one_domain_does_not_slow_down_the_others(caplog):
    caplog.set_level(logging.WARNING, "deliver")
    slow = [a_delivery(f"reader{n}@slow.example") for n in range(40)]
    quick = [a_delivery(f"reader{n}@quick.example") for n in range(40)]
    store, clock = MemoryLedger.holding(*slow, *quick), WaitingClock()
    limit = FixedWindow(20, 60)
    unusual = Reply("450 4.7.28 Our system has detected an unusual rate of mail")
    async with MailServer() as server:

        class Slow(Limited):
            """Limits only mail to slow.example."""

            def get(self, turn: int, default: object = None) -> Reply | None:
                last = next(line for line in reversed(server.commands) if line.startswith("RCPT"))
                return super().get(turn, default) if "slow.example" in last else None

        server.script["RCPT"] = Slow(limit, clock, unusual)  # type: ignore[assignment]
        server.taken = log = Log(clock)
        deliverer = a_deliverer(store, server, clock)
        report = await deliver(deliverer, now=clock)
        await deliverer.channel.close()
    assert (report.sent, report.problems) == (80, ())
    began = NOON.timestamp()
    quick_at = [at for at, taken in zip(log.moments, log, strict=True) if "quick" in taken.recipient]
    assert max(quick_at) == began
    assert 60 <= log.moments[-1] - began < 200
    assert any("mail.smtp.domains for slow.example" in reason for reason in rate_warnings(caplog))


async def test_rate_limits_of_three_domains_at_once_are_the_relays():
    store = MemoryLedger.holding(*some_deliveries(60, domains=20))
    reply = Reply("450 4.7.1 too many messages per minute")
    report, _, _, answers = await sent(store, "RCPT", FixedWindow(20, 60), reply)
    assert (report.sent, report.problems) == (60, ())
    assert answers.refused < 30


async def test_greylisting_of_all_recipients_does_not_slow_down_sending():
    store, clock = MemoryLedger.holding(*some_deliveries(30)), WaitingClock()
    async with MailServer({"RCPT": {ANY: Reply("450 4.7.1 Greylisted, please try again later")}}) as server:
        report = await deliver(a_deliverer(store, server, clock), now=clock)
    assert report.deferred == 30
    assert clock.waited == 0


async def test_a_server_without_storage_is_probed_less_and_less_often_and_gets_all_mail_later():
    store, clock = MemoryLedger.holding(*some_deliveries(50)), WaitingClock()
    full = {ANY: Reply("452 4.3.1 Insufficient system storage")}
    async with MailServer({"MAIL": full}) as server:
        deliverer = a_deliverer(store, server, clock)
        for _ in range(60):
            report = await deliver(deliverer, now=clock)
            clock.now += timedelta(minutes=1)
        assert server.turns["MAIL"] < 40
        assert "cannot take mail at the moment" in report.problems[0]
        server.script["MAIL"] = {}
        clock.now += timedelta(minutes=15)
        waited = clock.waited
        assert (await deliver(deliverer, now=clock)).sent == 50
        await deliverer.channel.close()
    # It is not slower than before.
    assert clock.waited - waited < 10


async def test_a_relay_that_accepts_one_connection_gets_all_mail_over_it():
    store, clock = MemoryLedger.holding(*some_deliveries(30)), WaitingClock()
    busy = Reply("421 4.7.0 mail.example Error: too many connections from 127.0.0.1")
    async with MailServer({"greeting": dict.fromkeys(range(2, 20), busy)}) as server:
        deliverer = a_deliverer(store, server, clock, connections=5)
        report = await deliver(deliverer, now=clock)
        await deliverer.channel.close()
    assert report == DeliverReport(sent=30)


async def test_several_workers_share_the_rate_that_one_of_them_learned(
    database, database_url, monkeypatch, caplog
):
    caplog.set_level(logging.WARNING, "deliver")
    monkeypatch.setattr("service.deliver.outbox.MAX_QUEUED_DELIVERIES", 10)
    await plan_issue(database, 50)
    clock = SharedClock(workers=2)
    async with MailServer() as server, worker_group(database_url, clock) as group:
        server.script["MAIL"] = answers = Limited(FixedWindow(20, 60), clock)  # type: ignore[assignment]
        server.taken = log = Log(clock)

        async def work(deliverer: Deliverer) -> DeliverReport:
            report = await deliver(replace(deliverer, sleep=clock.pause), now=clock)
            clock.leave()
            return report

        deliverers = [await group.worker(server) for _ in range(2)]
        reports = await asyncio.gather(*map(work, deliverers))
        learned, _ = await SqlCoordination(database, clock).learned_rates("mail.example:25")
    assert sum(report.sent for report in reports) == len(set(server.ids)) == len(server.ids) == 50
    assert answers.refused < 40
    # The third twenty begin after two minutes, and the last mails take half a minute more.
    assert log.moments[-1] - log.moments[0] < 150 / 0.8
    assert 12 <= (learned[""].per_minute or 0) <= 25
    assert any("mail.smtp.per_minute" in reason for reason in rate_warnings(caplog))
    assert len(caplog.records) <= 2
