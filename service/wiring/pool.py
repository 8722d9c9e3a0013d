"""The pool: CPU work in processes of its own, so that the event loop keeps its beat.

Some of that work is done on hostile input. A task that takes too long or too much memory fails alone; one
that takes its process down is found out, because whatever was lost with it is tried again one by one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

SECONDS = 30
"""How long a task may take before it fails; after twice that its process is ended."""
BYTES = 4 << 30
"""How much a process may take of the address space, where the system knows such a limit."""
TASKS_PER_PROCESS = 2_000
PRELOADED = ("service.gather.examine", "service.gather.page", "service.condense.keypoints")
"""What the fork server loads once, so that each process begins with it."""
MOST_PROCESSES = 8


class Pool(Executor):
    """An executor of processes that outlives what kills one of them. Processes start with the first task."""

    def __init__(self, processes: int | None = None, *, seconds: int = SECONDS) -> None:
        self._processes = processes or min(max(processors() - 1, 1), MOST_PROCESSES)
        self._seconds = seconds
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._quarantine = ThreadPoolExecutor(1, thread_name_prefix="quarantine")
        self._closed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:  # noqa: ANN401 - Executor's
        """Run the function in one of the processes. TimeoutError and MemoryError tell of its limits."""
        answer: Future[T] = Future()
        task = partial(_limited, self._seconds, partial(fn, *args, **kwargs))
        pool = self._current()
        try:
            inner = pool.submit(task)
        except BrokenProcessPool:
            self._retire(pool)
            self._alone(task, answer)
        else:
            inner.add_done_callback(lambda done: self._pass_on(done, pool, task, answer))
        return answer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: with `wait` after they have finished what they have in hand, else at once."""
        with self._lock:
            self._closed, pool, self._pool = True, self._pool, None
        if pool is not None:
            # Without this the interpreter would wait, on its way out, for whatever they are busy with.
            for process in () if wait else tuple((pool._processes or {}).values()):  # noqa: SLF001 - no public way
                process.terminate()
            pool.shutdown(wait, cancel_futures=cancel_futures)
        self._quarantine.shutdown(wait, cancel_futures=cancel_futures)

    def _current(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            if self._pool is None:
                self._pool = _new_pool(self._processes, TASKS_PER_PROCESS)
            return self._pool

    def _retire(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is broken:
                self._pool = None
        broken.shutdown(wait=False, cancel_futures=True)

    def _pass_on(
        self, done: Future[T], pool: ProcessPoolExecutor, task: Callable[[], T], answer: Future[T]
    ) -> None:
        if done.cancelled():
            answer.cancel()
        elif isinstance(done.exception(), BrokenProcessPool):
            self._retire(pool)
            self._alone(task, answer)
        else:
            _settle(answer, done)

    def _alone(self, task: Callable[[], T], answer: Future[T]) -> None:
        """Run a task once more in a process that it shares with nobody."""

        def once_more() -> None:
            with _new_pool(1, None) as single:
                _settle(answer, single.submit(task))

        try:
            self._quarantine.submit(once_more)
        except RuntimeError as error:  # closed meanwhile
            answer.set_exception(error)


def _settle(answer: Future[T], done: Future[T]) -> None:
    """Give the outcome of one future to the other, waiting for it if need be."""
    error = done.exception()
    if not answer.set_running_or_notify_cancel():
        return
    if error is None:
        answer.set_result(done.result())
    else:
        answer.set_exception(error)


def _new_pool(processes: int, tasks: int | None) -> ProcessPoolExecutor:
    # Never fork: this process has threads, and a lock that one of them holds would stay held in the child.
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload(list(PRELOADED))
    return ProcessPoolExecutor(processes, context, initializer=_settle_in, max_tasks_per_child=tasks)


def _settle_in() -> None:
    """Prepare a process: Ctrl-C is the parent's to hear, memory is bounded, and an orphan leaves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Unix alone has it

        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        limits = [BYTES, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)]
        resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_after, args=(parent.sentinel,), daemon=True).start()


def _leave_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(0)


def _limited(seconds: int, task: Callable[[], T]) -> T:
    """Run the task against the clock: first politely, then by ending the process."""
    if not hasattr(signal, "setitimer"):
        return task()
    import faulthandler  # noqa: PLC0415 - its watchdog is a thread of C, which no loop in C can hold up

    def too_long(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"it took longer than {seconds} seconds")

    signal.signal(signal.SIGALRM, too_long)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - what the watchdog writes is of no use to anybody
        faulthandler.dump_traceback_later(2 * seconds, exit=True, file=nowhere)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            return task()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.cancel_dump_traceback_later()


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
