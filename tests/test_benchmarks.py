"""Every benchmark still runs, in its smallest form: a new column can break one that inserts its own data."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SMALLEST = {
    "compose": "--editions 4 --stories 40",
    "condense": "--speed",
    "config": "20",
    "full_text_layouts": "",
    "gather": "sweep delta pages --feeds 20",
    "help": "",
    "judge": "",
    "learn_keypoints": "",
    "people": "--rows 500 --plain 50",
    "ranking": "--stories 50 --editions 1",
    "recovery": "--kills 1 --lease 2",
    "scale": "--readers 10000 --messages 500 --rounds 1",
    "sentences": "",
    "store": "--subscribers 5000 --marks 500",
    "start": "1",
    "stories": "--window 100",
    "transactions": "--number 5",
    "web": "--people 500 --rounds 2",
}
"""Arguments by benchmark; those that are not named here take --small."""

PEERS = {
    "condense": "rouge_score",
    "gather": "reader",
    "judge": "rouge_score",
    "learn_keypoints": "rouge_score",
}
"""The library of the dependency group `bench` that a benchmark compares with, or counts with."""

BENCHMARKS = sorted(path.stem for path in (ROOT / "bench").glob("[!_]*.py"))


def test_no_arguments_are_kept_for_a_benchmark_that_is_gone():
    assert set(SMALLEST) <= set(BENCHMARKS)


@pytest.mark.long
@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs_in_its_smallest_form(name: str):
    if name in PEERS:
        pytest.importorskip(PEERS[name], reason="python3 dev.py bench installs the benchmarks' own libraries")
    words = SMALLEST.get(name, "--small").split()
    command = [sys.executable, f"bench/{name}.py", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    # 1: a target was missed, as it may be on a busy machine; a benchmark that breaks has a traceback as well.
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout + done.stderr
