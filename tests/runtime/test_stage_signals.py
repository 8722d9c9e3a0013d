"""A signal runs its stage, in whatever process, and no signal is lost with a connection or a process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import structlog

from service.runtime import postgres_signals
from service.runtime.postgres_signals import PostgresSignals, _unreachable
from service.runtime.stage_signals import Handler, StageSignals

TIMEOUT_SECONDS = 10
"""After which a test that waits for something fails."""

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


class Recorder:
    """Handlers that record which stages ran, and let a test wait for it."""

    def __init__(self, **following: Collection[str]) -> None:
        self.runs: list[str] = []
        self.following = following
        self._changed = asyncio.Event()

    def handler(self, stage: str) -> Handler:
        async def run() -> Collection[str]:
            self.runs.append(stage)
            self._changed.set()
            return self.following.get(stage, ())

        return run

    def handlers(self, *stages: str) -> dict[str, Handler]:
        return {stage: self.handler(stage) for stage in stages}

    async def until(self, count: int) -> list[str]:
        """Return the runs as soon as there are `count`."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while len(self.runs) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.runs


class LongRun:
    """A handler whose runs end when the test says so."""

    def __init__(self) -> None:
        self.begun, self.may_end, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.runs = 0

    async def __call__(self) -> Collection[str]:
        self.runs += 1
        self.begun.set()
        await self.may_end.wait()
        self.ended.set()
        return ()


