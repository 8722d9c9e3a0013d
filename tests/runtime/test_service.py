"""The running service: reload, roles, start and stop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from itertools import islice
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import structlog

from service.app.factories.application import Application
from service.app.judge.asking import JudgeReport
from service.app.process_pool.process import PoolProcess
from service.core.errors import CaveatError, StoreError
from service.core.read_models import PendingWork
from service.runtime.service import Roles, Service
from service.runtime.stage_signals import stages_with_work
from service.runtime.together import run_together
from tests.builders import NOON
from tests.cli.runner import FILES
from tests.end_to_end.installation import Clock, free_port, periodic_work, running, write_config

PATIENCE = 20


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    web = free_port()
    write_config(
        folder, storage="sqlite:///../caveat.db", news_url="http://127.0.0.1:1", smtp_port=1, web_port=web
    )
    (folder / "feeds.yaml").write_text("feeds: []\n")
    return folder


@pytest.fixture
async def service(config: Path) -> AsyncIterator[Service]:
    async with running(config, Clock(NOON)) as service:
        yield service


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - a file watcher tells only the service
            await asyncio.sleep(0.02)


def edit(path: Path, old: str, new: str) -> None:
    """Save a change as editors do: a new file in the place of the old one."""
    text = path.read_text()
    assert old in text
    path.with_suffix(".new").write_text(text.replace(old, new))
    path.with_suffix(".new").replace(path)


def answer(port: int, path: str = "/healthz") -> int:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
        return response.status


async def test_the_roster_is_applied_at_the_start(service: Service):
    people = {m.subscriber.email for m in await service.app.subscribers.memberships()}

    assert people == {"amina@example.org", "ben@example.org", "carla@example.org"}


async def test_a_saved_change_is_applied_without_a_restart(service: Service, config: Path):
    before = service.app
    edit(config / "subscribers.yaml", "amina@example.org", "dana@example.org")
    await until(lambda: service.app is not before)

    async def known() -> set[str]:
        found = await service.app.subscribers.memberships()
        return {m.subscriber.email for m in found if m.subscription.status == "active"}

    async with asyncio.timeout(PATIENCE):
        while "dana@example.org" not in await known():  # noqa: ASYNC110 - as in until
            await asyncio.sleep(0.02)
    assert await asyncio.to_thread(answer, service.app.settings.web.listen_port) == 200


async def test_an_invalid_file_keeps_the_last_valid_configuration(service: Service, config: Path):
    before = service.app
    with structlog.testing.capture_logs() as logs:
        edit(config / "newsletters.yaml", "daily 07:00", "dayly 07:00")
        await until(lambda: service.config_error)

    assert service.app is before
    assert "newsletters.yaml:3" in str(service.config_error)
    assert [line["log_level"] for line in logs if line["event"] == "config_rejected"] == ["warning"]
    assert await asyncio.to_thread(answer, before.settings.web.listen_port) == 200

    edit(config / "newsletters.yaml", "dayly 07:00", "daily 08:00")
    await until(lambda: service.app is not before)
    await until(lambda: service.config_error is None)
    assert service.app.roster.newsletters[0].schedule == "daily 08:00"


async def test_the_log_says_that_a_restored_configuration_is_valid_again(service: Service, config: Path):
    edit(config / "newsletters.yaml", "daily 07:00", "dayly 07:00")
    await until(lambda: service.config_error)
    with structlog.testing.capture_logs() as logs:
        edit(config / "newsletters.yaml", "dayly 07:00", "daily 07:00")
        await until(lambda: service.config_error is None)
    assert [line["event"] for line in logs] == ["config_valid_again"]


async def test_another_database_needs_a_restart(service: Service, config: Path):
    with structlog.testing.capture_logs() as logs:
        edit(config / "caveat.yaml", "caveat.db", "other.db")
        await until(lambda: [line for line in logs if line["event"] == "config_needs_restart"])

    assert service.app.settings.storage.endswith("caveat.db")


@pytest.mark.parametrize("judged", [True, False])
async def test_a_tick_asks_the_judge_only_if_there_is_one(
    config: Path, judged: bool, monkeypatch: pytest.MonkeyPatch
):
    reports = [JudgeReport(answered=2, unanswered=1, problems=("no answer about X",))]

    async def ask(_app: Application) -> JudgeReport:
        return reports.pop()

    monkeypatch.setattr(Application, "ask_judge", ask)
    if judged:
        judge = 'judge: {url: "http://127.0.0.1:1/v1", model: qwen}'
        edit(config / "caveat.yaml", "processes: 1}", f"processes: 1, {judge}}}")
    async with running(config, Clock(NOON)) as service:
        with structlog.testing.capture_logs() as logs:
            await periodic_work(service).ask_judge()

    assert len(reports) == (0 if judged else 1)
    found = [line for line in logs if line.get("stage") == "judge"]
    assert [line["event"] for line in found] == (["stage_finished", "stage_problem"] if judged else [])


async def test_a_stop_ends_a_tick_without_an_error(service: Service, monkeypatch: pytest.MonkeyPatch):
    begun = asyncio.Event()

    async def wait(_app: Application) -> int:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr("service.app.maintenance.prune", wait)
    tick = asyncio.create_task(periodic_work(service).prune())
    await begun.wait()
    tick.cancel()

    assert await tick is None


async def test_a_tick_that_fails_is_logged_and_does_not_stop_the_service(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    async def lost(_app: Application) -> int:
        raise StoreError("the database was lost")

    monkeypatch.setattr("service.app.maintenance.prune", lost)
    with structlog.testing.capture_logs() as logs:
        await periodic_work(service).prune()

    assert [(line["event"], line["reason"]) for line in logs] == [("prune_failed", "the database was lost")]


async def test_work_in_progress_keeps_its_application(service: Service, config: Path):
    async with service._apps.use() as old:
        edit(config / "newsletters.yaml", "The Test", "Another Title")
        await until(lambda: service.app is not old)

        assert await old.pending_work() is not None  # its database is still open
        assert old.roster.newsletters[0].title == "The Test"
    assert service.app.roster.newsletters[0].title == "Another Title"


async def test_a_pool_that_cannot_start_a_process_fails_the_health_check_until_it_can(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    port = service.app.settings.web.listen_port

    def no_memory(_process: object, _seconds: float) -> None:
        raise OSError("Cannot allocate memory")

    async def status() -> int:
        try:
            return await asyncio.to_thread(answer, port)
        except HTTPError as error:
            return error.code

    with monkeypatch.context() as patched:
        patched.setattr(PoolProcess, "__init__", no_memory)
        patched.setattr("service.app.process_pool.limits.START_PAUSE_SECONDS", 0.001)
        failing = service._pool.submit(len, ())
        await until(failing.done)
        assert await status() == 503
    assert await asyncio.wrap_future(service._pool.submit(len, ())) == 0
    assert await status() == 200


def test_a_sweep_signals_the_stages_with_work_and_no_other():
    assert stages_with_work(PendingWork()) == []
    assert stages_with_work(PendingWork(feeds=7, groups=3, deliveries=1_200)) == [
        "gather",
        "compose",
        "deliver",
    ]


async def test_the_first_part_that_fails_stops_the_others():
    stopping, left = asyncio.Event(), []

    async def patient() -> None:
        await stopping.wait()
        left.append("patient")

    async def broken() -> None:
        raise CaveatError("the door is stuck")

    with pytest.raises(CaveatError, match="stuck"):
        await run_together([patient(), broken()], stopping)
    assert left == ["patient"]


async def test_a_part_that_does_not_end_is_cancelled(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("service.runtime.together.STOP_GRACE_SECONDS", 0.05)
    stopping = asyncio.Event()
    stopping.set()

    await run_together([asyncio.Event().wait()], stopping)


def program(config: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "service", "--config", str(config), *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def events_until(process: subprocess.Popen[str], event: str) -> list[str]:
    """Read the program's log up to an event."""
    seen: list[str] = []
    for line in process.stderr:
        seen.append(json.loads(line)["event"])
        if seen[-1] == event:
            return seen
    raise AssertionError(f"the program ended before {event!r}: {seen}")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_the_program_runs_until_a_signal(config: Path, sign: signal.Signals):
    process = program(config, "run")
    try:
        events_until(process, "started")
        port = int(
            (config / "caveat.yaml").read_text().rpartition('listen: "127.0.0.1:')[2].partition('"')[0]
        )
        assert answer(port) == 200
        os.kill(process.pid, sign)
        _, said = process.communicate(timeout=10)
    finally:
        process.kill()

    assert process.returncode == 0
    assert json.loads(said.splitlines()[-1])["event"] == "stopped"


