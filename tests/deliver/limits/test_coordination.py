"""Several workers with one database: they share the rate limit, and they pause together."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from service.core.errors import StoreError
from service.core.model import DeliveryState
from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.leases import DeliverPolicy
from service.deliver.limits.circuit_breaker import FIRST_PAUSE, CircuitBreaker
from service.deliver.limits.coordination import WorkerCoordination
from service.deliver.limits.domain_queues import DomainQueues
from service.deliver.limits.rate_limit import RateLimiter, RateLimits
from service.deliver.ports import LearnedRate, SendingPause
from service.deliver.stage import Deliverer, deliver
from service.store.coordination import SqlCoordination
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from tests.builders import NOON
from tests.deliver.fakes import Clock, MemoryLedger, a_message_builder, a_relay, some_deliveries
from tests.deliver.planning import plan_issue
from tests.deliver.server import ANY, DOT, MailServer, Reply, Script, Taken, Wait
from tests.deliver.test_turns import most_within

SPAM = Reply("550 5.7.1 this message looks like spam")
LONG_LEASE = DeliverPolicy(batch_size=5, lease=timedelta(days=1))


class SharedClock(Clock):
    """A clock that advances only when all workers wait, to the earliest moment that one waits for."""

    def __init__(self, workers: int) -> None:
        super().__init__()
        self.workers = workers
        self._waiting: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._turn = 0

    async def pause(self, seconds: float) -> None:
        self._turn += 1
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self.now + timedelta(seconds=seconds), self._turn, woken))
        self._advance()
        await woken

    def leave(self) -> None:
        self.workers -= 1
        self._advance()

    def _advance(self) -> None:
        if self._waiting and len(self._waiting) == self.workers:
            self.now, _, woken = heapq.heappop(self._waiting)
            woken.set_result(None)


class Log(list[Taken]):
    """The messages that a server accepted, and their times by the workers' clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock, self.moments = clock, list[float]()

    def append(self, taken: Taken) -> None:
        self.moments.append(self.clock().timestamp())
        super().append(taken)


class SlowClock(Clock):
    """A clock that advances 20 ms at each call."""

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=20)
        return self.now


