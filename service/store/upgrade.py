"""Upgrade: brings a database's tables to what this version of the program expects."""

from __future__ import annotations

import secrets
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from service.core.errors import StoreError
from service.store.schema import counters, settings

KNOWN = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
"""The versions of the tables, oldest first: the revisions in migrations/versions. The last one is ours."""

UPGRADE_LOCK = 0x0CA7EA8
"""One process at a time upgrades (PostgreSQL; dispatch holds the neighbouring number)."""


def is_current(connection: Connection, name: str) -> bool:
    """Tell whether the tables are the ones we expect; costs one query, and no import of alembic.

    Raises StoreError when they were made by a newer version of the program.
    """
    found = _version(connection)
    if found is not None and found not in KNOWN:
        raise StoreError(
            f"the database {name} was written by a newer Caveat (its tables have version {found}, this "
            f"program knows {KNOWN[-1]}); install that version again, or restore a backup from before it"
        )
    return found == KNOWN[-1]


def upgrade(connection: Connection, name: str) -> None:
    """Run the migrations that are missing, and put in what every database holds from the start."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
    if not is_current(connection, name):
        _migrate(connection)
    _furnish(connection)


def _furnish(connection: Connection) -> None:
    """Put in the counter of gather positions and the key that signs links, unless they are there."""
    if connection.scalar(select(counters.c.value).where(counters.c.name == "articles")) is None:
        connection.execute(counters.insert().values(name="articles", value=0))
    if connection.scalar(select(settings.c.value).where(settings.c.name == "signing_key")) is None:
        connection.execute(settings.insert().values(name="signing_key", value=secrets.token_hex(32)))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - costs 200 ms that an up-to-date database need not pay
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