async def test_a_worker_serves_metrics_and_works_without_them(config: Path):
    port = free_port()
    edit(config / "caveat.yaml", "web: {", f'web: {{metrics_listen: "127.0.0.1:{port}", ')
    worker = Roles(("deliver",), schedule=False, web=False)
    with structlog.testing.capture_logs() as logs:
        async with running(config, Clock(NOON), worker), running(config, Clock(NOON), worker):
            assert await asyncio.to_thread(answer, port, "/metrics") == 200

    assert [line["log_level"] for line in logs if line["event"] == "metrics_not_served"] == ["warning"]


def test_a_port_in_use_is_one_sentence(config: Path):
    port = free_port()
    edit(config / "caveat.yaml", 'web: {listen: "127.0.0.1:', f'web: {{listen: "127.0.0.1:{port}"}}\n# "')
    with socket.create_server(("127.0.0.1", port)):
        process = program(config, "web")
        _, said = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert f"127.0.0.1:{port}" in said
    assert "web.listen" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("role", ["worker", "scheduler"])
def test_separate_roles_are_refused_with_sqlite(config: Path, role: str):
    process = program(config, role)
    _, said = process.communicate(timeout=PATIENCE)

    assert process.returncode == 2
    assert "PostgreSQL" in said


def test_a_scheduler_and_a_worker_share_postgresql(config: Path, postgres_url: str):
    edit(config / "caveat.yaml", "sqlite:///../caveat.db", postgres_url)
    (config / "notices.xml").write_text(FILES["notices.xml"])
    (config / "feeds.yaml").write_text('feeds: [{url: "file:notices.xml", name: Notices}]\n')
    worker, scheduler = program(config, "worker"), program(config, "scheduler")
    try:
        events_until(scheduler, "started")
        passes = (line for line in map(json.loads, worker.stderr) if line["event"] == "stage_finished")
        seen = [line["stage"] for line in islice(passes, 2)]
    finally:
        for process in (worker, scheduler):
            process.terminate()
            process.communicate(timeout=PATIENCE)

    assert seen == ["gather", "condense"]


def test_the_default_roles_are_all():
    assert Roles() == Roles(("gather", "condense", "compose", "deliver"), schedule=True, web=True)