class WorkerGroup:
    """Workers as in separate processes: each has its own database connections."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url, self.clock = url, clock
        self._opened: list[Database] = []
        self._channels: list[SmtpChannel] = []

    async def worker(self, server: MailServer, limits: RateLimits | None = None) -> Deliverer:
        database = await Database.open(self.url)
        channel = SmtpChannel(a_relay(server), a_message_builder())
        self._opened.append(database)
        self._channels.append(channel)
        return Deliverer(
            SqlDeliverStore(database),
            channel,
            LONG_LEASE,
            RateLimiter(limits or RateLimits(), shared=True),
            CircuitBreaker(shared=True),
            coordination_store=SqlCoordination(database, self.clock),
            relay="mail.example:25",
        )

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()
        for database in self._opened:
            await database.close()


@asynccontextmanager
async def worker_group(url: str, clock: Clock) -> AsyncIterator[WorkerGroup]:
    group = WorkerGroup(url, clock)
    yield group
    await group.close()


# --- the shared rate limit ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        (RateLimits(per_second=4), (4, 1)),
        (RateLimits(per_minute=40), (40, 60)),
        (RateLimits(per_domain_minute=20), (20, 60)),
        (RateLimits(per_second=1, domains={"example.org": 50}), (50, 60)),
    ],
)
async def test_two_workers_together_stay_under_the_limit(database, database_url, limits, most, monkeypatch):
    monkeypatch.setattr(
        "service.deliver.outbox.MAX_QUEUED_DELIVERIES", 10
    )  # so that both workers get deliveries
    await plan_issue(database, 50)
    clock = SharedClock(workers=2)
    async with MailServer() as server, worker_group(database_url, clock) as group:
        server.taken = log = Log(clock)

        async def work(deliverer: Deliverer) -> int:
            report = await deliver(replace(deliverer, sleep=clock.pause), now=clock)
            clock.leave()
            return report.sent

        deliverers = [await group.worker(server, limits) for _ in range(2)]
        sent = await asyncio.gather(*map(work, deliverers))
    assert sum(sent) == len(set(server.ids)) == 50
    assert min(sent) > 5
    messages, period = most
    assert most_within(period, log.moments) <= messages
    # Nearly all of the limit is used.
    assert log.moments[-1] - log.moments[0] < 50 * period / messages * 1.3


# --- the shared pause --------------------------------------------------------------------------


def alerts(caplog: pytest.LogCaptureFixture) -> list[str]:
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert {record.getMessage() for record in errors} <= {"sending_paused"}
    return [record.reason for record in errors]


async def test_after_a_refusal_for_policy_all_workers_pause_with_one_alert(database, database_url, caplog):
    await plan_issue(database, 60, domains=60)
    clock = SlowClock()
    async with MailServer({DOT: {ANY: SPAM}}) as server, worker_group(database_url, clock) as group:
        deliverers = [await group.worker(server) for _ in range(3)]
        reports = await asyncio.gather(*(deliver(one, now=clock) for one in deliverers))
        # Three each, and the messages in progress behind the third.
        assert server.turns[DOT] <= 4 * len(deliverers)
        assert all("550 5.7.1 this message looks like spam" in report.alert for report in reports)
        assert len(alerts(caplog)) == 1

        # A new worker sees the pause before it sends, and so does one that starts again.
        before = server.turns[DOT]
        new_worker = await group.worker(server)
        assert (await deliver(new_worker, now=clock)).alert == reports[0].alert
        await asyncio.gather(*(deliver(one, now=clock) for one in deliverers))
        assert server.turns[DOT] == before
        assert len(alerts(caplog)) == 1

        # After the pause, one worker sends the trial message.
        clock.now += FIRST_PAUSE
        await asyncio.gather(*(deliver(one, now=clock) for one in (*deliverers, new_worker)))
        assert server.turns[DOT] == before + 1
        assert len(alerts(caplog)) == 2

        # The operator repairs the cause and ends the pause for all workers.
        server.script[DOT] = {}
        assert await SqlCoordination(database).end_pause("mail.example:25")
        clock.now += FIRST_PAUSE
        reports = await asyncio.gather(*(deliver(one, now=clock) for one in deliverers))
    assert sum(report.sent for report in reports) == len(set(server.ids)) == 60
    assert [report.problems for report in reports] == [()] * 3


async def test_a_worker_that_is_sending_sees_a_pause_within_a_second(database, database_url):
    await plan_issue(database, 40, domains=40)
    clock = Clock()
    gate = asyncio.Event()
    waiting = Wait(gate)
    accepting: Script = {DOT: {2: waiting}}
    async with (
        MailServer({DOT: {ANY: SPAM}}) as strict,
        MailServer(accepting) as kind,
        worker_group(database_url, clock) as group,
    ):
        busy = asyncio.create_task(deliver(await group.worker(kind), now=clock))
        await waiting.reached.wait()
        await deliver(await group.worker(strict), now=clock)
        clock.now += timedelta(seconds=1)
        gate.set()
        report = await busy
    # One more at most: the message in progress behind the second.
    assert report.sent == len(kind.taken) <= 3
    assert "looks like spam" in report.alert


async def test_an_accepted_trial_message_resumes_all_workers(database, database_url):
    await plan_issue(database, 30, domains=30)
    clock = Clock()
    async with (
        MailServer({DOT: dict.fromkeys((1, 2, 3, 4), SPAM)}) as server,
        worker_group(database_url, clock) as group,
    ):
        deliverers = [await group.worker(server) for _ in range(2)]
        await deliver(deliverers[0], now=clock)
        assert (await deliver(deliverers[1], now=clock)).sent == 0
        clock.now += FIRST_PAUSE
        reports = [await deliver(one, now=clock) for one in deliverers]
    assert sum(report.sent for report in reports) == len(server.taken) == 30
    assert await SqlCoordination(database).sending_pause("mail.example:25") is None


# --- a database that is out of reach -----------------------------------------------------------


class UnreachableStore:
    """A store that fails until the `answers_at`-th call."""

    def __init__(self, answers_at: int) -> None:
        self.calls, self.answers_at = 0, answers_at

    def _call(self) -> None:
        self.calls += 1
        if self.calls < self.answers_at:
            raise StoreError("the database is gone")

    async def take_turns(self, lengths: Mapping[str, float], within: float) -> Mapping[str, float]:  # noqa: ARG002 - the Protocol's
        self._call()
        return dict.fromkeys(lengths, 0.0)

    async def learned_rates(self, relay: str) -> tuple[Mapping[str, LearnedRate], datetime]:  # noqa: ARG002 - the Protocol's
        self._call()
        return {}, NOON

    async def save_rate(
        self,
        relay: str,  # noqa: ARG002 - the Protocol's
        domain: str,  # noqa: ARG002 - the Protocol's
        rate: LearnedRate | None,  # noqa: ARG002 - the Protocol's
        version: int,  # noqa: ARG002 - the Protocol's
    ) -> bool:
        self._call()
        return True

    async def sending_pause(self, relay: str) -> SendingPause | None:  # noqa: ARG002 - the Protocol's
        self._call()
        return None

    async def begin_pause(self, relay: str, pause: SendingPause) -> bool:  # noqa: ARG002 - the Protocol's
        self._call()
        return True

    async def end_pause(self, relay: str, since: datetime | None = None) -> bool:  # noqa: ARG002 - the Protocol's
        self._call()
        return True

    async def claim_trial(self, relay: str, now: datetime, until: datetime) -> bool:  # noqa: ARG002 - the Protocol's
        self._call()
        return True


def a_coordination(
    store: UnreachableStore, rate_limiter: RateLimiter, breaker: CircuitBreaker, pauses: list[float]
) -> WorkerCoordination:
    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    return WorkerCoordination(store, "relay", rate_limiter, breaker, Clock(), retry_seconds=60, sleep=pause)


async def test_nothing_is_sent_while_the_database_is_out_of_reach():
    rate_limiter, breaker, pauses = (
        RateLimiter(RateLimits(per_second=5), shared=True),
        CircuitBreaker(shared=True),
        list[float](),
    )
    coordination = a_coordination(UnreachableStore(answers_at=4), rate_limiter, breaker, pauses)
    assert not breaker.allow(NOON)
    await coordination.sync()
    assert len(pauses) == 3
    assert breaker.allow(NOON)
    assert await coordination.seconds_until_free(DomainQueues(rate_limiter), 9, ready=True) == 0.0

    gone = a_coordination(
        UnreachableStore(answers_at=999), RateLimiter(RateLimits(per_second=5), shared=True), breaker, pauses
    )
    with pytest.raises(StoreError, match="gone"):
        await gone.seconds_until_free(DomainQueues(rate_limiter), 9, ready=True)
    assert 60 <= sum(pauses) < 80


async def test_a_database_that_stays_unreachable_lets_no_message_out():
    store, hasty = MemoryLedger.holding(*some_deliveries(5)), DeliverPolicy(lease=timedelta(milliseconds=100))
    async with MailServer() as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        deliverer = Deliverer(
            store,
            channel,
            hasty,
            breaker=CircuitBreaker(shared=True),
            coordination_store=UnreachableStore(answers_at=999),
        )
        with pytest.raises(StoreError):
            await deliver(deliverer, now=Clock())
        await channel.close()
    assert server.taken == []
    assert store.states() == {DeliveryState.PLANNED}
