"""Help: the time of `caveat --help`, compared with an empty Python program and one that imports typer.

Prints the median and the minimum of ROUNDS runs; the commands alternate, so that load affects all alike.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 25
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import typer": [sys.executable, "-c", "import typer"],
    "caveat --help": [sys.executable, "-m", "service", "--help"],
    "caveat feed add --help": [sys.executable, "-m", "service", "feed", "add", "--help"],
    "caveat --version": [sys.executable, "-m", "service", "--version"],
}


def seconds(command: list[str]) -> float:
    """Return the wall time of one run of a command."""
    begun = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def main() -> None:
    """Measure, and print a table."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            taken[name].append(seconds(command))
    bare = statistics.median(taken["python -c pass"])
    print(f"{'command':<24}{'median ms':>10}{'fastest ms':>12}{'of bare Python':>16}")
    for name, times in taken.items():
        median = statistics.median(times)
        print(f"{name:<24}{median * 1000:>10.0f}{min(times) * 1000:>12.0f}{median / bare:>15.1f}x")


if __name__ == "__main__":
    main()
