"""A budget of processor time: each attack runs in a process that the kernel ends when its time is spent.

No times are compared. An attack is long enough that work in proportion to its length takes
milliseconds and work in proportion to its square takes minutes; the budget lies far from both. The limit is
the kernel's (ITIMER_PROF counts the processor time of this process alone), because a regular expression that
runs handles no other signal.
"""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

Attack = tuple[str, Callable[[], object]]
"""A name on one line, and the function to run within the budget. Its exceptions are ignored.

The part of the name before a tab is the target: after one failure it is not attacked again."""

SECONDS = 3.0
"""Processor time for each attack."""
MAX_FAILURES = 20
"""Failures after which the search ends, because each costs `SECONDS`."""


def overspent(attacks: str, seconds: float = SECONDS) -> list[str]:
    """Return the names of the attacks that spend more than their budget.

    `attacks` names a function without parameters as `module:function`; it yields the attacks, in the same
    order each time. Raises AssertionError when it does not run to its end.
    """
    found: list[str] = []
    while len(found) < MAX_FAILURES:
        worker = subprocess.run(
            [sys.executable, "-m", __name__, attacks, str(seconds)],
            cwd=Path(__file__).parents[2],
            input="".join(f"{name}\n" for name in found),
            capture_output=True,
            text=True,
            check=False,
        )
        begun = worker.stdout.splitlines()
        if worker.returncode == 0:
            assert begun[-1:] == ["done"]
            assert len(begun) > 1 or found, "there is no attack at all"
            return found
        assert worker.returncode == -signal.SIGPROF, worker.stderr
        found.append(begun[-1])
    return found


def main(attacks: str, seconds: float, failed: list[str]) -> None:
    """Run the attacks after the last that failed, each against its own timer; print each name first."""
    module, _, function = attacks.partition(":")
    named: Callable[[], Iterator[Attack]] = getattr(importlib.import_module(module), function)
    targets, last = {_target(name) for name in failed}, failed[-1] if failed else None
    for name, attack in named():
        if last is not None or _target(name) in targets:
            last = None if name == last else last
            continue
        print(name, flush=True)  # noqa: T201 - the parent reads it
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            attack()
        except Exception:  # noqa: BLE001, S110 - other tests check errors
            pass
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    print("done", flush=True)  # noqa: T201 - the parent reads it


def _target(name: str) -> str:
    return name.partition("\t")[0]


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.stdin.read().splitlines())
