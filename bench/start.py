"""Start: CPU seconds of plain commands, and start and memory of an idle service.

Compared in the same run with a bare Python that imports what a script for the same task would use. All are
processes of their own; they take turns, so that load affects all alike. Prints the median and the range of
the CPU seconds of ROUNDS runs. PSS counts a page that processes share once, RSS once for each process.
The first argument is the number of rounds.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROUNDS = 5
IDLE_SECONDS = 5.0  # after the first answer, before the memory is read
MEGABYTE = 1024  # kilobytes, which /proc counts in

FILES = {
    "caveat.yaml": """
site: {name: The Bench, url: "https://news.example.org", from: b@example.org, postal_address: "1 Street"}
storage: sqlite:///../caveat.db
mail: {channel: file, folder: ../outbox}
""",
    "feeds.yaml": "feeds: []\n",
    "newsletters.yaml": """
newsletters:
  - {id: morning, title: Morning, schedule: "daily 07:00", timezone: UTC}
""",
    "subscribers.yaml": "subscribers:\n  - {email: amina@example.org, newsletters: [morning]}\n",
}
SCRIPTS = {
    "python -c pass": "pass",
    "script: sqlite3, yaml, argparse": "import argparse, sqlite3, ruamel.yaml",
    "script: sqlalchemy, pydantic, typer": "import sqlalchemy, pydantic.main, ruamel.yaml, typer, asyncio",
}
COMMANDS = (
    "config check",
    "issue list",
    "feed list",
    "subscriber list",
    "subscriber show amina@example.org",
    "doctor",
    "deliver",
    "plan",
    "preview morning",
    "send morning --dry-run --all",
)
LIBRARIES = (
    "starlette.applications, uvicorn, apscheduler.schedulers.asyncio, sqlalchemy, pydantic.main, jinja2"
)


def cpu_seconds(command: Sequence[str]) -> float:
    """Return the CPU seconds of a command."""
    begun = os.times()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    ended = os.times()
    used = ended.children_user + ended.children_system
    return used - begun.children_user - begun.children_system


def processes(pid: int) -> Iterator[int]:
    """Yield a process and all processes below it."""
    yield pid
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                yield from processes(int(path.parent.name))


def memory(pid: int) -> tuple[float, float]:
    """Return RSS and PSS of a process in megabytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {
        name: int(rest.split()[0]) / MEGABYTE for name, _, rest in (line.partition(":") for line in lines)
    }
    return sizes["Rss"], sizes["Pss"]


def process_cpu(pid: int) -> float:
    """Return the CPU seconds of a living process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for_answer(port: int) -> None:
    """Wait until the health page answers with any status."""
    while True:
        try:
            urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
        except URLError as error:
            if not hasattr(error, "code"):
                time.sleep(0.005)
                continue
        return


def print_idle(command: Sequence[str]) -> None:
    """Start the service, and print when it answered and what its processes take."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "CAVEAT_WEB__LISTEN": f"127.0.0.1:{port}"}
    begun = time.perf_counter()
    service = subprocess.Popen([*command, "run"], env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for_answer(port)
        wall, cpu = time.perf_counter() - begun, process_cpu(service.pid)
        print(f"caveat run: first answer after {wall:.2f} s, {cpu:.2f} s CPU")
        time.sleep(IDLE_SECONDS)
        sizes = [memory(pid) for pid in processes(service.pid)]
        for rss, pss in sizes:
            print(f"    process: {rss:6.1f} MB RSS {pss:6.1f} MB PSS")
        print(f"    sum:     {sum(r for r, _ in sizes):6.1f} MB RSS {sum(p for _, p in sizes):6.1f} MB PSS")
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(30)


def print_bare_server() -> None:
    """Print what a Python process takes that has only imported the libraries of such a service."""
    code = f"import {LIBRARIES}; print(flush=True); input()"
    command = [sys.executable, "-c", code]
    bare = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    bare.stdout.readline()
    rss, pss = memory(bare.pid)
    print(f"its libraries alone: {process_cpu(bare.pid):.2f} s CPU, {rss:.1f} MB RSS {pss:.1f} MB PSS")
    bare.communicate("\n")


def main() -> None:
    """Measure, and print the tables."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "config"
        folder.mkdir()
        for name, text in FILES.items():
            (folder / name).write_text(text)
        caveat = [sys.executable, "-m", "service", "--config", str(folder)]
        cpu_seconds([*caveat, "config", "apply"])
        commands = {name: [sys.executable, "-c", code] for name, code in SCRIPTS.items()}
        commands |= {f"caveat {words}": [*caveat, *words.split()] for words in COMMANDS}
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                taken[name].append(cpu_seconds(command))
        reference = statistics.median(taken["script: sqlalchemy, pydantic, typer"])
        print(f"{'command':<42}{'median':>8}{'range':>14}   of the script")
        for name, times in taken.items():
            middle = statistics.median(times)
            print(f"{name:<42}{middle:>8.2f}{min(times):>8.2f}-{max(times):.2f}{middle / reference:>10.1f} x")
        print_idle(caveat)
        print_bare_server()


if __name__ == "__main__":
    main()
