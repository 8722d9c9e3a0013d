"""Upgrade the tables of a database to the version that this program needs."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from service.core.errors import StoreError
from service.store.schema import counters, metadata, settings

KNOWN_VERSIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
    "0017",
    "0018",
    "0019",
    "0020",
    "0021",
    "0022",
    "0023",
    "0024",
    "0025",
    "0026",
    "0027",
    "0028",
    "0029",
    "0030",
    "0031",
    "0032",
    "0033",
)
"""The versions of the tables, oldest first: the revisions in migrations/versions. The last is current."""

VERSION_TABLE = "alembic_version"
SIGNING_KEY = "signing_key"

ALEMBIC_LOCK = threading.Lock()
"""One upgrade at a time: Alembic's `op` is one global for all threads of the process."""

UPGRADE_LOCK = 0x0CA7EA8
"""PostgreSQL advisory lock of the process that upgrades."""


def is_current(connection: Connection, name: str, *, may_be_new: bool = False) -> bool:
    """Return whether the tables have the current version; needs two queries, and no import of alembic.

    Raises StoreError for tables of a newer version or of another program, and for a database without the
    signing key. With `may_be_new`, the result for a database without tables is False instead of StoreError.
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
    """Run the missing migrations, and insert the first rows of a new database."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
    if is_current(connection, name, may_be_new=may_be_new):
        return
    is_new = version_of(connection) is None
    _migrate(connection)
    if is_new:
        _insert_first_rows(connection)


def version_of(connection: Connection) -> str | None:
    """Return the version of the tables, or None for a database without tables."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    return found


def _insert_first_rows(connection: Connection) -> None:
    """Insert the counter of article positions and the key that signs links."""
    connection.execute(counters.insert().values(name="articles", value=0))
    connection.execute(settings.insert().values(name=SIGNING_KEY, value=secrets.token_hex(32)))


def _own_tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) & {table.name for table in metadata.sorted_tables}


def _has_key(connection: Connection) -> bool:
    found = connection.scalar(select(settings.c.value).where(settings.c.name == SIGNING_KEY))
    return bool(found)


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - 200 ms, needed for an upgrade only
    from alembic.config import Config  # noqa: PLC0415 - see the line before

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    with ALEMBIC_LOCK:
        command.upgrade(config, "head")
