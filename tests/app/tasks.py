"""Tasks for the pool; with few imports, because they count as start time of a process."""

from __future__ import annotations

import os
import re
import signal
import time


def double(number: int) -> int:
    return number * 2


def large(number: int) -> bytes:
    """Return more bytes than a pipe buffers."""
    return bytes([number % 256]) * 300_000


def die(_number: int = 0) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def stop(_number: int = 0) -> int:
    os.kill(os.getpid(), signal.SIGSTOP)
    return 0


def refuse(_number: int = 0) -> int:
    raise ValueError("not this one")


class Odd(Exception):
    """An error that cannot be unpickled."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


def refuse_oddly(_number: int = 0) -> int:
    raise Odd(1, 2)


def linger(_number: int = 0) -> int:
    time.sleep(60)
    return 0


def spin(_number: int = 0) -> int:
    """Run C code for hours and ignore every signal that can be ignored."""
    for deaf in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(deaf, signal.SIG_IGN)
    return bool(re.match(r"(a+)+$", "a" * 60 + "b"))


def gorge(_number: int = 0) -> int:
    return len(bytearray(8 << 30))


def answer_of_no_kind(_number: int = 0) -> object:
    return lambda: None
