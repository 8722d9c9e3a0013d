"""What a plain command imports: a command that needs one of 10,000 people must answer within a second."""

from __future__ import annotations

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
    seen = (
        "import sys; from service.cli.main import main;"
        f"code = main(['--config', {str(caveat.folder)!r}, *{command!r}]);"
        f"print(code or 0, [m for m in {NOT_NEEDED!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=False)

    assert done.stderr.splitlines()[-1] == "0 []"
