"""A database of an earlier version opens and works with this one, on SQLite and PostgreSQL.

`version_0008/` holds the rows of a small database, as the version with the tables 0008 left it: two articles,
four subscribers, an issue sent to three of them and deferred for Ben; Dora unsubscribed afterwards, and
Carla's address was suppressed. The folder also has the configuration of that installation.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Boolean, Connection, MetaData, NullPool, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from service.store import migrations
from tests.cli.runner import CliRunner

STORED = Path(__file__).with_name("version_0008")
Rows = dict[str, list[dict[str, Any]]]


def write_as_version_0008(connection: Connection, rows: Rows) -> None:
    """Create the tables of that version and insert the rows."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "0008")
    tables = MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        flags = [column.name for column in table.columns if isinstance(column.type, Boolean)]
        for row in rows.get(table.name, ()) if table.name != "alembic_version" else ():
            connection.execute(table.insert().values(row | {flag: bool(row[flag]) for flag in flags}))
    if connection.dialect.name == "postgresql":
        for table in ("subscribers", "groups", "issues"):
            count = f"SELECT setval(pg_get_serial_sequence('{table}', 'number'), max(number)) FROM {table}"  # noqa: S608 - our own names
            connection.execute(text(count))


@pytest.fixture
async def storage(empty_url: str) -> str:
    """Give the URL of a database with the stored rows, in the tables of version 0008."""
    rows = json.loads((STORED / "rows.json").read_text())
    scheme, _, place = empty_url.partition(":")
    if scheme == "sqlite":
        with create_engine(empty_url, poolclass=NullPool).begin() as connection:
            write_as_version_0008(connection, rows)
        return empty_url
    engine = create_async_engine(f"postgresql+asyncpg:{place}", poolclass=NullPool)
    async with engine.begin() as session:
        await session.run_sync(write_as_version_0008, rows)
    return empty_url


@pytest.fixture
def caveat(storage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> CliRunner:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CAVEAT_CONFIG", raising=False)
    config = tmp_path / "config"
    shutil.copytree(STORED, config)
    (config / "rows.json").unlink()
    caller = CliRunner(config, capsys)
    caller.replace("caveat.yaml", "sqlite:///../caveat.db", storage)
    return caller


def test_the_stored_records_are_read(caveat: CliRunner):
    assert caveat("migrate").code == 0
    subscribers = caveat("subscriber", "list", "--json").records
    books = [issue["books"] for issue in caveat("issue", "list", "--json").records]

    assert {(s["email"], s["status"]) for s in subscribers} == {
        ("amina@example.org", "active"),
        ("ben@example.org", "active"),
        ("carla@example.org", "asked by letter"),
        ("dora@example.org", "unsubscribed from everything"),
    }
    assert [sum(book[state] for book in books) for state in ("due", "sent", "waiting")] == [4, 3, 1]


def test_due_deliveries_are_sent_once_and_no_others(caveat: CliRunner, tmp_path: Path):
    assert caveat("deliver").code == 0
    [mail] = (tmp_path / "outbox").iterdir()
    assert b"To: Ben <ben@example.org>" in mail.read_bytes()

    again = caveat("send", "morning", "--all", "--yes")
    assert again.code == 0
    assert caveat("deliver").code == 0
    assert list((tmp_path / "outbox").iterdir()) == [mail]


def test_known_articles_are_not_gathered_again(caveat: CliRunner):
    gathered = caveat("gather", "--force")

    assert gathered.code == 0
    assert "0 new" in gathered.err + gathered.out
