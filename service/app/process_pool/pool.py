"""The process pool: CPU work in processes of its own, so that the event loop keeps answering.

    submit   a task waits in one queue for the first free slot
    slot     a thread with one process: it hands over a task, waits for the answer, and replaces the process
             after TASKS_PER_PROCESS tasks, or when it ended
    watch    a thread that ends what takes too long, and raises an alarm when nothing moves at all

Some of the work is done on hostile input. A task that takes too long or too much memory fails alone. A task
whose process ended is tried once more, because somebody else may have ended it; then it fails alone as well.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from math import inf
from typing import Any, TypeVar

import structlog

from service.app.clock import monotonic
from service.app.process_pool.process import PoolProcess, TaskResult, kill_fork_server, pickled
from service.app.process_pool.task import PoolTask, PoolThread, ProcessEnded
from service.core.errors import PoolUnavailable

T = TypeVar("T")

TASK_SECONDS = 30.0
"""How long a task may run."""
START_SECONDS = 60.0
"""How long a process may take to start. The first waits for the fork server's imports, a second or two."""
START_ATTEMPTS, START_PAUSE_SECONDS = 5, 0.1
"""Number of tries to start a process before its task fails; seconds after the first, doubled each time."""
END_SECONDS = 10.0
"""How long a process may take to end after SIGKILL; one that waits for a dead disk does not."""
TASKS_PER_PROCESS = 2_000
"""Number of tasks after which a process is replaced: what the parsers' C code leaks ends with it."""
MAX_PROCESS_DEATHS = 2
"""Number of processes that may end under one task before it fails."""
MAX_PROCESSES = 8
"""A process takes about 100 MB of memory, and more than these would rarely be busy."""
WATCH_SECONDS = 1.0
"""How often at least the watch looks while there is work."""

log = structlog.get_logger("pool")


