"""Integrity check: damage that SQLite's quick check overlooks, and damage that no check finds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from service.store.backups.integrity import check_file
from service.store.database import Database
from tests.store.stores import Stores

Damage = Callable[[sqlite3.Connection], object]


@pytest.fixture
async def path(sqlite_url: str) -> Path:
    """Give a database with readers, articles, an issue and deliveries, closed."""
    database = await Database.open(sqlite_url)
    stores = Stores(database)
    await stores.publish(*(f"Title {n}" for n in range(40)))
    await stores.plan_issue_for(*(f"reader{n}" for n in range(200)))
    await database.close()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as settled:
        settled.execute("PRAGMA journal_mode=DELETE")
    return path


def page_of(path: Path, name: str) -> int:
    """Return where the root page of a table or index begins."""
    with closing(sqlite3.connect(path)) as database:
        [root] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [name]).fetchone()
        [size] = database.execute("PRAGMA page_size").fetchone()
    return (root - 1) * size


def overwrite(path: Path, place: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


def test_an_undamaged_database_has_no_faults(path: Path):
    assert check_file(path) == []


async def test_a_database_in_use_is_checked(path: Path):
    database = await Database.open(f"sqlite:///{path}")
    async with database.write() as connection:
        await connection.execute(text("UPDATE counters SET value = 41"))
        assert await database.check_integrity() == []
    await database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM settings WHERE name = 'signing_key'",
        "UPDATE settings SET value = 'short' WHERE name = 'signing_key'",
        "DELETE FROM issues",
        "DELETE FROM subscribers WHERE number = 1",
        "UPDATE deliveries SET state = 'sens' WHERE subscriber = 3",
        "UPDATE deliveries SET attempts = 'many' WHERE subscriber = 3",
        "UPDATE subscriptions SET status = 'actife' WHERE subscriber = 3",
        "UPDATE subscriptions SET wishes = '{' WHERE subscriber = 3",
        "UPDATE articles SET title = CAST(x'fffe41' AS TEXT) WHERE position = 1",
        "UPDATE articles SET feed_id = 'nowhere' WHERE position = 1",
        "UPDATE counters SET value = 3",
        "DELETE FROM counters",
        "DROP INDEX ix_groups_due",
        "DROP TABLE suppressions",
    ],
)
def test_rows_that_contradict_each_other_are_found(path: Path, statement: str):
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()
        assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    assert check_file(path) != []


def test_an_index_that_lacks_a_row_is_found(path: Path):
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA writable_schema = ON")
        hidden = "DELETE FROM sqlite_master WHERE name = 'ix_groups_due'"
        [kept] = database.execute("SELECT * FROM sqlite_master WHERE name = 'ix_groups_due'").fetchall()
        database.execute(hidden)
        database.commit()
    with closing(sqlite3.connect(path)) as database:  # this connection does not see the index
        database.execute("UPDATE groups SET next_due_at = next_due_at + 1")
        database.execute("PRAGMA writable_schema = ON")
        database.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", kept)
        database.commit()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    assert "index ix_groups_due" in str(check_file(path))


@pytest.mark.parametrize("table", ["deliveries", "subscribers", "articles", "suppressions", "ix_groups_due"])
def test_a_page_of_zeros_is_found(path: Path, table: str):
    overwrite(path, page_of(path, table), bytes(64))
    assert check_file(path) != []


def test_a_file_that_was_cut_short_is_found(path: Path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    assert check_file(path) != []


def test_the_sentence_about_a_fault_has_no_address(path: Path):
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE subscribers SET email = CAST(x'ff' || email AS TEXT) WHERE number = 1")
        database.commit()
    faults = check_file(path)
    assert faults
    assert "example.org" not in str(faults)


def test_a_changed_character_is_not_found(path: Path):
    """SQLite keeps no checksums, as the docstring of the integrity module says."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE articles SET title = 'Another' WHERE position = 1")
        database.commit()
    assert check_file(path) == []
