"""Dispatch: hints reach their handlers, once each, whatever becomes of the queue in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import pytest
import structlog

from service.runtime import job_queue as dispatch_module
from service.runtime.job_queue import Handler, JobQueue, _out_of_reach, deliver_jobs

PATIENCE = 10
"""Seconds after which a test that waits for something has failed."""


class Recorder:
    """Handlers that write down which stage had a pass, and let a test wait for it."""

    def __init__(self, **following: Mapping[str, int]) -> None:
        self.passes: list[str] = []
        self.following = following
        self._moved = asyncio.Event()

    def handler(self, stage: str) -> Handler:
        async def one_pass() -> Mapping[str, int]:
            self.passes.append(stage)
            self._moved.set()
            return self.following.get(stage, {})

        return one_pass

    def handlers(self, *stages: str) -> dict[str, Handler]:
        return {stage: self.handler(stage) for stage in stages}

    async def until(self, count: int) -> list[str]:
        """Return the passes as soon as there are `count`."""
        async with asyncio.timeout(PATIENCE):
            while len(self.passes) < count:
                self._moved.clear()
                await self._moved.wait()
        return self.passes


@pytest.fixture(params=["memory", "postgresql"])
def storage(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return "sqlite:///:memory:"
    return request.getfixturevalue("postgres_url")


@asynccontextmanager
async def at_work(dispatch: JobQueue, handlers: Mapping[str, Handler]) -> AsyncIterator[None]:
    """Run a worker on the queue; afterwards stop it and wait until it has left."""
    stopping = asyncio.Event()
    worker = asyncio.create_task(dispatch.work(handlers, stopping))
    try:
        yield
    finally:
        stopping.set()
        async with asyncio.timeout(PATIENCE):
            await worker


async def test_a_hint_brings_one_pass_of_its_stage(storage: str):
    recorder, dispatch = Recorder(), JobQueue(storage)
    async with at_work(dispatch, recorder.handlers("gather", "compose")):
        await dispatch.hint({"gather": 1})

        assert await recorder.until(1) == ["gather"]


async def test_what_a_pass_hints_at_comes_next(storage: str):
    recorder, dispatch = Recorder(gather={"condense": 1}, condense={"compose": 1}), JobQueue(storage)
    async with at_work(dispatch, recorder.handlers("gather", "condense", "compose")):
        await dispatch.hint({"gather": 1})

        assert await recorder.until(3) == ["gather", "condense", "compose"]


async def test_hints_that_wait_are_no_more_than_one_of_a_kind(storage: str):
    recorder, dispatch = Recorder(compose={"deliver": 1}), JobQueue(storage)
    for _ in range(5):
        await dispatch.hint({"gather": 1, "compose": 1})
    handlers = recorder.handlers("gather", "compose", "deliver")
    async with at_work(dispatch, handlers):
        assert sorted(await recorder.until(3)) == ["compose", "deliver", "gather"]


async def test_a_hint_at_a_stage_that_is_at_work_is_not_lost(storage: str):
    begun, go_on, passes = asyncio.Event(), asyncio.Event(), []

    async def one_pass() -> Mapping[str, int]:
        passes.append("compose")
        begun.set()
        await go_on.wait()
        return {}

    dispatch = JobQueue(storage)
    async with at_work(dispatch, {"compose": one_pass}):
        await dispatch.hint({"compose": 1})
        await begun.wait()
        await dispatch.hint({"compose": 1})
        go_on.set()

        await _eventually(lambda: len(passes) == 2)


async def test_a_hint_outlasts_a_pass_however_long_that_takes(storage: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dispatch_module, "MIN_PAUSE_SECONDS", 0.01)
    begun, go_on, passes, tries = asyncio.Event(), asyncio.Event(), [], 0

    async def one_pass() -> Mapping[str, int]:
        passes.append("compose")
        begun.set()
        await go_on.wait()
        return {}

    dispatch = JobQueue(storage)
    give = dispatch._hint

    async def counted(hints: Mapping[str, int]) -> Mapping[str, int]:
        nonlocal tries
        tries += 1
        return await give(hints)

    async with at_work(dispatch, {"compose": one_pass}):
        await dispatch.hint({"compose": 1})
        await begun.wait()
        monkeypatch.setattr(dispatch, "_hint", counted)
        await dispatch.hint({"compose": 1})
        await _eventually(lambda: tries > 3)
        assert passes == ["compose"]
        go_on.set()

        await _eventually(lambda: len(passes) == 2)


async def test_many_deliveries_are_worth_several_jobs(storage: str):
    recorder, dispatch = Recorder(), JobQueue(storage)
    async with at_work(dispatch, recorder.handlers("deliver")):
        await dispatch.hint({"deliver": deliver_jobs(1_600)})

        assert await recorder.until(4) == ["deliver"] * 4


def test_a_batch_is_a_job_and_there_is_a_limit():
    assert [deliver_jobs(n) for n in (0, 1, 500, 501, 1_000_000)] == [0, 1, 1, 2, 16]


async def test_a_pass_that_fails_is_told_and_stops_nobody(storage: str):
    recorder, dispatch = Recorder(), JobQueue(storage)

    async def broken() -> Mapping[str, int]:
        recorder.passes.append("gather")
        raise ValueError("the feed bit back")

    with structlog.testing.capture_logs() as logs:
        async with at_work(dispatch, {"gather": broken, **recorder.handlers("compose")}):
            await dispatch.hint({"gather": 1})
            await dispatch.hint({"compose": 1})
            passes = await recorder.until(2)

    assert sorted(passes) == ["compose", "gather"]
    assert [(line["stage"], line["reason"]) for line in logs] == [("gather", "the feed bit back")]


async def test_stopping_lets_the_pass_in_flight_finish(storage: str):
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def long_pass() -> Mapping[str, int]:
        begun.set()
        await go_on.wait()
        ended.set()
        return {}

    dispatch, stopping = JobQueue(storage), asyncio.Event()
    worker = asyncio.create_task(dispatch.work({"deliver": long_pass}, stopping))
    await dispatch.hint({"deliver": 1})
    async with asyncio.timeout(PATIENCE):
        await begun.wait()
        stopping.set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not worker.done()
        go_on.set()
        await worker

    assert ended.is_set()


async def test_a_queue_can_be_worked_again_after_it_was_stopped(storage: str):
    dispatch = JobQueue(storage)
    for _ in range(2):
        recorder = Recorder()
        async with at_work(dispatch, recorder.handlers("gather")):
            await dispatch.hint({"gather": 1})
            assert await recorder.until(1) == ["gather"]


async def test_finished_jobs_leave_nothing_behind(storage: str):
    recorder, dispatch = Recorder(), JobQueue(storage)
    async with at_work(dispatch, recorder.handlers("gather")):
        for count in range(1, 4):
            await dispatch.hint({"gather": 1})
            await recorder.until(count)
            await _all_done(dispatch)
        await dispatch.tidy()

        assert await _written_down(dispatch) == 0


async def test_hinting_at_nothing_asks_for_no_queue():
    dispatch = JobQueue("postgresql://nobody@127.0.0.1:1/none")
    await dispatch.hint({"deliver": 0})

    assert dispatch._queue is None


async def test_a_hint_that_cannot_be_given_is_told_and_harmless():
    dispatch = JobQueue("postgresql://nobody@127.0.0.1:1/none")
    with structlog.testing.capture_logs() as logs:
        await dispatch.hint({"gather": 1})
        await dispatch.tidy()

    assert [line["log_level"] for line in logs] == ["warning", "warning"]
    assert logs[0]["stages"] == ["gather"]


async def test_a_worker_outlives_the_loss_of_its_connection(postgres_url: str):
    recorder, dispatch, elsewhere = Recorder(), JobQueue(postgres_url), JobQueue(postgres_url)
    async with at_work(dispatch, recorder.handlers("gather")):
        await elsewhere.hint({"gather": 1})
        await recorder.until(1)
        await _all_done(elsewhere)
        with structlog.testing.capture_logs():
            before = dispatch._connection
            await _cut(dispatch, by=elsewhere)
            await _eventually(lambda: dispatch._connection not in (None, before))

        await elsewhere.hint({"gather": 1})
        assert await recorder.until(2) == ["gather", "gather"]
    await elsewhere.close()


async def test_whatever_goes_wrong_with_the_queue_it_is_built_anew(monkeypatch: pytest.MonkeyPatch):
    recorder, dispatch = Recorder(), JobQueue("sqlite:///x.db")
    monkeypatch.setattr("service.runtime.job_queue.PAUSE_SECONDS", 0)
    run, broken = dispatch_module._run, ["the engine has a bad day"]

    async def runs_the_second_time(*arguments: object) -> None:
        if broken:
            raise RuntimeError(broken.pop())
        await run(*arguments)

    monkeypatch.setattr("service.runtime.job_queue._run", runs_the_second_time)
    with structlog.testing.capture_logs() as logs:
        async with at_work(dispatch, recorder.handlers("gather")):
            async with asyncio.timeout(PATIENCE):
                while not recorder.passes:
                    await dispatch.hint({"gather": 1})
                    await asyncio.sleep(0.02)

    assert [line["reason"] for line in logs] == ["the engine has a bad day"]


async def test_a_connection_in_the_middle_of_a_question_is_given_up_without_a_word(postgres_url: str):
    dispatch = JobQueue(postgres_url)
    await dispatch.hint({"gather": 1})
    asking = asyncio.create_task(dispatch._connection.execute("SELECT pg_sleep(60)"))
    await asyncio.sleep(0.05)

    async with asyncio.timeout(PATIENCE):
        await dispatch.close()
        with pytest.raises(_out_of_reach()):
            await asking


async def test_a_job_of_a_worker_that_died_is_taken_over(postgres_url: str):
    recorder, dispatch, elsewhere = Recorder(), JobQueue(postgres_url), JobQueue(postgres_url)
    await elsewhere.hint({"gather": 1})
    await elsewhere._connection.execute(
        "UPDATE pgqueuer SET status = 'picked', heartbeat = now() - interval '11 seconds', "
        "queue_manager_id = gen_random_uuid()"
    )
    async with at_work(dispatch, recorder.handlers("gather")):
        assert await recorder.until(1) == ["gather"]
    await elsewhere.close()


async def test_workers_share_one_queue_and_each_takes_its_own_stages(postgres_url: str):
    reader, sender = Recorder(), Recorder()
    one, other = JobQueue(postgres_url), JobQueue(postgres_url.replace("postgresql:", "postgresql+asyncpg:"))
    async with (
        at_work(one, reader.handlers("gather", "condense")),
        at_work(other, sender.handlers("deliver")),
    ):
        await one.hint({"gather": 1, "condense": 1, "deliver": 3})

        assert sorted(await reader.until(2)) == ["condense", "gather"]
        assert await sender.until(3) == ["deliver"] * 3


async def _all_done(dispatch: JobQueue) -> None:
    """Wait until the engine has crossed off every job."""
    queries = (await dispatch._open()).qm.queries
    while await queries.browse_queue():  # noqa: ASYNC110 - the engine tells nobody when it has
        await asyncio.sleep(0.01)


async def _eventually(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - the connection tells nobody when it is back
            await asyncio.sleep(0.01)


async def _written_down(dispatch: JobQueue) -> int:
    queue = await dispatch._open()
    return await queue.qm.queries.unaggregated_log_count()


async def _cut(dispatch: JobQueue, *, by: JobQueue) -> None:
    """End a worker's connection from the server's side."""
    pid = dispatch._connection.get_server_pid()
    await by._open()
    await by._connection.execute("SELECT pg_terminate_backend($1)", pid)
