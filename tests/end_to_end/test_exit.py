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
    """Keep every processor busy, which is what the fault of concurrent.futures needed to show itself."""
    spinning = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))
    ]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def told(folder: Path, command: str) -> tuple[int, str]:
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


def ends_well(folder: Path) -> None:
    """Gather and condense into a new database."""
    for record in folder.parent.glob("caveat.db*"):
        record.unlink()
    for command in ("gather", "condense"):
        code, said = told(folder, command)
        assert code == 0, said
        for unwanted in ("Traceback", "Exception ignored", "Warning"):
            assert unwanted not in said


def test_gather_and_condense_end_without_a_traceback(folder: Path):
    ends_well(folder)


@pytest.mark.long
def test_gather_and_condense_end_without_a_traceback_forty_times_on_a_busy_machine(folder: Path):
    with busy_processors():
        for _ in range(40):
            ends_well(folder)
