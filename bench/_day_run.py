"""The processes of the benchmark of a day (publishers, mail server, database, workers), and its minutes."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from _day_clock import SharedClock

from tests.postgres import running_server

BENCH = Path(__file__).resolve().parent
SINK = "/usr/sbin/smtp-sink"
SINK_SECONDS = 10  # in which smtp-sink has written its last count
WORKER_STOP_SECONDS = 60


class Worker:
    """A process that runs stages of the service (see _day_worker.py)."""

    def __init__(self, folder: Path, stages: tuple[str, ...], prefix: tuple[str, ...]) -> None:
        command = [*prefix, sys.executable, str(BENCH / "_day_worker.py"), str(folder), *stages]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.stages = stages

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def tell(self, line: str) -> None:
        """Ask for something; `reply` returns the answer."""
        print(line, file=self._process.stdin, flush=True)

    def reply(self) -> str:
        """Wait for the answer."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise SystemExit(f"the worker ended with exit code {self._process.wait()}")
        return line.strip()

    def close(self) -> None:
        """Stop the service as SIGTERM does."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(WORKER_STOP_SECONDS)


@contextlib.contextmanager
def storage_of(kind: str, folder: Path) -> Iterator[str]:
    """Yield the address of an empty database, for PostgreSQL on a server of its own."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'caveat.db'}"
        return
    try:
        with running_server(durable=True) as server:
            yield f"{server}/postgres"
    except FileNotFoundError as error:
        raise SystemExit(str(error)) from None


@contextlib.contextmanager
def mail_server(counts: Path) -> Iterator[tuple[int, int]]:
    """Run smtp-sink, which writes its counts to the file; yield its port and process id."""
    if not Path(SINK).exists():
        raise SystemExit("smtp-sink is missing; on Debian: apt install postfix (it need not be started)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    who: dict[str, Any] = {"user": pwd.getpwnam("nobody").pw_uid} if os.getuid() == 0 else {}
    command = [SINK, "-c", "-m", "512", f"127.0.0.1:{port}", "512"]
    with counts.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, cwd="/", **who)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        yield port, server.pid
    finally:
        server.terminate()
        server.wait()


def mails_at(counts: Path) -> int:
    """Return how many messages smtp-sink has accepted, by the last count that it wrote."""
    found = re.findall(rb"mesg=(\d+)", counts.read_bytes())
    return int(found[-1]) if found else 0


@contextlib.contextmanager
def site_of(folder: Path) -> Iterator[tuple[int, int]]:
    """Run the publishers' server; yield its port and process id."""
    command = [sys.executable, str(BENCH / "_day_site.py"), str(folder)]
    site = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield int(site.stdout.readline()), site.pid  # type: ignore[union-attr]
    finally:
        site.stdin.close()  # type: ignore[union-attr]
        site.wait()


def run_day(
    workers: Sequence[Worker], clock: SharedClock, moments: Sequence[datetime], seconds: float
) -> tuple[float, dict[str, Any]]:
    """Do what is due at each moment, for at most `seconds`; return wall time and the workers' reports.

    The first poll, which finds the articles of the days before, is at the first moment and does not count.
    """
    for worker in workers:
        worker.reply()
    clock.set(moments[0])
    _minute(workers)
    for worker in workers:
        worker.tell("forget")
        worker.reply()
    begun = time.perf_counter()
    for moment in moments[1:]:
        clock.set(moment)
        _minute(workers)
        if time.perf_counter() - begun > seconds:
            print(f"ended at {moment:%H:%M} of the simulated day, for lack of time")
            break
    wall = time.perf_counter() - begun
    found: dict[str, Any] = {"costs": {}, "problems": []}
    for worker in workers:
        worker.tell("report")
        _add(found, json.loads(worker.reply()))
    return wall, found


def _minute(workers: Sequence[Worker]) -> None:
    for worker in workers:
        worker.tell("minute")
    for worker in workers:
        worker.reply()


def _add(found: dict[str, Any], reported: dict[str, Any]) -> None:
    found["problems"] += reported["problems"]
    for stage, cost in reported["costs"].items():
        sums = found["costs"].setdefault(stage, dict.fromkeys(cost, 0))
        for name, value in cost.items():
            sums[name] += value


def run_script(folder: Path, site_port: int, smtp_port: int, readers: int, editions: int) -> list[float]:
    """Run the day by a script; return its CPU seconds for news and for mail, and its articles."""
    values = map(str, (site_port, smtp_port, readers, editions))
    command = [sys.executable, str(BENCH / "_day_script.py"), str(folder), *values]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [float(word) for word in done.stdout.split()]
