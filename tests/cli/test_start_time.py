"""What a plain command imports, and a service that has nothing to do: both must start fast and stay small."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from tests.cli.runner import CliRunner

NOT_NEEDED = (
    "service.runtime.service",
    "service.gather.poll",
    "service.web",
    "structlog",
    "rich",
    "prometheus_client",
    "aiohttp",
    "starlette",
    "alembic",
    "asyncpg",
    "greenlet",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.orm",
    "apscheduler",
    "jinja2",
    "trafilatura",
    "lxml",
)
"""Modules of the running service, each of which takes a noticeable part of a second to import."""


@pytest.mark.parametrize(
    "command",
    [
        ("subscriber", "show", "amina@example.org"),
        ("subscriber", "pause", "amina@example.org"),
        ("issue", "list"),
    ],
)
def test_a_plain_command_imports_nothing_of_the_running_service(caveat: CliRunner, command: tuple[str, ...]):
    assert caveat("config", "apply").code == 0

    assert _run_and_list(caveat, command, NOT_NEEDED) == "0 []"


@pytest.mark.parametrize(
    ("command", "not_needed"),
    [
        (("deliver",), ("service.compose.stage", "service.text.sentences", "jinja2", "babel", "lxml")),
        (("plan",), ("service.condense", "service.text.furniture", "service.deliver.stage", "structlog")),
        (("config", "check"), ("service.compose.ranking", "service.compose.stories.words", "structlog")),
    ],
)
def test_a_command_of_one_stage_imports_nothing_of_another(
    caveat: CliRunner, command: tuple[str, ...], not_needed: tuple[str, ...]
):
    assert caveat("config", "apply").code == 0

    assert _run_and_list(caveat, command, not_needed) == "0 []"


def _run_and_list(caveat: CliRunner, command: tuple[str, ...], modules: tuple[str, ...]) -> str:
    """Run a command in a process of its own; return its exit code, and which of the modules it imported."""
    seen = (
        "import sys; from service.cli.main import main;"
        f"code = main(['--config', {str(caveat.folder)!r}, *{command!r}]);"
        f"print(code or 0, [m for m in {modules!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=False)
    return done.stderr.splitlines()[-1]


NOT_NEEDED_BY_AN_IDLE_SERVICE = (
    "service.web.admin",
    "service.web.api.application",
    "service.compose.render.theme",
    "service.compose.stories",
    "service.gather.poll",
    "service.condense",
    "PIL",
    "aiohttp",
    "alembic",
    "argon2",
    "asyncpg",
    "css_inline",
    "cryptography",
    "lxml",
    "numpy",
    "regex",
    "sqlalchemy.orm",
    "sumy",
    "trafilatura",
)
"""Modules of tasks and pages that nobody has asked for yet."""

IDLE = """
import asyncio, sys
from pathlib import Path
from urllib.request import urlopen
from service.app.factories import config_folder
from service.runtime import logging, signals
from service.runtime.service import Roles, Service

async def main():
    service, stopping = Service(lambda: config_folder.load(Path(sys.argv[1]))), asyncio.Event()
    running = asyncio.create_task(service.run(stopping))
    started = asyncio.create_task(service.started.wait())
    await asyncio.wait({running, started}, return_when=asyncio.FIRST_COMPLETED)
    health = f"http://127.0.0.1:{service.app.settings.web.listen_port}/healthz"
    status = await asyncio.to_thread(lambda: urlopen(health).status)
    print(status, [name for name in sys.argv[2:] if name in sys.modules], service._pool.started)
    stopping.set()
    await running

asyncio.run(main())
"""


def test_a_service_without_work_imports_nothing_of_its_tasks_and_starts_no_process(caveat: CliRunner):
    assert caveat("config", "apply").code == 0
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (caveat.folder / "feeds.yaml").write_text("feeds: []\n")
    done = subprocess.run(
        [sys.executable, "-c", IDLE, str(caveat.folder), *NOT_NEEDED_BY_AN_IDLE_SERVICE],
        env={**os.environ, "CAVEAT_WEB__LISTEN": address},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "200 [] 0" in done.stdout.splitlines(), done.stderr
