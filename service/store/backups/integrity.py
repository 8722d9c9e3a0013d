"""Integrity check of an SQLite database, as far as it is possible without a second copy.

SQLite has no checksums. The check finds inconsistent pages, trees and indexes, rows that violate a
constraint, references to missing rows, and unreadable values. It cannot find a stored value that changed into
another valid one (a letter in a text, a digit in a time).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from sqlalchemy import Boolean, Float, Integer, Table

from service.core.model import DeliveryState, SubscriptionStatus
from service.store.columns import CompressedJson, Instant, Json
from service.store.migrate import KNOWN_VERSIONS, SIGNING_KEY
from service.store.schema import (
    POSTGRESQL_INDEXES,
    SEARCH_INDEX,
    articles,
    deliveries,
    metadata,
    subscriptions,
)

MAX_FAULTS = 20
KEY_DIGITS = 64
"""Hexadecimal digits of the key that signs links: 32 bytes."""

ENUM_VALUES = {
    deliveries.c.state: tuple(DeliveryState),
    subscriptions.c.status: tuple(SubscriptionStatus),
    subscriptions.c.choice: tuple(SubscriptionStatus),
    articles.c.state: ("new", "condensed", "set_aside"),
}
"""The columns with a fixed set of values."""

ORPHANS = {
    "deliveries belong to no issue": """
        SELECT count(*) FROM deliveries WHERE issue NOT IN (SELECT number FROM issues)""",
    "deliveries belong to no subscriber": """
        SELECT count(*) FROM deliveries WHERE subscriber NOT IN (SELECT number FROM subscribers)""",
    "articles lie beyond the counter of positions": """
        SELECT count(*) FROM articles
         WHERE position > coalesce((SELECT value FROM counters WHERE name = 'articles'), -1)""",
}
"""Rules without a foreign key, each with the query that counts the violations."""


def check_file(path: Path) -> list[str]:
    """Return the faults of an SQLite database file, as at most 20 clauses; [] for none.

    Reads every page and every value; the database may be in use. Raises sqlite3.OperationalError for a locked
    database.
    """
    faults: list[str] = []
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)) as database:
            database.execute("BEGIN")  # one snapshot for all checks
            faults.extend(islice(_faults(database), MAX_FAULTS))
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise
        # The message about an unreadable value quotes a part of it, which may be an address.
        faults.append(str(error).partition(" with text ")[0])
    return faults


def _faults(database: sqlite3.Connection) -> Iterator[str]:
    for (message,) in database.execute(f"PRAGMA integrity_check({MAX_FAULTS})"):
        if message != "ok":
            yield str(message).splitlines()[-1]
    for table, _row, parent, _key in database.execute("PRAGMA foreign_key_check"):
        yield f"a row of {table} refers to a row of {parent} that is not there"
    versions = database.execute("SELECT version_num FROM alembic_version").fetchall()
    if versions != [(KNOWN_VERSIONS[-1],)]:
        return  # an older version had other tables
    names = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    wanted_tables = [*(table.name for table in metadata.sorted_tables), SEARCH_INDEX]
    missing = [name for name in wanted_tables if name not in names]
    if missing:
        yield from (f"the table {name} is missing" for name in missing)
        return
    for table in metadata.sorted_tables:
        wanted = {str(index.name) for index in table.indexes} - POSTGRESQL_INDEXES
        yield from (f"the index {name} is missing" for name in sorted(wanted - names))
        yield from _wrong_values(database, table)
    for fault, query in ORPHANS.items():
        [count] = database.execute(query).fetchone()
        if count:
            yield f"{count} {fault}"
    key = database.execute("SELECT value FROM settings WHERE name = ?", [SIGNING_KEY]).fetchone()
    if key is None or len(key[0]) != KEY_DIGITS or set(key[0]) - set("0123456789abcdef"):
        yield "the key that signs links is lost"


STORAGE_CLASSES = {"integer": (Integer, Boolean, Instant), "real": (Float,), "blob": (CompressedJson,)}
"""SQLite's storage class -> the types of columns whose values have it; all others are text."""


def _wrong_values(database: sqlite3.Connection, table: Table) -> Iterator[str]:
    """Read all values of a table; yield the faults."""
    for column in table.columns:
        kind = next(
            (name for name, types in STORAGE_CLASSES.items() if isinstance(column.type, types)), "text"
        )
        wrong = f"typeof({column.name}) NOT IN ('{kind}', 'null')"
        if isinstance(column.type, Json):
            wrong += f" OR NOT json_valid({column.name})"
        if values := ENUM_VALUES.get(column):
            listed = ", ".join(f"'{value}'" for value in values)
            wrong += f" OR {column.name} NOT IN ({listed})"
        query = f"SELECT count(*) FROM {table.name} WHERE {wrong}"  # noqa: S608 - names of our own schema
        [count] = database.execute(query).fetchone()
        if count:
            yield f"{count} values of {table.name}.{column.name} cannot be read"
    # sqlite3 decodes each text here, and fails for invalid UTF-8.
    for _row in database.execute(f"SELECT * FROM {table.name}"):  # noqa: S608 - names of our own schema
        pass
