"""CPU time and memory of processes and their descendants, as the kernel counts them (Linux)."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.5


def descendants(pid: int) -> list[int]:
    """Return the processes that this one started, and theirs."""
    found: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (thread / "children").read_text().split()):
                found += [child, *descendants(child)]
    return found


def cpu_of_others(pid: int) -> float:
    """Return the CPU seconds of the process's descendants, also of those that ended."""
    return sum(cpu_of(child) for child in descendants(pid))


def cpu_of(pid: int, *, with_ended: bool = True) -> float:
    """Return the CPU seconds of the process, and of its children that ended."""
    with suppress(OSError):
        values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        # User and system time, and those of its ended children.
        return sum(map(int, values[11 : 15 if with_ended else 13])) / TICKS
    return 0.0


def peak_of(pid: int) -> int:
    """Return the largest resident size of the process so far, in KB."""
    return _status(pid, "VmHWM")


def _status(pid: int, name: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    return 0


def _proportional(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


@dataclass
class MemoryWatch:
    """Samples the memory of processes with all descendants until `stop`; sizes in KB.

    `resident` counts memory that processes share once for each of them, `proportional` (PSS) once in all.
    """

    pids: list[int]
    resident: int = 0
    proportional: int = 0
    main: int = 0
    processes: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> MemoryWatch:
        """Sample in a thread of its own."""
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the sampling."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.sample()
            if self._ended.wait(SAMPLE_SECONDS):
                return

    def sample(self) -> None:
        """Take one sample."""
        every = [one for pid in self.pids for one in (pid, *descendants(pid))]
        self.main = max(self.main, *map(peak_of, self.pids))
        self.resident = max(self.resident, sum(_status(pid, "VmRSS") for pid in every))
        self.proportional = max(self.proportional, sum(map(_proportional, every)))
        self.processes = max(self.processes, len(every))
