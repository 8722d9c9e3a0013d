"""The migrations create the tables of schema.py, on both databases."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from service.store import migrate as upgrade
from service.store import migrations
from service.store.database import Database
from service.store.schema import POSTGRESQL_INDEXES, SEARCH_INDEX, metadata


async def test_the_migrations_create_the_tables_of_the_schema(database: Database):
    def is_compared(_object: object, name: str | None, *_others: object) -> bool:
        """Leave out, on SQLite, its full-text index and the index that takes its place on PostgreSQL."""
        named = name or ""
        return not (database.on_sqlite and (named.startswith(SEARCH_INDEX) or named in POSTGRESQL_INDEXES))

    def differences(connection: Connection) -> list[object]:
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