class ProcessPool(Executor):
    """An executor of processes. The first task starts the first of them.

    `seconds` is how long a task may run, `tasks` how many a process does. A future may raise TimeoutError,
    MemoryError, ProcessEnded, PoolUnavailable, or what its task raised.
    """

    def __init__(
        self,
        processes: int | None = None,
        *,
        seconds: float = TASK_SECONDS,
        tasks: int | None = None,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self._most = processes or min(max(processors() - 1, 1), MAX_PROCESSES)
        self._seconds, self._start_seconds = seconds, start_seconds
        self._tasks = tasks or TASKS_PER_PROCESS
        self._lock = threading.Lock()
        self._waiting, self._watching = threading.Condition(self._lock), threading.Condition(self._lock)
        self._closed, self._stopping = False, threading.Event()
        self._queue: deque[PoolTask] = deque()
        self._slots: list[PoolThread] = []
        self._free = 0
        self._moved_at = monotonic()
        self._watch_thread: threading.Thread | None = None
        self._over, self._asleep = False, False
        self._trouble = ""
        self.started = 0
        """Number of processes that were started so far."""

    @property
    def problem(self) -> str:
        """What is wrong with the pool, as a sentence; empty from the next task on that gets an answer."""
        return self._trouble

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:  # noqa: ANN401 - Executor's
        """Run the function in one of the processes. Raises RuntimeError when the pool is closed."""
        task = PoolTask(partial(fn, *args, **kwargs), Future())
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            self._find_slot(len(self._queue) + 1)
            if not self._queue:
                self._moved_at = monotonic()
            self._queue.append(task)
            self._waiting.notify()
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: with `wait` after they have finished what there is to do, else at once."""
        with self._lock:
            self._closed = True
            if not wait:
                self._stopping.set()
            dropped = list(self._queue) if cancel_futures or not wait else []
            if dropped:
                self._queue.clear()
            slots = tuple(self._slots)
            for slot in slots if not wait else ():
                if slot.process is not None:
                    slot.process.kill()
            self._waiting.notify_all()
        for task in dropped:
            task.future.cancel()
        for slot in slots:
            slot.thread.join(None if wait else END_SECONDS)
        with self._lock:
            self._over = True
            self._watching.notify()
        if self._watch_thread is not None:
            self._watch_thread.join()
        atexit.unregister(self._at_exit)

    # --- the queue; all of it under the lock ---------------------------------------------------

    def _find_slot(self, tasks: int) -> None:
        """Start a slot where the free ones are fewer than the tasks. Raises RuntimeError without a thread."""
        if self._watch_thread is None:
            # Threads that no exit waits for: it would wait for what hangs as well.
            watch = threading.Thread(target=self._watch, name="pool watch", daemon=True)
            watch.start()
            self._watch_thread = watch
            atexit.register(self._at_exit)
        if tasks > self._free and len(self._slots) < self._most:
            slot = PoolThread()
            slot.thread = threading.Thread(target=self._work, args=(slot,), name="pool slot", daemon=True)
            slot.thread.start()
            self._slots.append(slot)

    def _at_exit(self) -> None:
        self.shutdown(wait=False, cancel_futures=True)

    def _next(self, slot: PoolThread) -> PoolTask | None:
        """Wait for a task; None when there will be none for this slot any more."""
        with self._lock:
            while not slot.given_up:
                while self._queue:
                    task = self._queue.popleft()
                    if task.future.running() or task.future.set_running_or_notify_cancel():
                        slot.task, slot.overdue = task, False
                        return task
                if self._closed:
                    break
                self._free += 1
                self._waiting.wait()
                self._free -= 1
            return None

    def _take_from(self, slot: PoolThread) -> PoolTask | None:
        """Take the slot's task out of its hands; None when somebody else did."""
        task, slot.task, slot.deadline = slot.task, None, inf
        self._moved_at = monotonic()
        return task

    # --- a slot ---------------------------------------------------------------------------

    def _work(self, slot: PoolThread) -> None:
        """Work off tasks until the pool is closed, or until the slot is given up."""
        while (task := self._next(slot)) is not None:
            try:
                self._attempt(slot, task)
            except Exception as error:
                log.exception("process_pool_failed", reason=str(error))
                self._settle(slot, TaskResult(error=PoolUnavailable(f"the process pool failed: {error}")))
                self._replace(slot)
            if slot.overdue or (slot.process is not None and slot.process.tasks >= self._tasks):
                self._replace(slot)
        self._replace(slot)

    def _attempt(self, slot: PoolThread, task: PoolTask) -> None:
        try:
            call = pickled(task.call)
        except Exception as error:  # noqa: BLE001 - what cannot be pickled is for whoever wanted it done
            self._settle(slot, TaskResult(error=error))
            return
        if slot.process is not None and not slot.process.is_idle:
            self._replace(slot)  # somebody ended it while it had nothing to do
        process = slot.process or self._started(slot)
        if process is None:
            return
        try:
            slot.begun = False
            self._expect(slot, self._seconds + self._start_seconds)
            process.begin(call)
            slot.begun = True
            self._expect(slot, self._seconds)
            answer = process.result()
        except (EOFError, OSError):
            self._ended(slot)
            return
        self._trouble = ""
        self._settle(slot, answer)

    def _started(self, slot: PoolThread) -> PoolProcess | None:
        """Start the slot's process; None when that is not possible, and its task has failed."""
        reason = ""
        for number in range(START_ATTEMPTS):
            if self._stopping.wait(START_PAUSE_SECONDS * 2 ** (number - 1) if number else 0) or slot.given_up:
                break
            self._expect(slot, self._start_seconds, starting=True)
            try:
                process = PoolProcess(self._seconds)
                with self._lock:
                    slot.process, self.started = process, self.started + 1
                process.wait_until_ready()
            except (EOFError, OSError) as error:
                reason = str(error) or "it came to an end at once"
                self._replace(slot)
            else:
                if not self._stopping.is_set():
                    return process
        if reason and not self._stopping.is_set():
            self._alarm(f"no process of the pool could be started: {reason}")
        unavailable = PoolUnavailable(f"no process could be started: {reason or 'the pool is closed'}")
        self._settle(slot, TaskResult(error=unavailable))
        return None

    def _ended(self, slot: PoolThread) -> None:
        """Decide what becomes of a task whose process ended."""
        too_long = slot.overdue and slot.begun
        self._replace(slot)
        if self._stopping.is_set():
            self._settle(slot, TaskResult(error=PoolUnavailable("the process pool was closed")))
            return
        if too_long:
            error = TimeoutError(f"it took longer than {self._seconds:g} seconds")
            self._settle(slot, TaskResult(error=error))
            return
        with self._lock:
            again = slot.task is not None and slot.task.deaths + 1 < MAX_PROCESS_DEATHS
            if again and (task := self._take_from(slot)):
                task.deaths += 1
                self._queue.appendleft(task)
        log.warning("pool_process_ended", again=again)
        if not again:
            self._settle(slot, TaskResult(error=ProcessEnded("the process that did it came to an end")))

    def _replace(self, slot: PoolThread) -> None:
        """Take the slot's process away; the next task gets a new one."""
        with self._lock:
            process, slot.process = slot.process, None
        if process is not None:
            process.close(END_SECONDS)

    def _expect(self, slot: PoolThread, seconds: float, *, starting: bool = False) -> None:
        """Let the watch know within how many seconds the slot should be done with what it begins."""
        with self._lock:
            slot.deadline, slot.overdue, slot.starting = monotonic() + seconds, False, starting
            if self._asleep:
                self._watching.notify()

    def _settle(self, slot: PoolThread, answer: TaskResult) -> None:
        """Give the slot's task its answer, unless somebody took the task away."""
        with self._lock:
            task = self._take_from(slot)
        if task is not None and answer.error is None:
            task.future.set_result(answer.result)
        elif task is not None:
            task.future.set_exception(answer.error)

    # --- the watch ---------------------------------------------------------------------------

    def _alarm(self, sentence: str) -> None:
        self._trouble = sentence
        log.error("process_pool_stalled", reason=sentence)

    def _watch(self) -> None:
        """Look at every slot, when one is due or each second, for as long as there is work."""
        while not self._over:
            lost: list[PoolTask] = []
            with self._lock:
                try:
                    lost = self._looked(monotonic())
                except Exception as error:
                    log.exception("process_pool_failed", reason=str(error))
                busy = bool(self._queue) or any(slot.deadline < inf for slot in self._slots)
                if not lost and not self._over:
                    self._asleep = not busy
                    self._watching.wait(self._until_next_look(monotonic()) if busy else None)
            for task in lost:
                task.future.set_exception(PoolUnavailable("the process pool was restarted"))

    def _looked(self, now: float) -> list[PoolTask]:
        """End what takes too long, restart what stands still; return the tasks that were lost in that."""
        lost = [task for slot in tuple(self._slots) if (task := self._looked_at(slot, now))]
        patience = self._seconds + self._start_seconds
        # What has a deadline comes to an end by it. Without any, milliseconds are usual.
        idle = bool(self._queue) and all(slot.deadline == inf for slot in self._slots)
        if idle and now - self._moved_at > patience:
            self._alarm(f"the process pool took up no task for {patience:g} seconds; it is restarted")
            self._moved_at = now
            kill_fork_server()
            lost += [task for slot in tuple(self._slots) if (task := self._give_up(slot))]
            self._find_slot(len(self._queue))
        return lost

    def _until_next_look(self, now: float) -> float:
        return min(WATCH_SECONDS, max(min((slot.deadline for slot in self._slots), default=inf) - now, 0.0))

    def _looked_at(self, slot: PoolThread, now: float) -> PoolTask | None:
        """End what takes too long; return the task of a slot that does not come back even so."""
        if slot.deadline > now:
            return None
        if slot.overdue:
            self._alarm("a process of the pool does not end; another one replaces it")
            lost = self._give_up(slot)
            if self._queue:
                self._find_slot(len(self._queue))
            return lost
        slot.overdue, slot.deadline = True, now + END_SECONDS
        if slot.starting:
            seconds = f"{self._start_seconds:g} seconds"
            self._alarm(f"a process of the pool did not start within {seconds}; the fork server is restarted")
            kill_fork_server()
        if slot.process is not None:
            slot.process.kill()
        return None

    def _give_up(self, slot: PoolThread) -> PoolTask | None:
        """Leave the slot to itself, and let another one do what is to be done; return its task."""
        slot.given_up = True
        self._slots.remove(slot)
        if slot.process is not None:
            slot.process.kill()
        self._waiting.notify_all()
        return self._take_from(slot)


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
