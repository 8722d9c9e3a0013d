"""The search index of subscribers: one row for each person, removed with them.

On SQLite, `subscriber_trigrams`, a contentless FTS5 table, has a copy of each row. One statement copies the
rows of a batch: for a trigger, FTS5 writes each row by itself and merges it later, at seven times the cost. A
trigger removes them. FTS5 marks a removed row as deleted and drops its trigrams when it merges its segments;
`purge` makes it do so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, column, delete, insert, select, table, text

from service.core.ids import address_hash
from service.core.model import Subscriber
from service.core.subscriber_search.search_text import search_text, trigram_numbers
from service.store.bulk_insert import insert_rows
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import is_in
from service.store.mappers import Values
from service.store.schema import SEARCH_INDEX, subscriber_search

MERGED_PAGES = 250
"""Pages that one transaction of `purge` writes: about 0.1 s, in which no mail is recorded."""

KEY_DIGITS = 12
"""Hexadecimal digits of `hash_key`: 48 bits, which SQLite stores in six bytes."""

TRIGRAMS = table(SEARCH_INDEX, column("rowid"), column("text"))
"""The full-text index of SQLite."""

_BEGIN_MERGE = text("INSERT INTO subscriber_trigrams (subscriber_trigrams, rank) VALUES ('merge', :pages)")


async def index_people(connection: StoreConnection, people: Mapping[int, Subscriber]) -> None:
    """Make these people, by their numbers, found by their present address and name."""
    await connection.run_sync(_index, people)


def _index(connection: Connection, people: Mapping[int, Subscriber]) -> None:
    remove_people(connection, people)
    on_postgres = connection.dialect.name == "postgresql"
    rows = [
        search_values(number, person.email, person.name, on_postgres=on_postgres)
        for number, person in people.items()
    ]
    insert_rows(connection, subscriber_search, rows)
    if not on_postgres:
        these = is_in(connection, subscriber_search.c.subscriber, people)
        copied = select(subscriber_search.c.subscriber, subscriber_search.c.text).where(these)
        connection.execute(insert(TRIGRAMS).from_select(["rowid", "text"], copied))


def search_values(number: int, email: str, name: str, *, on_postgres: bool) -> Values:
    """Return the row of the subscriber with this number."""
    words = search_text(email, name)
    return {
        "subscriber": number,
        "text": words,
        "hash_key": hash_key(address_hash(email)),
        "trigrams": trigram_numbers(words) if on_postgres else None,
    }


def hash_key(hashed: str) -> int:
    """Return the start of an address's hash as a number, which takes an eighth of the space in an index."""
    return int(hashed[:KEY_DIGITS], 16)


def remove_people(connection: Connection, numbers: Collection[int]) -> None:
    """Remove the subscribers with these numbers from the index."""
    connection.execute(
        delete(subscriber_search).where(is_in(connection, subscriber_search.c.subscriber, numbers))
    )


async def purge(database: Database) -> None:
    """Drop the trigrams of removed people from the files of SQLite, in short transactions.

    The first step makes one level of all segments; the later ones merge it until nothing is left to do. This
    writes about 40 MB for a million subscribers.
    """
    if not database.on_sqlite:
        return
    pages = -MERGED_PAGES
    while True:
        async with database.write() as connection:
            before = await _total_changes(connection)
            await connection.execute(_BEGIN_MERGE, {"pages": pages})
            merged = await _total_changes(connection) - before
        if merged < 2 and pages > 0:
            return
        pages = MERGED_PAGES


async def _total_changes(connection: StoreConnection) -> int:
    return int(await connection.scalar(text("SELECT total_changes()")) or 0)
