"""Databases for tests: each test gets its own, copied from a template that is created once."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from service.store.database import Database
from tests.postfix import why_not
from tests.postgres import binaries, running_server

BACKENDS = ("sqlite", "postgresql")
NO_NGINX = "NOT TESTED BEHIND NGINX: there is no nginx on this machine (apt install nginx)"
NO_SERVER = "NOT TESTED ON POSTGRESQL: no pg_ctl on PATH or in /usr/lib/postgresql (apt install postgresql)"

_numbers = count(1)


@pytest.fixture(autouse=True)
def _reset_logging() -> None:
    """Undo the logging setup of a command, which is made for a process of its own."""
    logging.getLogger().setLevel(logging.WARNING)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for reason in (NO_SERVER, NO_NGINX, why_not()):
        if reason and any(reason in report for report in skipped):
            terminalreporter.write_line(reason, red=True, bold=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "caveat.db"
    asyncio.run(_make(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Give the URL of a server that holds the database `template`, ready to be copied."""
    if binaries() is None:
        pytest.skip(NO_SERVER)
    with running_server() as url:
        asyncio.run(_on_server(url, "CREATE ROLE locked LOGIN PASSWORD 'sesame'"))
        asyncio.run(_on_server(url, "CREATE DATABASE template"))
        asyncio.run(_make(f"{url}/template"))
        yield url


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Give the URL of a fresh SQLite database with its tables."""
    shutil.copy(sqlite_template, tmp_path / "caveat.db")
    return f"sqlite:///{tmp_path / 'caveat.db'}"


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Give the URL of a fresh PostgreSQL database with its tables."""
    yield from _fresh_database(postgres_server, "template")


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """Give the URL of a PostgreSQL database without any table."""
    yield from _fresh_database(postgres_server, "template0")


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a database that has never been opened; the test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    return request.getfixturevalue("empty_postgres_url")


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of a fresh database; the test runs once on SQLite and once on PostgreSQL."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Give a fresh database, open; the test runs once on SQLite and once on PostgreSQL."""
    database = await Database.open(database_url)
    yield database
    await database.close()


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncIterator[Database]:
    """Give a fresh SQLite database, open."""
    database = await Database.open(sqlite_url)
    yield database
    await database.close()


def _fresh_database(server: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    asyncio.run(_on_server(server, f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield f"{server}/{name}"
    asyncio.run(_on_server(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _make(url: str) -> None:
    await (await Database.open(url)).close()


async def _on_server(url: str, statement: str) -> None:
    connection = await asyncpg.connect(f"{url}/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
