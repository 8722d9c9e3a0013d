"""A process of the pool: one pipe to the parent, one task at a time, and nothing that it shares with others.

No lock and no queue lies between the processes, so one that dies, stops or hangs at any moment costs the
task that it had and nothing else. The parent ends a process that takes too long; what the process does by
itself here is for the time when there is no parent any more.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from traceback import format_exc
from typing import Any

MEMORY_BYTES = 4 << 30
"""Address space of a process, where the system knows such a limit."""
PRELOADED = (
    "service.app.process_pool.process",
    "service.gather.entries.process",
    "service.gather.entries.full_text",
    "service.condense.keypoints",
)
"""Modules that the fork server imports once, so that each process begins with them."""
REPORT_SECONDS = 3.0
"""How long the fork server may take to report the end of a process; after that it is taken for hung."""
ORPHAN_FACTOR, IMPORT_SECONDS = 2, 60.0
"""After this many times the limit of a task, and the time for its imports, a process ends itself.

Its parent would have ended it before, so there is none any more."""

Call = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What a call returned, or what it raised."""

    result: Any = None
    error: BaseException | None = None


class PoolProcess:
    """A running process. One thread of the parent gives it tasks; any thread may call `kill`."""

    def __init__(self, seconds: float) -> None:
        """Start it; `seconds` is the limit of a task. Raises OSError or EOFError when it cannot start."""
        context = _context()
        self._pipe, theirs = context.Pipe()
        try:
            _keep_from_ctrl_c()
            self._process = context.Process(
                target=_work, args=(theirs, seconds), name="pool process", daemon=True
            )
            self._process.start()
        except BaseException:
            self._pipe.close()
            raise
        finally:
            theirs.close()
        self._handle = _handle_of(self.pid)
        self.tasks = 0

    @property
    def pid(self) -> int:
        """The number by which the system knows the process."""
        return self._process.pid or 0

    def wait_until_ready(self) -> None:
        """Wait until it has imported what it needs. Raises EOFError or OSError when it ended before that."""
        self._pipe.recv_bytes()

    @property
    def is_idle(self) -> bool:
        """Whether it lives and waits for a task. Only meaningful between two tasks."""
        try:
            return not self._pipe.poll(0)  # what could be read is the end of the pipe
        except (EOFError, OSError):
            return False

    def begin(self, call: memoryview) -> None:
        """Hand over a pickled call, and wait until it was imported and begins.

        Raises EOFError or OSError when the process came to an end, as `answer` does.
        """
        self.tasks += 1
        self._pipe.send_bytes(call)
        self._pipe.recv_bytes()

    def result(self) -> TaskResult:
        """Wait until the call has ended and return what came of it."""
        answer = self._pipe.recv_bytes()
        try:
            result, error, trace = ForkingPickler.loads(answer)
        except Exception as unreadable:  # noqa: BLE001 - a class of the task's may refuse to be put together again
            return TaskResult(error=unreadable)
        if error is not None:
            error.add_note(f"in a process of the pool:\n{trace}")
        return TaskResult(result, error)

    def kill(self) -> None:
        """End it at once, also when it is stopped or ignores every other signal; harmless afterwards."""
        if self._handle is None:
            self._process.kill()
            return
        # Not Process.kill: once the fork server is gone it takes every process for ended.
        with suppress(OSError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def close(self, seconds: float) -> None:
        """End it, and wait up to so many seconds until it is gone. Nothing may be asked of it afterwards."""
        self.kill()
        self._pipe.close()
        if self._handle is not None:
            wait([self._handle], seconds)
        self._process.join(REPORT_SECONDS)
        if self._process.is_alive():
            # At its end the interpreter would wait for this report without a limit.
            kill_fork_server()
            self._process.join(REPORT_SECONDS)
        if self._handle is not None:
            os.close(self._handle)


def pickled(call: Call) -> memoryview:
    """Return the call as bytes. Raises whatever its pickling raises."""
    return ForkingPickler.dumps(call)


def kill_fork_server() -> None:
    """End the process that starts the others, so that the next start brings up a new one."""
    from multiprocessing import forkserver  # noqa: PLC0415 - Unix alone has it

    pid = getattr(forkserver._forkserver, "_forkserver_pid", None)  # noqa: SLF001 - no public way
    if pid is not None:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def _handle_of(pid: int) -> int | None:
    """Return a handle that means this process for good, as its number does not; None where there is none."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:  # an older kernel, or the process is gone
        return None


def _context() -> Any:  # noqa: ANN401 - the contexts share no type that has Process
    # Never fork: this process has threads, and a lock that one of them holds would stay held in the child.
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload(list(PRELOADED))
    return context


def _keep_from_ctrl_c() -> None:
    """Block Ctrl-C in this thread, and so in every process that is started from it.

    A process imports for up to a second before it can ignore the signal by itself; until then it would
    print a traceback.
    """
    if hasattr(signal, "pthread_sigmask"):
        resource_tracker.ensure_running()  # it unblocks the signal after its start
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


# --- inside the process --------------------------------------------------------------------


def _work(pipe: Connection, seconds: float) -> None:
    """Run the calls that come, one after the other, until the parent closes the pipe."""
    _settle_in()
    pipe.send_bytes(b"ready")
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - what the fuse writes is of no use to anybody
        while True:
            try:
                call = pipe.recv_bytes()
                # A thread of C, which no loop in C can hold up.
                faulthandler.dump_traceback_later(
                    ORPHAN_FACTOR * seconds + IMPORT_SECONDS, exit=True, file=nowhere
                )
                answer = _answer(call, pipe)
                pipe.send_bytes(answer)
            except (EOFError, OSError, MemoryError):
                return  # the parent is gone, or this process has no memory left to answer with
            finally:
                faulthandler.cancel_dump_traceback_later()


def _answer(packed_call: bytes, pipe: Connection) -> bytes:
    """Return result, error and traceback of a call, pickled; say through the pipe when it begins."""
    try:
        try:
            call = ForkingPickler.loads(packed_call)
        finally:
            pipe.send_bytes(b"begun")
        return bytes(ForkingPickler.dumps((call(), None, "")))
    except Exception as error:  # noqa: BLE001 - it is raised in the parent
        return _error_answer(error, format_exc())


def _error_answer(error: Exception, trace: str) -> bytes:
    try:
        answer = bytes(ForkingPickler.dumps((None, error, trace)))
        ForkingPickler.loads(answer)
    except Exception:  # noqa: BLE001 - an error that cannot travel goes by its name
        return bytes(ForkingPickler.dumps((None, RuntimeError(f"{type(error).__name__}: {error}"), trace)))
    return answer


def _settle_in() -> None:
    """Prepare a process: Ctrl-C is the parent's to hear, memory is bounded, and an orphan leaves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Unix alone has it

        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        limits = [MEMORY_BYTES, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)]
        resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_after, args=(parent.sentinel,), daemon=True).start()


def _leave_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(0)
