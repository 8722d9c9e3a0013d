"""Tasks and threads of the process pool."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass, field
from math import inf
from typing import Any

from service.app.process_pool.process import PoolProcess


class ProcessEnded(BrokenExecutor):
    """Two processes ended while they ran the task: it crashed them or took too much memory."""


@dataclass(eq=False, slots=True)
class PoolTask:
    """A call and the future of its result; `deaths` counts the processes that ended while running it."""

    call: Callable[[], Any]
    future: Future[Any]
    deaths: int = 0


@dataclass(eq=False, slots=True)
class PoolThread:
    """A thread of the pool with its process and its task. All fields are changed under the pool's lock.

    `deadline` is the monotonic time in seconds at which the current step must be over: `starting` a process,
    handing over the task, or running it (`begun`). `overdue`: it was not, and the process was killed.
    `given_up`: the thread did not return even then, and another thread replaces it.
    """

    task: PoolTask | None = None
    process: PoolProcess | None = None
    deadline: float = inf
    starting: bool = False
    begun: bool = False
    overdue: bool = False
    given_up: bool = False
    handle: threading.Thread = field(init=False)
