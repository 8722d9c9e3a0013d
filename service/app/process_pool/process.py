"""A process of the pool: one pipe to the parent, one task at a time, nothing shared with other processes.

The processes share no lock and no queue: one that dies, stops or hangs loses its own task and nothing else.
The parent kills a process that takes too long; a process ends itself only when its parent is gone.
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
"""Limit of a process's address space, on systems with such a limit."""
PRELOADED = ("service.app.process_pool.process", "service.app.process_pool.preload")
"""Modules that the fork server imports once for all processes."""
REPORT_SECONDS = 3.0
"""How long the fork server may take to report the end of a process; then it counts as hung."""
ORPHAN_FACTOR, IMPORT_SECONDS = 2, 60.0
"""A process ends itself after ORPHAN_FACTOR times the limit of a task plus IMPORT_SECONDS.

A living parent would have killed it earlier."""

Call = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The return value of a call, or the error that it raised."""

    result: Any = None
    error: BaseException | None = None


_ONE_START = threading.Lock()
"""The standard library finds out that the fork server is gone, and clears its address, in one thread while
another one is about to connect to it. So only one thread starts a process at a time."""


class PoolProcess:
    """A running process. Only one thread of the parent gives it tasks; any thread may call `kill`."""

    def __init__(self, seconds: float) -> None:
        """Start the process; `seconds` limits a task. Raises OSError or EOFError when it cannot start."""
        context = _context()
        self._pipe, theirs = context.Pipe()
        try:
            _keep_from_ctrl_c()
            self._process = context.Process(
                target=_work, args=(theirs, seconds), name="pool process", daemon=True
            )
            with _ONE_START:
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
        """The process id."""
        return self._process.pid or 0

    def wait_until_ready(self) -> None:
        """Wait until its imports are done. Raises EOFError or OSError when it ended before."""
        self._pipe.recv_bytes()

    @property
    def is_idle(self) -> bool:
        """Whether it is alive and waits for a task. Only meaningful between two tasks."""
        try:
            return not self._pipe.poll(0)  # only the end of the pipe could be read
        except (EOFError, OSError):
            return False

    def begin(self, call: memoryview) -> None:
        """Send a pickled call, and wait until its imports are done and it begins.

        Raises EOFError or OSError when the process ended.
        """
        self.tasks += 1
        self._pipe.send_bytes(call)
        self._pipe.recv_bytes()

    def result(self) -> TaskResult:
        """Wait for the call and return its result. Raises EOFError or OSError when the process ended."""
        answer = self._pipe.recv_bytes()
        try:
            result, error, trace = ForkingPickler.loads(answer)
        except Exception as unreadable:  # noqa: BLE001 - unpickling runs code of the task's classes
            return TaskResult(error=unreadable)
        if error is not None:
            error.add_note(f"in a process of the pool:\n{trace}")
        return TaskResult(result, error)

    def kill(self) -> None:
        """Kill the process, also when it is stopped or ignores other signals; may be repeated."""
        if self._handle is None:
            self._process.kill()
            return
        # Process.kill does nothing once the fork server is gone: it then treats every process as ended.
        with suppress(OSError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def close(self, seconds: float) -> None:
        """Kill the process and wait up to `seconds` for its end. It must not be used afterwards."""
        self.kill()
        self._pipe.close()
        if self._handle is not None:
            wait([self._handle], seconds)
        self._process.join(REPORT_SECONDS)
        if self._process.is_alive():
            # At exit the interpreter would wait for this report without a limit.
            kill_fork_server()
            self._process.join(REPORT_SECONDS)
        if self._handle is not None:
            os.close(self._handle)


def pickled(call: Call) -> memoryview:
    """Return the pickled call. Raises any error of pickling."""
    return ForkingPickler.dumps(call)


def kill_fork_server() -> None:
    """Kill the fork server; the next process start brings up a new one."""
    from multiprocessing import forkserver  # noqa: PLC0415 - Unix alone has it

    pid = getattr(forkserver._forkserver, "_forkserver_pid", None)  # noqa: SLF001 - no public way
    if pid is not None:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def end_unused_fork_server() -> None:
    """End the fork server and the resource tracker that came with it, unless a process runs.

    The next start of a process brings them up again.
    """
    if sys.platform == "win32":
        return
    from multiprocessing import forkserver  # noqa: PLC0415 - Unix alone has it

    servers: tuple[tuple[Any, str], ...] = (
        (forkserver._forkserver, "_forkserver_pid"),  # noqa: SLF001 - no public way
        (resource_tracker._resource_tracker, "_pid"),  # noqa: SLF001 - as above
    )
    with _ONE_START:
        if multiprocessing.active_children():
            return
        for server, pid in servers:
            with suppress(OSError, TypeError):  # it is gone, or was never started
                os.kill(getattr(server, pid), signal.SIGKILL)
                server._stop()  # noqa: SLF001 - it reaps the process and closes its pipe


def _handle_of(pid: int) -> int | None:
    """Return a handle of the process, which unlike its id is never reused; None without support."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:  # an older kernel, or the process is gone
        return None


def _context() -> Any:  # noqa: ANN401 - the contexts share no type that has Process
    # Never fork: a lock that another thread holds would stay locked in the child.
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload(list(PRELOADED))
    return context


def _keep_from_ctrl_c() -> None:
    """Block SIGINT in this thread, and thereby in the processes that it starts.

    A process imports for up to a second before it ignores the signal itself; until then it would print a
    traceback at Ctrl-C.
    """
    if hasattr(signal, "pthread_sigmask"):
        resource_tracker.ensure_running()  # it unblocks the signal after its start
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


# --- inside the process --------------------------------------------------------------------


def _work(pipe: Connection, seconds: float) -> None:
    """Run calls one after the other until the parent closes the pipe."""
    _prepare()
    pipe.send_bytes(b"ready")
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - for the traceback of faulthandler, which nobody reads
        while True:
            try:
                call = pipe.recv_bytes()
                # A thread in C: it also ends a process that loops in C code.
                faulthandler.dump_traceback_later(
                    ORPHAN_FACTOR * seconds + IMPORT_SECONDS, exit=True, file=nowhere
                )
                answer = _answer(call, pipe)
                pipe.send_bytes(answer)
            except (EOFError, OSError, MemoryError):
                return  # the parent is gone, or no memory is left for an answer
            finally:
                faulthandler.cancel_dump_traceback_later()


def _answer(packed_call: bytes, pipe: Connection) -> bytes:
    """Return result, error and traceback of a call, pickled; report its beginning through the pipe."""
    try:
        try:
            call = ForkingPickler.loads(packed_call)
        finally:
            pipe.send_bytes(b"begun")
        return bytes(ForkingPickler.dumps((call(), None, "")))
    except Exception as error:  # noqa: BLE001 - the parent raises it
        return _error_answer(error, format_exc())


def _error_answer(error: Exception, trace: str) -> bytes:
    try:
        answer = bytes(ForkingPickler.dumps((None, error, trace)))
        ForkingPickler.loads(answer)
    except Exception:  # noqa: BLE001 - an error that cannot be pickled is sent as text
        return bytes(ForkingPickler.dumps((None, RuntimeError(f"{type(error).__name__}: {error}"), trace)))
    return answer


def _prepare() -> None:
    """Prepare the process: ignore SIGINT, limit the memory, exit when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Unix alone has it

        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        limits = [MEMORY_BYTES, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)]
        resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()


def _exit_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(0)
