"""A pool without tasks takes no memory, and one with tasks shares it between its processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from service.app.process_pool.pool import ProcessPool
from tests.app.process_pool.processes import ON_UNIX, PATIENCE, fork_server, is_there, pids_of, until
from tests.app.tasks import double


def is_at_rest(pool: ProcessPool) -> bool:
    """Return whether neither a process of the pool, nor its fork server, nor the resource tracker runs."""
    from multiprocessing import forkserver, resource_tracker  # noqa: PLC0415 - Unix alone has it

    servers = (forkserver._forkserver._forkserver_pid, resource_tracker._resource_tracker._pid)
    return not pids_of(pool) and servers == (None, None)


@ON_UNIX
def test_a_pool_without_tasks_ends_its_processes_and_starts_them_again():
    with ProcessPool(2, idle_seconds=0.05) as pool:
        for _ in range(3):
            assert list(pool.map(double, range(4))) == [0, 2, 4, 6]
            servers = [fork_server(), *pids_of(pool)]
            until(lambda: is_at_rest(pool))
            assert not any(map(is_there, servers))
        assert pool.problem == ""


@ON_UNIX
def test_a_fork_server_that_serves_another_pool_does_not_end():
    with ProcessPool(1) as busy, ProcessPool(1, idle_seconds=0.05) as idle:
        pid, server = busy.submit(os.getpid).result(PATIENCE), fork_server()
        idle.submit(double, 1).result(PATIENCE)
        until(lambda: not pids_of(idle))
        assert busy.submit(os.getpid).result(PATIENCE) == pid
        assert fork_server() == server
        assert is_there(server)


@ON_UNIX
def test_tasks_that_come_while_processes_end_are_done():
    with ProcessPool(3, idle_seconds=0.001) as pool:
        never = threading.Event()
        for number in range(60):
            never.wait(0.0005 * (number % 5))
            assert pool.submit(double, number).result(PATIENCE) == 2 * number
        assert pool.problem == ""


PRELOAD = """
import os, sys
import service.app.process_pool.preload
wanted = ("feedparser", "lxml.etree", "nh3", "numpy", "py3langid", "trafilatura")
print([name for name in wanted if name not in sys.modules], len(os.listdir("/proc/self/task")))
"""


@ON_UNIX
def test_the_fork_server_has_loaded_what_tasks_need_and_has_no_thread():
    # A lock that another thread held at the fork would stay locked in the process.
    seen = subprocess.run([sys.executable, "-c", PRELOAD], capture_output=True, text=True, check=True)
    assert seen.stdout.split() == ["[]", "1"]
