"""The process pool: runs CPU-bound tasks in other processes, so that the event loop stays responsive.

    submit       a task waits in one queue for the first idle thread
    PoolThread   a thread with one process: it hands over a task, waits for the result, and replaces the
                 process after TASKS_PER_PROCESS tasks, or when it ended; without tasks it ends the process
    watchdog     a thread that kills processes that take too long, and restarts a pool that stands still

Some tasks parse hostile input. A task that takes too much time or memory fails alone. A task whose process
ended is tried once more, because the cause may be outside; then it fails alone too.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from math import inf
from typing import Any, TypeVar

from service.app.clock import monotonic
from service.app.process_pool import limits
from service.app.process_pool.process import (
    PoolProcess,
    TaskResult,
    end_unused_fork_server,
    kill_fork_server,
    pickled,
)
from service.app.process_pool.processors import processors
from service.app.process_pool.task import PoolTask, PoolThread, ProcessEnded
from service.core.errors import PoolUnavailable

T = TypeVar("T")

log = logging.getLogger("pool")


class ProcessPool(Executor):
    """An executor that runs tasks in processes, the first of which starts with the first task.

    `seconds` limits the time of a task, `tasks` the number of tasks per process; a process without a task for
    `idle_seconds` ends. A future may raise TimeoutError, MemoryError, ProcessEnded, PoolUnavailable, or the
    error of its task.
    """

    def __init__(
        self,
        processes: int | None = None,
        *,
        seconds: float = limits.TASK_SECONDS,
        tasks: int | None = None,
        start_seconds: float = limits.START_SECONDS,
        idle_seconds: float = limits.IDLE_SECONDS,
    ) -> None:
        self._max_processes = processes or min(max(processors() - 1, 1), limits.MAX_PROCESSES)
        self._seconds, self._start_seconds, self._idle_seconds = seconds, start_seconds, idle_seconds
        self._tasks = tasks or limits.TASKS_PER_PROCESS
        self._lock = threading.Lock()
        self._waiting, self._watch_wakeup = threading.Condition(self._lock), threading.Condition(self._lock)
        self._closed, self._stopping = False, threading.Event()
        self._queue: deque[PoolTask] = deque()
        self._threads: list[PoolThread] = []
        self._idle = 0
        self._last_progress_at = monotonic()
        self._watchdog: threading.Thread | None = None
        self._closed_down, self._watchdog_asleep = False, False
        self._problem = ""
        self.started = 0
        """Number of processes started so far."""

    @property
    def problem(self) -> str:
        """A sentence about a stalled pool; empty retry after the next task with a result."""
        return self._problem

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:  # noqa: ANN401 - Executor's
        """Run the function in a process. Raises RuntimeError when the pool is closed."""
        task = PoolTask(partial(fn, *args, **kwargs), Future())
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            self._ensure_thread(len(self._queue) + 1)
            if not self._queue:
                self._last_progress_at = monotonic()
            self._queue.append(task)
            self._waiting.notify()
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: with `wait` after all tasks are finished, else at once."""
        with self._lock:
            self._closed = True
            if not wait:
                self._stopping.set()
            dropped = list(self._queue) if cancel_futures or not wait else []
            if dropped:
                self._queue.clear()
            threads = tuple(self._threads)
            for thread in threads if not wait else ():
                if thread.process is not None:
                    thread.process.kill()
            self._waiting.notify_all()
        for task in dropped:
            task.future.cancel()
        for thread in threads:
            thread.handle.join(None if wait else limits.END_SECONDS)
        with self._lock:
            self._closed_down = True
            self._watch_wakeup.notify()
        if self._watchdog is not None:
            self._watchdog.join()
        atexit.unregister(self._at_exit)

    # --- the queue; the caller holds the lock ---------------------------------------------------

    def _ensure_thread(self, tasks: int) -> None:
        """Start a thread if fewer are idle than tasks wait. Raises RuntimeError when it cannot start."""
        if self._watchdog is None:
            # Daemon threads: at exit the interpreter would wait for hanging ones too.
            watchdog = threading.Thread(target=self._watch_threads, name="pool watchdog", daemon=True)
            watchdog.start()
            self._watchdog = watchdog
            atexit.register(self._at_exit)
        if tasks > self._idle and len(self._threads) < self._max_processes:
            thread = PoolThread()
            thread.handle = threading.Thread(target=self._work, args=(thread,), name="pool", daemon=True)
            thread.handle.start()
            self._threads.append(thread)

    def _at_exit(self) -> None:
        self.shutdown(wait=False, cancel_futures=True)

    def _next_task(self, thread: PoolThread) -> PoolTask | None:
        """Wait for a task; None when this thread gets no more.

        Raises TimeoutError when the thread's process has waited long enough.
        """
        with self._lock:
            while not thread.given_up:
                while self._queue:
                    task = self._queue.popleft()
                    if task.future.running() or task.future.set_running_or_notify_cancel():
                        thread.task, thread.overdue = task, False
                        return task
                if self._closed:
                    break
                self._idle += 1
                called = self._waiting.wait(self._idle_seconds if thread.process is not None else None)
                self._idle -= 1
                if not called and not self._queue:
                    raise TimeoutError
            return None

    def _remove_task(self, thread: PoolThread) -> PoolTask | None:
        """Remove the thread's task; None when it was removed already."""
        task, thread.task, thread.deadline = thread.task, None, inf
        self._last_progress_at = monotonic()
        return task

    # --- a thread ---------------------------------------------------------------------------

    def _work(self, thread: PoolThread) -> None:
        """Run tasks until the pool is closed or the thread is given up."""
        while (task := self._next_task_or_rest(thread)) is not None:
            try:
                self._run(thread, task)
            except Exception as error:
                log.exception("process_pool_failed", extra={"reason": str(error)})
                self._complete(thread, TaskResult(error=PoolUnavailable(f"the process pool failed: {error}")))
                self._end_process(thread)
            if thread.overdue or (thread.process is not None and thread.process.tasks >= self._tasks):
                self._end_process(thread)
        self._end_process(thread)

    def _next_task_or_rest(self, thread: PoolThread) -> PoolTask | None:
        """Wait for a task as `_next_task`, without a process if none comes for a long time."""
        while True:
            try:
                return self._next_task(thread)
            except TimeoutError:
                self._end_process(thread)
                end_unused_fork_server()

    def _run(self, thread: PoolThread, task: PoolTask) -> None:
        try:
            call = pickled(task.call)
        except Exception as error:  # noqa: BLE001 - the caller gets the error of pickling
            self._complete(thread, TaskResult(error=error))
            return
        if thread.process is not None and not thread.process.is_idle:
            self._end_process(thread)  # it ended while it was idle
        process = thread.process or self._start_process(thread)
        if process is None:
            return
        try:
            thread.begun = False
            self._set_deadline(thread, self._seconds + self._start_seconds)
            process.begin(call)
            thread.begun = True
            self._set_deadline(thread, self._seconds)
            result = process.result()
        except (EOFError, OSError):
            self._process_ended(thread)
            return
        self._problem = ""
        self._complete(thread, result)

    def _start_process(self, thread: PoolThread) -> PoolProcess | None:
        """Start the thread's process; None when it could not start, which fails the task."""
        reason = ""
        for number in range(limits.START_ATTEMPTS):
            if (
                self._stopping.wait(limits.START_PAUSE_SECONDS * 2 ** (number - 1) if number else 0)
                or thread.given_up
            ):
                break
            self._set_deadline(thread, self._start_seconds, starting=True)
            try:
                process = PoolProcess(self._seconds)
                with self._lock:
                    thread.process, self.started = process, self.started + 1
                process.wait_until_ready()
            except (EOFError, OSError) as error:
                reason = str(error) or "it ended at once"
                self._end_process(thread)
            else:
                if not self._stopping.is_set():
                    return process
        if reason and not self._stopping.is_set():
            self._alarm(f"no process of the pool could be started: {reason}")
        unavailable = PoolUnavailable(f"no process could be started: {reason or 'the pool is closed'}")
        self._complete(thread, TaskResult(error=unavailable))
        return None

    def _process_ended(self, thread: PoolThread) -> None:
        """Retry or fail a task whose process ended."""
        too_long = thread.overdue and thread.begun
        self._end_process(thread)
        if self._stopping.is_set():
            self._complete(thread, TaskResult(error=PoolUnavailable("the process pool was closed")))
            return
        if too_long:
            error = TimeoutError(f"it took longer than {self._seconds:g} seconds")
            self._complete(thread, TaskResult(error=error))
            return
        with self._lock:
            retry = thread.task is not None and thread.task.deaths + 1 < limits.MAX_PROCESS_DEATHS
            if retry and (task := self._remove_task(thread)):
                task.deaths += 1
                self._queue.appendleft(task)
        log.warning("pool_process_ended", extra={"retry": retry})
        if not retry:
            self._complete(thread, TaskResult(error=ProcessEnded("the process that ran it ended")))

    def _end_process(self, thread: PoolThread) -> None:
        """End the thread's process; the next task gets a new one."""
        with self._lock:
            process, thread.process = thread.process, None
        if process is not None:
            process.close(limits.END_SECONDS)

    def _set_deadline(self, thread: PoolThread, seconds: float, *, starting: bool = False) -> None:
        """Tell the watchdog within how many seconds the current step must be over."""
        with self._lock:
            thread.deadline, thread.overdue, thread.starting = monotonic() + seconds, False, starting
            if self._watchdog_asleep:
                self._watch_wakeup.notify()

    def _complete(self, thread: PoolThread, result: TaskResult) -> None:
        """Complete the future of the thread's task, unless the task was removed."""
        with self._lock:
            task = self._remove_task(thread)
        if task is not None and result.error is None:
            task.future.set_result(result.result)
        elif task is not None:
            task.future.set_exception(result.error)

    # --- the watchdog ---------------------------------------------------------------------------

    def _alarm(self, sentence: str) -> None:
        self._problem = sentence
        log.error("process_pool_stalled", extra={"reason": sentence})

    def _watch_threads(self) -> None:
        """Check the threads at the next deadline, or each second, while there is work."""
        while not self._closed_down:
            lost: list[PoolTask] = []
            with self._lock:
                try:
                    lost = self._check(monotonic())
                except Exception as error:
                    log.exception("process_pool_failed", extra={"reason": str(error)})
                busy = bool(self._queue) or any(thread.deadline < inf for thread in self._threads)
                if not lost and not self._closed_down:
                    self._watchdog_asleep = not busy
                    self._watch_wakeup.wait(self._seconds_until_check(monotonic()) if busy else None)
            for task in lost:
                task.future.set_exception(PoolUnavailable("the process pool was restarted"))

    def _check(self, now: float) -> list[PoolTask]:
        """Kill what takes too long, restart a pool that stands still; return the tasks lost by that."""
        lost = [task for thread in tuple(self._threads) if (task := self._check_thread(thread, now))]
        patience = self._seconds + self._start_seconds
        # A thread with a deadline ends by it. Without any, a waiting task is taken within milliseconds.
        idle = bool(self._queue) and all(thread.deadline == inf for thread in self._threads)
        if idle and now - self._last_progress_at > patience:
            self._alarm(f"the process pool took up no task for {patience:g} seconds; it is restarted")
            self._last_progress_at = now
            kill_fork_server()
            lost += [task for thread in tuple(self._threads) if (task := self._abandon(thread))]
            self._ensure_thread(len(self._queue))
        return lost

    def _seconds_until_check(self, now: float) -> float:
        return min(
            limits.WATCH_SECONDS,
            max(min((thread.deadline for thread in self._threads), default=inf) - now, 0.0),
        )

    def _check_thread(self, thread: PoolThread, now: float) -> PoolTask | None:
        """Kill a process that takes too long; return the task of a thread that does not return even then."""
        if thread.deadline > now:
            return None
        if thread.overdue:
            self._alarm("a process of the pool does not end; another one replaces it")
            lost = self._abandon(thread)
            if self._queue:
                self._ensure_thread(len(self._queue))
            return lost
        thread.overdue, thread.deadline = True, now + limits.END_SECONDS
        if thread.starting:
            seconds = f"{self._start_seconds:g} seconds"
            self._alarm(f"a process of the pool did not start within {seconds}; the fork server is restarted")
            kill_fork_server()
        if thread.process is not None:
            thread.process.kill()
        return None

    def _abandon(self, thread: PoolThread) -> PoolTask | None:
        """Abandon the thread, whose place another one takes; return its task."""
        thread.given_up = True
        self._threads.remove(thread)
        if thread.process is not None:
            thread.process.kill()
        self._waiting.notify_all()
        return self._remove_task(thread)
