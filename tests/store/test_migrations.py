"""The migrations create the tables of schema.py, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from service.store import migrate as upgrade
from service.store import migrations
from service.store.database import Database
from service.store.partitions import is_partition
from service.store.schema import POSTGRESQL_INDEXES, SEARCH_INDEX, deliveries, metadata

BEFORE_PARTITIONS = "0031"


async def test_the_migrations_create_the_tables_of_the_schema(database: Database):
    def is_compared(_object: object, name: str | None, *_others: object) -> bool:
        """Leave out partitions, and on SQLite its full-text index and what replaces it on PostgreSQL."""
        named = name or ""
        if is_partition(named.partition(".")[0]):
            return False
        return not (database.on_sqlite and (named.startswith(SEARCH_INDEX) or named in POSTGRESQL_INDEXES))

    def differences(connection: Connection) -> list[object]:
        for index in (index for table in metadata.tables.values() for index in table.indexes):
            index.dialect_options[connection.dialect.name]["where"] = index.info.get("where")
        opts = {"compare_type": True, "include_object": is_compared}
        context = MigrationContext.configure(connection, opts=opts)
        return compare_metadata(context, metadata)

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


def test_every_version_is_known_in_order():
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    assert (
        tuple(script.revision for script in reversed(list(scripts.walk_revisions())))
        == upgrade.KNOWN_VERSIONS
    )


async def test_deliveries_of_an_earlier_version_become_the_first_partition(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as earlier:
        until = upgrade.KNOWN_VERSIONS.index(BEFORE_PARTITIONS) + 1
        to_head = command.upgrade
        earlier.setattr(upgrade, "KNOWN_VERSIONS", upgrade.KNOWN_VERSIONS[:until])
        earlier.setattr(command, "upgrade", lambda config, _head: to_head(config, BEFORE_PARTITIONS))
        database = await Database.open(empty_postgres_url)
    row = {"issue": 7, "subscriber": 1, "state": "planned", "attempts": 0}
    async with database.write() as connection:
        await connection.execute(deliveries.insert().values(row))
    await database.close()
    database = await Database.open(empty_postgres_url)
    partition = text("SELECT tableoid::regclass::text, issue, state, doubts FROM deliveries")
    async with database.read() as connection:
        assert (await connection.execute(partition)).all() == [("deliveries_p0", 7, "planned", 0)]
    await database.close()
