"""What the process pool knows of a task, and of the thread that has one in hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass, field
from math import inf
from typing import Any

from service.app.process_pool.process import PoolProcess


class ProcessEnded(BrokenExecutor):
    """The process that ran a task came to an end, twice: the task crashed it or took too much memory."""


@dataclass(eq=False, slots=True)
class PoolTask:
    """A call and the future for its answer; `deaths` counts the processes that ended under it."""

    call: Callable[[], Any]
    future: Future[Any]
    deaths: int = 0


@dataclass(eq=False, slots=True)
class PoolThread:
    """A thread of the pool, its process and its task. Every field is changed under the pool's lock.

    `deadline` is the monotonic second by which the present step should be over: `starting` a process, handing
    the task over, or running it (`begun`). `overdue`: it was not, and the process was killed. `given_up`: not
    even that helped, and another slot does the work.
    """

    task: PoolTask | None = None
    process: PoolProcess | None = None
    deadline: float = inf
    starting: bool = False
    begun: bool = False
    overdue: bool = False
    given_up: bool = False
    thread: threading.Thread = field(init=False)
