"""The benchmark of a day, in small: every mail of the ledger reaches the server, on both databases."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres import binaries

ROOT = Path(__file__).resolve().parents[1]
NO_SINK = "NO DAY MEASURED: there is no smtp-sink on this machine (apt install postfix)"


@pytest.mark.parametrize("options", [(), ("--storage", "postgresql", "--workers", "2")])
def test_every_mail_of_a_small_day_reaches_the_server(options: tuple[str, ...]):
    if not Path("/usr/sbin/smtp-sink").exists():
        pytest.skip(NO_SINK)
    if options and binaries() is None:
        pytest.skip("no PostgreSQL server")
    command = [sys.executable, str(ROOT / "bench" / "day.py"), "--small", *options]
    day = subprocess.run(command, capture_output=True, text=True, check=False)

    assert day.returncode == 0, day.stdout + day.stderr
    assert re.search(r"^mails: 60 in the ledger, 60 at the server$", day.stdout, re.MULTILINE)
    rows = re.findall(r"^(\w+) +\d+ +(\d+) ", day.stdout, re.MULTILINE)
    made = {stage: int(count) for stage, count in rows}
    assert made["gather"] == made["condense"] > 0
    assert (made["compose"], made["deliver"]) == (10, 60)
