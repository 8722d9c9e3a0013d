"""A saved configuration that would end too many subscriptions: the running service keeps the last one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.request import urlopen

import pytest
import structlog

from service.app.config.apply import apply_files
from service.app.factories.application import open_application
from service.runtime import config_watcher
from service.runtime.service import Roles, Service
from service.settings.load import load_config
from tests.builders import NOON
from tests.end_to_end.installation import Clock, free_port, running, write_config

PATIENCE = 20
EMPTY = "subscribers: []\n"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(config_watcher, "QUIET_MILLISECONDS", 100)
    return a_config(tmp_path / "config", "sqlite:///../caveat.db")


def a_config(folder: Path, storage: str) -> Path:
    """Write a configuration with twelve subscribers and no feed."""
    write_config(folder, storage=storage, news_url="http://127.0.0.1:1", smtp_port=1, web_port=free_port())
    (folder / "feeds.yaml").write_text("feeds: []\n")
    people = (f"  - {{email: reader{n}@example.org, newsletters: [daily]}}\n" for n in range(12))
    (folder / "subscribers.yaml").write_text("subscribers:\n" + "".join(people))
    return folder


@pytest.fixture
async def service(config: Path) -> AsyncIterator[Service]:
    async with running(config, Clock(NOON)) as service:
        yield service


async def active(service: Service) -> int:
    found = await service.app.subscribers.memberships()
    return sum(one.subscription.status == "active" for one in found)


async def eventually(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - a file watcher tells only the service
            await asyncio.sleep(0.02)


async def until(service: Service, *, held: bool) -> None:
    await eventually(lambda: (service.held_change is not None) is held)


async def test_an_emptied_file_ends_nobody_until_it_is_restored(service: Service, config: Path):
    before, people = service.app, (config / "subscribers.yaml").read_text()
    with structlog.testing.capture_logs() as logs:
        (config / "subscribers.yaml").write_text(EMPTY)
        await until(service, held=True)
        assert await active(service) == 12
        assert service.app is before
        health = await service.app.health.health()
        assert health.configuration.startswith(
            "the configuration would end 12 of 12 subscriptions (daily 12)"
        )

        (config / "subscribers.yaml").write_text(people)
        await until(service, held=False)
    assert [line["event"] for line in logs if "held" in line["event"]] == [
        "config_held",
        "config_no_longer_held",
    ]
    assert (await service.app.health.health()).configuration == ""


async def test_a_renamed_newsletter_and_a_file_that_is_gone_end_nobody(service: Service, config: Path):
    for name in ("subscribers.yaml", "newsletters.yaml"):
        text = (config / name).read_text()
        (config / name).with_suffix(".new").write_text(
            text.replace("daily]", "news]").replace("id: daily", "id: news")
        )
    for name in ("newsletters.yaml", "subscribers.yaml"):
        (config / name).with_suffix(".new").replace(config / name)
    await until(service, held=True)
    assert [newsletter.id for newsletter in service.app.roster.newsletters] == ["daily"]
    (config / "subscribers.yaml").unlink()
    await eventually(lambda: service.config_error)
    (config / "subscribers.yaml").write_bytes(b"")
    await eventually(lambda: "`subscribers` is missing" in str(service.config_error))

    assert await active(service) == 12


async def test_a_confirmation_in_another_process_puts_it_in_force(service: Service, config: Path):
    (config / "subscribers.yaml").write_text(EMPTY)
    await until(service, held=True)
    loaded = load_config(config, {})
    async with open_application(loaded.settings, loaded.roster, clock=Clock(NOON)) as other:
        await apply_files(other, confirmed=True)
    await until(service, held=False)
    await eventually(lambda: service.app.roster.subscribers == ())

    assert await active(service) == 0


@pytest.mark.parametrize("roles", [Roles(), Roles(stages=("compose",), schedule=False, web=False)])
async def test_a_start_with_an_emptied_folder_runs_the_last_roster(config: Path, roles: Roles):
    async with running(config, Clock(NOON)):
        pass
    (config / "subscribers.yaml").write_text(EMPTY)
    (config / "newsletters.yaml").write_text("newsletters: []\n")
    async with running(config, Clock(NOON), roles=roles) as service:
        assert service.held_change is not None
        assert await active(service) == 12
        assert [newsletter.id for newsletter in service.app.roster.newsletters] == ["daily"]


def test_a_real_process_says_so_until_the_command_confirms_it(tmp_path: Path, database_url: str):
    config = a_config(tmp_path / "config", database_url)
    environment = {**os.environ, "CAVEAT_CONFIG": str(config)}
    command = [sys.executable, "-m", "service"]
    port = load_config(config, {}).settings.web.listen_port
    process = subprocess.Popen([*command, "run"], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        health(port, lambda found: found["status"] == "ok")
        (config / "subscribers.yaml").write_text(EMPTY)
        held = health(port, lambda found: "configuration" in found)
        assert "would end 12 of 12" in held["configuration"]

        refused = subprocess.run(
            [*command, "compose"], env=environment, capture_output=True, text=True, check=False
        )
        assert refused.returncode == 2
        assert "caveat config apply --yes" in refused.stderr.replace("`", "")
        checked = subprocess.run(
            [*command, "config", "check"], env=environment, capture_output=True, text=True, check=False
        )
        assert "would end 12 of 12" in checked.stderr
        applied = subprocess.run(
            [*command, "config", "apply", "--yes"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert applied.returncode == 0
        assert "12 ended" in applied.stderr
        health(port, lambda found: "configuration" not in found)
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
    assert "config_held" in said


def health(port: int, holds: Callable[[dict[str, str]], bool]) -> dict[str, str]:
    """Ask the service for its health until that holds; return it."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
                found = json.load(response)
        except OSError:
            found = {"status": ""}
        if holds(found):
            return found
        assert time.monotonic() < end, found
        time.sleep(0.05)
