"""Commands that used the process pool end well: exit code 0, and no traceback on standard error."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.runner import write_files

PATIENCE = 120


@contextmanager
def busy_processors() -> Iterator[None]:
    """Keep every processor busy, because the fault of concurrent.futures showed only under load."""
    spinning = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))
    ]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def run_command(folder: Path, command: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "service", "--config", str(folder), command],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    return done.returncode, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_files(tmp_path / "config")
    return tmp_path / "config"


def check_exit(folder: Path) -> None:
    """Gather and condense into a new database."""
    for record in folder.parent.glob("caveat.db*"):
        record.unlink()
    for command in ("gather", "condense"):
        code, stderr = run_command(folder, command)
        assert code == 0, stderr
        for unwanted in ("Traceback", "Exception ignored", "Warning"):
            assert unwanted not in stderr


def test_gather_and_condense_end_without_a_traceback(folder: Path):
    check_exit(folder)


@pytest.mark.long
def test_gather_and_condense_end_without_a_traceback_forty_times_on_a_busy_machine(folder: Path):
    with busy_processors():
        for _ in range(40):
            check_exit(folder)
