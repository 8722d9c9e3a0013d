"""Upgrade: brings a database's tables to what this version of the program expects."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from service.core.errors import StoreError
from service.store.schema import counters, metadata, settings

KNOWN_VERSIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
"""The versions of the tables, oldest first: the revisions in migrations/versions. The last one is ours."""

VERSION_TABLE = "alembic_version"
SIGNING_KEY = "signing_key"

ONE_AT_A_TIME = threading.Lock()
"""Alembic's `op` stands for one connection in the whole process, whatever the thread."""

UPGRADE_LOCK = 0x0CA7EA8
"""One process at a time upgrades (PostgreSQL; dispatch holds the neighbouring number)."""


def is_current(connection: Connection, name: str, *, may_be_new: bool = False) -> bool:
    """Tell whether the tables are the ones we expect; costs two queries, and no import of alembic.

    Raises StoreError when a newer version of the program made them, when another program did, and when what
    every database of ours holds is missing. `may_be_new`: a database without our tables is not current.
    """
    found = version_of(connection)
    if found is None:
        if not may_be_new or _own_tables(connection):
            raise foreign_database_error(name)
        return False
    if found not in KNOWN_VERSIONS:
        if not _own_tables(connection):
            raise StoreError(
                f"the database {name} belongs to another program; name another one under storage"
            )
        raise StoreError(
            f"the database {name} was written by a newer Caveat (its tables have version {found}, this "
            f"program knows {KNOWN_VERSIONS[-1]}); "
            f"install that version again, or restore a backup from before it"
        )
    if not _has_key(connection):
        raise StoreError(f"the database {name} has lost the key that signs links; restore a backup")
    return found == KNOWN_VERSIONS[-1]


def foreign_database_error(name: str) -> StoreError:
    """Return the error for a database without our tables."""
    return StoreError(
        f"the database {name} is not one of Caveat's, or has lost its tables; name another one under "
        "storage, or restore a backup"
    )


def upgrade(connection: Connection, name: str, *, may_be_new: bool = False) -> None:
    """Run the migrations that are missing, and put in what a new database holds from the start."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
    if is_current(connection, name, may_be_new=may_be_new):
        return
    is_new = version_of(connection) is None
    _migrate(connection)
    if is_new:
        _furnish(connection)


def version_of(connection: Connection) -> str | None:
    """Return the version of the tables, or None where there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    return found


def _furnish(connection: Connection) -> None:
    """Put in the counter of gather positions and the key that signs links."""
    connection.execute(counters.insert().values(name="articles", value=0))
    connection.execute(settings.insert().values(name=SIGNING_KEY, value=secrets.token_hex(32)))


def _own_tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) & {table.name for table in metadata.sorted_tables}


def _has_key(connection: Connection) -> bool:
    found = connection.scalar(select(settings.c.value).where(settings.c.name == SIGNING_KEY))
    return bool(found)


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - costs 200 ms that an up-to-date database need not pay
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    with ONE_AT_A_TIME:
        command.upgrade(config, "head")
