"""The pool survives its processes, a bad task harms no other, and a stalled pool raises an alarm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future
from contextlib import suppress
from itertools import cycle

import pytest

from service.app.process_pool import limits
from service.app.process_pool import pool as pool_module
from service.app.process_pool.pool import ProcessPool
from service.app.process_pool.process import PoolProcess, kill_fork_server
from service.app.process_pool.task import PoolThread, ProcessEnded
from service.core.errors import PoolUnavailable
from tests.app.process_pool.processes import ON_UNIX, PATIENCE, fork_server, is_there, pids_of, until
from tests.app.tasks import (
    answer_of_no_kind,
    die,
    double,
    gorge,
    large,
    linger,
    refuse,
    refuse_oddly,
    spin,
    stop,
)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPool]:
    with ProcessPool(2, seconds=1) as pool:
        yield pool


def test_work_is_done_in_another_process(pool: ProcessPool):
    assert pool.submit(os.getpid).result(PATIENCE) != os.getpid()
    assert list(pool.map(double, range(5))) == [0, 2, 4, 6, 8]


def test_an_error_comes_back_as_it_is(pool: ProcessPool):
    with pytest.raises(ValueError, match="not this one") as told:
        pool.submit(refuse).result(PATIENCE)
    assert "tasks.py" in "".join(told.value.__notes__)


def test_an_error_that_cannot_be_pickled_comes_back_as_text(pool: ProcessPool):
    with pytest.raises(RuntimeError, match="Odd: 1 and 2"):
        pool.submit(refuse_oddly).result(PATIENCE)


def test_what_cannot_be_pickled_fails_alone(pool: ProcessPool):
    for task in (pool.submit(lambda: None), pool.submit(answer_of_no_kind)):
        assert task.exception(PATIENCE) is not None
    assert pool.submit(double, 2).result(PATIENCE) == 4


def test_a_task_that_kills_its_process_fails_alone(pool: ProcessPool):
    answers = [pool.submit(double, 1), pool.submit(die), *(pool.submit(double, n) for n in range(2, 6))]

    with pytest.raises(BrokenExecutor, match="the process that ran it ended"):
        answers[1].result(PATIENCE)
    assert [answer.result(PATIENCE) for n, answer in enumerate(answers) if n != 1] == [2, 4, 6, 8, 10]
    assert pool.submit(double, 21).result(PATIENCE) == 42


@pytest.mark.parametrize(
    "task", [linger, pytest.param(spin, marks=ON_UNIX), pytest.param(stop, marks=ON_UNIX)]
)
def test_a_slow_task_fails_whatever_signals_it_ignores(pool: ProcessPool, task: Callable[[], int]):
    slow, quick = pool.submit(task), pool.submit(double, 4)
    with pytest.raises(TimeoutError, match="longer than 1 second"):
        slow.result(PATIENCE)
    assert quick.result(PATIENCE) == 8
    assert pool.problem == ""


@ON_UNIX
def test_a_task_that_takes_too_much_memory_fails(pool: ProcessPool):
    with pytest.raises(MemoryError):
        pool.submit(gorge).result(PATIENCE)


def test_nothing_starts_before_there_is_work():
    threads = threading.active_count()
    pool = ProcessPool()
    assert threading.active_count() == threads
    pool.shutdown()

    with pytest.raises(RuntimeError):
        pool.submit(double, 1)


def test_no_more_processes_start_than_there_is_work_for():
    with ProcessPool(8) as pool:
        for number in range(3):
            pool.submit(double, number).result(PATIENCE)
            until(lambda: pool._idle == 1)
        assert len(pids_of(pool)) == 1


# --- replacement ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("processes", "each", "tasks"),
    [(1, 2, 30), (2, 3, 100), (6, 25, 2_000), pytest.param(8, 2, 5_000, marks=pytest.mark.long)],
)
def test_processes_are_replaced_after_their_tasks_and_the_work_goes_on(processes: int, each: int, tasks: int):
    # concurrent.futures hangs here (gh-115634): its processes exit and are not replaced.
    with ProcessPool(processes, tasks=each) as pool:
        doing = [pool.submit(os.getpid) for _ in range(tasks)]
        done = [task.result(PATIENCE) for task in doing]
        assert max(done.count(pid) for pid in set(done)) <= each
        assert len(set(done)) >= tasks // each
        assert pool.problem == ""


@ON_UNIX
def test_processes_killed_at_random_lose_at_most_their_own_tasks():
    with ProcessPool(4, tasks=20) as pool:
        doing = [pool.submit(large, number) for number in range(300)]
        turns, killed = cycle(range(4)), 0
        for number, task in enumerate(doing):
            if number % 5 == 0 and (pids := pids_of(pool)):
                with suppress(ProcessLookupError):
                    os.kill(pids[next(turns) % len(pids)], signal.SIGKILL)
                    killed += 1
            task.exception(PATIENCE)
        assert killed
        lost = [task for task in doing if task.exception() is not None]
        assert {type(task.exception()) for task in lost} <= {ProcessEnded}
        right = [task.result() == large(n) for n, task in enumerate(doing) if task not in lost]
        assert all(right)
        assert len(lost) <= killed / 2  # each of them had two processes killed under it
        assert list(pool.map(double, range(50))) == [2 * n for n in range(50)]


@ON_UNIX
@pytest.mark.parametrize("sign", ["SIGKILL", "SIGSTOP"])
def test_a_process_killed_or_stopped_while_idle_loses_no_task(sign: str):
    with ProcessPool(2, start_seconds=1, seconds=1) as pool:
        pool.submit(double, 1).result(PATIENCE)
        for pid in pids_of(pool):
            os.kill(pid, getattr(signal, sign))
        assert pool.submit(double, 4).result(PATIENCE) == 8


@ON_UNIX
def test_a_closed_pool_leaves_no_process_behind():
    pool = ProcessPool(3)
    doing = [pool.submit(task) for task in (spin, stop, linger, double)]
    until(lambda: sum(thread.begun for thread in pool._threads) == 3)
    pids = pids_of(pool)
    pool.shutdown(wait=False)
    assert [pid for pid in pids if is_there(pid)] == []
    assert {type(task.exception(0)) for task in doing[:3]} == {PoolUnavailable}
    assert doing[3].cancelled()


def test_a_pool_that_waits_at_its_end_finishes_its_tasks():
    with ProcessPool(2, tasks=3) as pool:
        doing = [pool.submit(double, number) for number in range(20)]
    assert [task.result(0) for task in doing] == [2 * number for number in range(20)]


def test_a_task_cancelled_in_the_queue_is_not_run():
    with ProcessPool(1, seconds=1) as pool:
        first, second = pool.submit(linger), pool.submit(double, 1)
        assert second.cancel()
        assert first.exception(PATIENCE) is not None
    assert second.cancelled()


# --- the fork server -----------------------------------------------------------------------


@ON_UNIX
def test_a_fork_server_that_was_killed_costs_nothing():
    with ProcessPool(3, tasks=1) as pool:
        pool.submit(double, 1).result(PATIENCE)
        for _ in range(3):
            doing = [pool.submit(double, number) for number in range(6)]
            kill_fork_server()
            assert [task.result(PATIENCE) for task in doing] == [0, 2, 4, 6, 8, 10]
        assert pool.problem == ""


@ON_UNIX
def test_a_fork_server_that_hangs_is_an_alarm_until_the_next_task_succeeds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    problems: list[str] = []
    alarm = ProcessPool._alarm
    monkeypatch.setattr(
        ProcessPool, "_alarm", lambda pool, sentence: (alarm(pool, sentence), problems.append(pool.problem))
    )
    pool = ProcessPool(2, start_seconds=8)
    with caplog.at_level("WARNING"):
        pool.submit(double, 1).result(PATIENCE)
        until(lambda: pool._idle == 1)
        os.kill(fork_server(), signal.SIGSTOP)
        pool.submit(linger)
        until(lambda: pool._idle == 0)  # it has the one process that there is
        assert pool.submit(double, 4).result(PATIENCE) == 8
    assert pool.problem == ""
    assert "did not start within 8 seconds" in problems[0]
    assert {log.levelname for log in caplog.records if log.msg == "process_pool_stalled"} == {"ERROR"}
    pool.shutdown(wait=False)


# --- the watch -----------------------------------------------------------------------------


def test_when_no_process_can_start_the_task_is_not_to_blame(monkeypatch: pytest.MonkeyPatch):
    def no_memory(_pool: object, _seconds: float) -> None:
        raise OSError("Cannot allocate memory")

    with ProcessPool(1) as pool:
        with monkeypatch.context() as patched:
            patched.setattr(PoolProcess, "__init__", no_memory)
            patched.setattr(limits, "START_PAUSE_SECONDS", 0.001)
            with pytest.raises(PoolUnavailable, match="Cannot allocate memory"):
                pool.submit(double, 1).result(PATIENCE)
            assert "no process of the pool could be started" in pool.problem
        assert pool.submit(double, 1).result(PATIENCE) == 2
        assert pool.problem == ""


@ON_UNIX
def test_a_process_that_does_not_end_is_given_up_and_another_takes_its_place(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "END_SECONDS", 0.2)
    kill = PoolProcess.kill
    with ProcessPool(1, seconds=0.5) as pool:
        with monkeypatch.context() as patched:
            patched.setattr(PoolProcess, "kill", lambda _process: None)  # as one that waits for a dead disk
            stuck, behind = pool.submit(linger), pool.submit(double, 4)
            [process] = [thread.process for thread in threads_at_work(pool, stuck)]
            assert isinstance(stuck.exception(PATIENCE), PoolUnavailable)
            assert "does not end" in pool.problem
            assert behind.result(PATIENCE) == 8
        kill(process)
        assert pool.problem == ""


def threads_at_work(pool: ProcessPool, task: Future[int]) -> list[PoolThread]:
    """Return the threads once the task has begun."""
    until(lambda: task.running() and bool(pids_of(pool)))
    return list(pool._threads)


def test_a_stalled_queue_is_an_alarm_and_a_restart(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    run, release, hung = ProcessPool._run, threading.Event(), []
    now, later = pool_module.monotonic, [0.0]
    monkeypatch.setattr(pool_module, "monotonic", lambda: now() + later[0])
    monkeypatch.setattr(limits, "WATCH_SECONDS", 0.01)

    def hangs_once(pool: ProcessPool, thread: object, task: object) -> None:
        if not hung:
            hung.append(task)
            release.wait(PATIENCE)
        run(pool, thread, task)

    monkeypatch.setattr(ProcessPool, "_run", hangs_once)
    with ProcessPool(1) as pool, caplog.at_level("WARNING"):
        first, second = pool.submit(double, 1), pool.submit(double, 2)
        until(lambda: bool(hung))
        later[0] = limits.TASK_SECONDS + limits.START_SECONDS + 1
        assert isinstance(first.exception(PATIENCE), PoolUnavailable)
        assert second.result(PATIENCE) == 4
        release.set()
    assert ["is restarted" in log.reason for log in caplog.records if log.msg == "process_pool_stalled"] == [
        True
    ]


# --- parents and signals -------------------------------------------------------------------

ORPHANS = """
import os, signal, sys
from service.app.process_pool import process as pool_process
from service.app.process_pool.pool import ProcessPool
from tests.app.tasks import linger
pool_process.PRELOADED = ('tests.app.tasks',)
pool = ProcessPool(2)
busy, idle = pool.submit(linger), pool.submit(os.getpid)
idle.result()
while sum(thread.begun for thread in pool._threads) < 2: pass
print(*(thread.process.pid for thread in pool._threads), flush=True)
signal.pause()
"""


@ON_UNIX
def test_processes_exit_when_their_parent_dies():
    parent = subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.kill()
    parent.communicate()
    until(lambda: not any(map(is_there, pids)))


CTRL_C = """
import os, signal
from service.app.process_pool import process as pool_process
from service.app.process_pool.pool import ProcessPool
from tests.app.tasks import double
pool_process.PRELOADED = ('tests.app.tasks',)
signal.signal(signal.SIGINT, lambda *_: print("heard", flush=True))
with ProcessPool(3, tasks=1) as pool:
    doing = [pool.submit(double, n) for n in range(9)]
    while not all(task.done() for task in doing):
        os.killpg(0, signal.SIGINT)
        signal.sigtimedwait([], 0.02)
    print(sum(task.result() for task in doing))
"""


@ON_UNIX
def test_only_the_parent_receives_ctrl_c_even_while_processes_start():
    parent = subprocess.run(
        [sys.executable, "-c", CTRL_C], capture_output=True, text=True, check=False, start_new_session=True
    )
    assert (parent.returncode, parent.stderr) == (0, "")
    assert parent.stdout.split()[-1] == "72"
