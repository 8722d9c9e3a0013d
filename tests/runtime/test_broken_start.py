"""A service that starts while a roster file is broken works with what was applied last."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.settings.load import load_config
from tests.end_to_end.installation import (
    Clock,
    free_port,
    running,
    smtp_server,
    sweep_until_idle,
    write_config,
)
from tests.end_to_end.news_site import news_site, published_articles
from tests.runtime.test_held_config import PATIENCE, a_config, eventually, health

FIRST = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
"""After the due time of every subscriber on that day."""
PLACE = "newsletters.yaml:3:44:"


def break_newsletters(config: Path) -> None:
    replace(config / "newsletters.yaml", "daily 07:00", "dayly 07:00")


def mend_newsletters(config: Path) -> None:
    replace(config / "newsletters.yaml", "dayly 07:00", "daily 07:00")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.with_suffix(".new").write_text(text.replace(old, new))
    path.with_suffix(".new").replace(path)


@contextmanager
def started(config: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command as a process of its own; stop it as a service manager does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "service", *words],
        env={**os.environ, "CAVEAT_CONFIG": str(config)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()


def lines_until(process: subprocess.Popen[str], event: str) -> str:
    """Read the log up to the line of the event."""
    said = ""
    for line in process.stderr:
        said += line
        if event in line:
            return said
    raise AssertionError(said)


async def test_the_next_digest_goes_out_after_a_restart_with_a_typo_and_the_mended_file_is_taken(
    tmp_path: Path, database_url: str
):
    clock, news, config = Clock(FIRST), published_articles(FIRST - timedelta(days=1), 6), tmp_path / "config"
    with smtp_server() as (inbox, smtp_port), news_site(news, clock) as base:
        write_config(config, storage=database_url, news_url=base, smtp_port=smtp_port, web_port=free_port())
        async with running(config, clock) as service:
            await sweep_until_idle(service)
        before = len(inbox.mails)
        break_newsletters(config)
        clock.at = FIRST + timedelta(days=1)
        async with running(config, clock) as service:
            await sweep_until_idle(service)
            assert sorted(mail.to for mail in inbox.mails[before:]) == [
                f"{name}@example.org" for name in ("amina", "ben", "carla")
            ]
            (fault,) = service.app.config_faults()
            assert fault.startswith(PLACE)
            mend_newsletters(config)
            await eventually(lambda: not service.app.config_faults())
            assert len(service.app.roster.subscribers) == 3
            await sweep_until_idle(service)
        assert len(inbox.mails) == before + 3


def test_a_real_process_names_the_fault_until_the_file_is_mended(tmp_path: Path):
    config = a_config(tmp_path / "config", "sqlite:///../caveat.db")
    port = load_config(config, {}).settings.web.listen_port
    with started(config, "run") as process:
        health(port, lambda found: found["status"] == "ok")
    assert process.returncode == 0
    break_newsletters(config)
    with started(config, "run") as process:
        found = health(port, lambda found: found["status"] == "ok")
        assert PLACE in found["configuration"]
        assert "config_rejected" in (log := lines_until(process, "started"))
        assert PLACE in log
        mend_newsletters(config)
        assert "config_applied" in lines_until(process, "config_valid_again")
        health(port, lambda found: "configuration" not in found)
    assert process.returncode == 0


def test_the_processes_of_a_split_service_start_with_a_broken_file(tmp_path: Path, postgres_url: str):
    config = a_config(tmp_path / "config", postgres_url)
    with started(config, "scheduler") as process:
        lines_until(process, "roster_applied")
    replace(config / "subscribers.yaml", "reader3@example.org", "reader3.example.org, surname: x")
    (config / "feeds.yaml").write_text("feeds: [")
    with (
        started(config, "scheduler") as scheduler,
        started(config, "worker") as worker,
        started(config, "web") as web,
    ):
        for process in (scheduler, worker, web):
            log = lines_until(process, "started")
            assert "config_rejected" in log
            assert "feeds.yaml:1:" in log
