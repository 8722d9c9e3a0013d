"""What tests of the pool ask about its processes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from service.app.process_pool.pool import ProcessPool

PATIENCE = 60
"""Seconds after which a test considers the pool hung."""
ON_UNIX = pytest.mark.skipif(sys.platform == "win32", reason="the system has no such signals")


def pids_of(pool: ProcessPool) -> list[int]:
    return [thread.process.pid for thread in tuple(pool._threads) if thread.process is not None]


def is_there(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(is_so: Callable[[], bool]) -> None:
    never = threading.Event()
    assert any(is_so() or never.wait(0.01) for _ in range(100 * PATIENCE))


def fork_server() -> int:
    from multiprocessing import forkserver  # noqa: PLC0415 - Unix alone has it

    pid = forkserver._forkserver._forkserver_pid
    assert pid is not None
    return pid
