"""The pool outlives its processes, and one bad task harms no other."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures.process import BrokenProcessPool

import pytest

from service.wiring.pool import Pool


def double(number: int) -> int:
    return number * 2


def die(_number: int = 0) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def refuse(_number: int = 0) -> int:
    raise ValueError("not this one")


def linger(_number: int = 0) -> int:
    time.sleep(60)
    return 0


def gorge(_number: int = 0) -> int:
    return len(bytearray(8 << 30))


@pytest.fixture(scope="module")
def pool():
    with Pool(2, seconds=1) as pool:
        yield pool


def test_work_is_done_in_another_process(pool: Pool):
    assert pool.submit(os.getpid).result() != os.getpid()
    assert list(pool.map(double, range(5))) == [0, 2, 4, 6, 8]


def test_an_error_comes_back_as_it_is(pool: Pool):
    with pytest.raises(ValueError, match="not this one"):
        pool.submit(refuse).result()


def test_a_task_that_kills_its_process_fails_alone(pool: Pool):
    answers = [pool.submit(double, 1), pool.submit(die), *(pool.submit(double, n) for n in range(2, 6))]

    with pytest.raises(BrokenProcessPool):
        answers[1].result()
    assert [answer.result() for n, answer in enumerate(answers) if n != 1] == [2, 4, 6, 8, 10]
    assert pool.submit(double, 21).result() == 42


def test_a_task_that_takes_too_long_fails(pool: Pool):
    with pytest.raises(TimeoutError, match="longer than 1 second"):
        pool.submit(linger).result()
    assert pool.submit(double, 4).result() == 8


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system knows no limits")
def test_a_task_that_takes_too_much_memory_fails(pool: Pool):
    with pytest.raises(MemoryError):
        pool.submit(gorge).result()


def test_nothing_starts_before_there_is_work():
    pool = Pool()
    pool.shutdown()

    with pytest.raises(RuntimeError):
        pool.submit(double, 1)