@pytest.fixture(params=["memory", "postgresql"])
def storage(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return "sqlite:///:memory:"
    return request.getfixturevalue("postgres_url")


@asynccontextmanager
async def running(signals: StageSignals, handlers: Mapping[str, Handler]) -> AsyncIterator[None]:
    """Serve the signals during the block; afterwards stop, and wait until everything has ended."""
    stopping = asyncio.Event()
    worker = asyncio.create_task(signals.run(handlers, stopping))
    try:
        yield
    finally:
        stopping.set()
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await worker


@asynccontextmanager
async def connected(*urls: str) -> AsyncIterator[list[StageSignals]]:
    """Give senders that are connected, and close them after the block."""
    async with AsyncExitStack() as stack:
        found = [StageSignals(url) for url in urls]
        for signals in found:
            assert signals._postgres
            await signals._postgres._fetch("SELECT 1")
            stack.push_async_callback(signals.close)
        yield found


async def test_a_signal_brings_one_run_of_its_stage(storage: str):
    recorder, signals = Recorder(), StageSignals(storage)
    async with running(signals, recorder.handlers("gather", "compose")):
        await signals.send(["gather"])

        assert await recorder.until(1) == ["gather"]


async def test_the_stages_that_a_run_names_come_next(storage: str):
    recorder, signals = Recorder(gather=["condense"], condense=["compose"]), StageSignals(storage)
    async with running(signals, recorder.handlers("gather", "condense", "compose")):
        await signals.send(["gather"])

        assert await recorder.until(3) == ["gather", "condense", "compose"]


async def test_waiting_signals_of_a_stage_count_as_one(storage: str):
    recorder, signals = Recorder(compose=["deliver"]), StageSignals(storage)
    for _ in range(5):
        await signals.send(["gather", "compose"])
    async with running(signals, recorder.handlers("gather", "compose", "deliver")):
        assert sorted(await recorder.until(3)) == ["compose", "deliver", "gather"]


async def test_a_signal_for_a_stage_that_runs_is_not_lost(storage: str):
    run, signals = LongRun(), StageSignals(storage)
    async with running(signals, {"compose": run}):
        await signals.send(["compose"])
        await run.begun.wait()
        await signals.send(["compose"])
        run.may_end.set()

        await _eventually(lambda: run.runs == 2)


async def test_a_signal_is_kept_during_a_long_run(storage: str):
    run, signals = LongRun(), StageSignals(storage)
    async with running(signals, {"compose": run}):
        await signals.send(["compose"])
        await run.begun.wait()
        for _ in range(3):
            await signals.send(["compose"])
            await asyncio.sleep(0.1)
        assert run.runs == 1
        run.may_end.set()

        await _eventually(lambda: run.runs == 2)


async def test_a_run_that_fails_is_logged_and_stops_no_other_stage(storage: str):
    recorder, signals = Recorder(), StageSignals(storage)

    async def broken() -> Collection[str]:
        recorder.runs.append("gather")
        raise ValueError("the feed bit back")

    with structlog.testing.capture_logs() as logs:
        async with running(signals, {"gather": broken, **recorder.handlers("compose")}):
            await signals.send(["gather"])
            await signals.send(["compose"])
            runs = await recorder.until(2)

    assert sorted(runs) == ["compose", "gather"]
    assert [(line["stage"], line["reason"]) for line in logs] == [("gather", "the feed bit back")]


async def test_stopping_lets_the_run_in_progress_finish(storage: str):
    run, signals, stopping = LongRun(), StageSignals(storage), asyncio.Event()
    worker = asyncio.create_task(signals.run({"deliver": run}, stopping))
    await signals.send(["deliver"])
    async with asyncio.timeout(TIMEOUT_SECONDS):
        await run.begun.wait()
        stopping.set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not worker.done()
        run.may_end.set()
        await worker

    assert run.ended.is_set()


async def test_signals_can_be_served_again_after_a_stop(storage: str):
    signals = StageSignals(storage)
    for _ in range(2):
        recorder = Recorder()
        async with running(signals, recorder.handlers("gather")):
            await signals.send(["gather"])
            assert await recorder.until(1) == ["gather"]


async def test_signalling_nothing_opens_no_connection():
    signals = StageSignals(NOWHERE)
    await signals.send([])

    assert signals._postgres
    assert signals._postgres._connection is None


async def test_a_signal_that_cannot_be_sent_is_logged_and_wakes_this_process():
    signals = StageSignals(NOWHERE)
    with structlog.testing.capture_logs() as logs:
        await signals.send(["gather"])

    assert [(line["log_level"], line["event"]) for line in logs] == [("warning", "signal_not_sent")]
    assert logs[0]["stages"] == ["gather"]
    assert signals._pending["gather"].is_set()


async def test_a_worker_outlives_the_loss_of_its_connection(postgres_url: str):
    recorder, signals = Recorder(), StageSignals(postgres_url)
    async with connected(postgres_url) as [elsewhere], running(signals, recorder.handlers("gather")):
        await elsewhere.send(["gather"])
        await _until_connected(signals)
        await elsewhere.send(["gather"])
        await recorder.until(1)
        assert signals._postgres
        before, runs = signals._postgres._connection, len(recorder.runs)
        await _cut(signals, by=elsewhere)
        await _eventually(lambda: signals._postgres._connection not in (None, before))

        await recorder.until(runs + 1)  # for signals that were sent meanwhile
        await elsewhere.send(["gather"])
        assert set(await recorder.until(runs + 2)) == {"gather"}


async def test_a_broken_connection_is_opened_again(postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    recorder, signals, broken = Recorder(), StageSignals(postgres_url), ["the driver has a bad day"]
    monkeypatch.setattr(postgres_signals, "RECONNECT_SECONDS", 0.01)
    connect = PostgresSignals._connect

    async def connects_the_second_time(self: PostgresSignals) -> object:
        if broken:
            raise RuntimeError(broken.pop())
        return await connect(self)

    monkeypatch.setattr(PostgresSignals, "_connect", connects_the_second_time)
    with structlog.testing.capture_logs() as logs:
        async with running(signals, recorder.handlers("gather")):
            await _until_connected(signals)
            await signals.send(["gather"])
            assert await recorder.until(1) == ["gather"]

    assert [line["reason"] for line in logs] == ["the driver has a bad day"]


async def test_a_connection_in_a_statement_is_terminated_without_a_warning(postgres_url: str):
    async with connected(postgres_url) as [signals]:
        assert signals._postgres
        asking = asyncio.create_task(signals._postgres._connection.execute("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.05)

        async with asyncio.timeout(TIMEOUT_SECONDS):
            await signals.close()
            with pytest.raises(_unreachable()):
                await asking


async def test_a_stage_runs_in_one_process_at_a_time_and_delivering_in_all(postgres_url: str):
    one, other = LongRun(), LongRun()
    first, second = StageSignals(postgres_url), StageSignals(postgres_url)
    deliveries = Recorder()
    async with (
        running(first, {"compose": one, **deliveries.handlers("deliver")}),
        running(second, {"compose": other, **deliveries.handlers("deliver")}),
        connected(postgres_url) as [sender],
    ):
        await _until_connected(first, second)
        await sender.send(["compose", "deliver"])
        await deliveries.until(2)
        await _eventually(lambda: one.runs + other.runs == 1)
        await asyncio.sleep(0.1)
        assert one.runs + other.runs == 1
        for run in (one, other):
            run.may_end.set()


async def test_the_stage_of_a_process_that_died_is_free(postgres_url: str):
    recorder, signals = Recorder(), StageSignals(postgres_url)
    async with connected(postgres_url, postgres_url) as [dying, sender]:
        assert dying._postgres
        async with (
            dying._postgres.exclusive("gather") as acquired,
            running(signals, recorder.handlers("gather")),
        ):
            assert acquired
            await _until_connected(signals)
            await sender.send(["gather"])
            await asyncio.sleep(0.1)
            assert recorder.runs == []

            await _cut(dying, by=sender)
            await _eventually(dying._postgres._lost.is_set)
            await sender.send(["gather"])
            assert await recorder.until(1) == ["gather"]


async def test_a_signal_that_came_too_late_for_this_process_goes_to_the_others(postgres_url: str):
    run, recorder, stopping = LongRun(), Recorder(), asyncio.Event()
    leaving, staying = StageSignals(postgres_url), StageSignals(postgres_url)
    async with running(staying, recorder.handlers("gather")), connected(postgres_url) as [sender]:
        await _until_connected(staying)
        leaving.wake(["gather"])
        worker = asyncio.create_task(leaving.run({"gather": run}, stopping))
        await run.begun.wait()
        await sender.send(["gather"])
        await _eventually(leaving._pending["gather"].is_set)
        assert recorder.runs == []
        stopping.set()
        run.may_end.set()
        await worker

        # A signal may come twice; the second run finds nothing to do.
        assert set(await recorder.until(1)) == {"gather"}


async def test_workers_share_the_signals_and_each_runs_its_own_stages(postgres_url: str):
    reader, sender = Recorder(), Recorder()
    one = StageSignals(postgres_url)
    other = StageSignals(postgres_url.replace("postgresql:", "postgresql+asyncpg:"))
    async with (
        running(one, reader.handlers("gather", "condense")),
        running(other, sender.handlers("deliver")),
    ):
        await _until_connected(one, other)
        await one.send(["gather", "condense", "deliver"])

        assert sorted(await reader.until(2)) == ["condense", "gather"]
        assert await sender.until(1) == ["deliver"]


async def _until_connected(*all_signals: StageSignals) -> None:
    for signals in all_signals:
        assert signals._postgres
        postgres = signals._postgres
        await _eventually(lambda postgres=postgres: postgres._connection is not None)


async def _eventually(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not holds():  # noqa: ASYNC110 - nothing tells when it does
            await asyncio.sleep(0.01)


async def _cut(signals: StageSignals, *, by: StageSignals) -> None:
    """End a process's connection from the server's side."""
    assert signals._postgres
    assert by._postgres
    pid = signals._postgres._connection.get_server_pid()
    await by._postgres._fetch("SELECT pg_terminate_backend($1)", pid)
