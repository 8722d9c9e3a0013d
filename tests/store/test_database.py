"""Opening a database, transactions without lost updates, and errors as one sentence."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from service.core.errors import StoreError
from service.store import database as edge
from service.store import database_lock
from service.store import migrate as upgrade
from service.store.database import Database
from service.store.schema import counters, settings
from tests.builders import NOON
from tests.store.stores import DAY, HOUR, Stores, an_issue

VERSION = f"UPDATE alembic_version SET version_num = '{upgrade.KNOWN_VERSIONS[-1]}'"  # noqa: S608 - a constant
ARTICLE_COUNTER = counters.c.name == "articles"


async def count(database: Database) -> int:
    async with database.read() as connection:
        return await connection.scalar(select(counters.c.value).where(ARTICLE_COUNTER)) or 0


# --- transactions ------------------------------------------------------------------------------


async def test_concurrent_read_and_update_transactions_lose_no_update(database: Database):
    async def add_one() -> None:
        async with database.write() as connection:
            read = select(counters.c.value).where(ARTICLE_COUNTER).with_for_update()
            value = await connection.scalar(read) or 0
            await connection.execute(update(counters).where(ARTICLE_COUNTER).values(value=value + 1))

    await asyncio.gather(*(add_one() for _ in range(600)))
    assert await count(database) == 600


async def test_two_connections_lose_no_update(database: Database, database_url: str):
    other = await Database.open(database_url)

    async def add_one(through: Database) -> None:
        async with through.write() as connection:
            value = (
                await connection.scalar(select(counters.c.value).where(ARTICLE_COUNTER).with_for_update())
                or 0
            )
            await connection.execute(update(counters).where(ARTICLE_COUNTER).values(value=value + 1))

    await asyncio.gather(*(add_one(d) for _ in range(50) for d in (database, other)))
    await other.close()
    assert await count(database) == 100


async def test_a_failed_transaction_changes_nothing(database: Database):
    async def fail() -> None:
        async with database.write() as connection:
            await connection.execute(update(counters).values(value=7))
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await count(database) == 0


async def test_a_cancelled_writer_releases_the_database(database: Database):
    begun = asyncio.Event()

    async def linger() -> None:
        async with database.write() as connection:
            await connection.execute(update(counters).values(value=7))
            begun.set()
            await asyncio.Event().wait()

    lingering = asyncio.create_task(linger())
    await begun.wait()
    lingering.cancel()
    async with database.write() as connection:
        await connection.execute(update(counters).values(value=counters.c.value + 1))
    assert await count(database) == 1


async def test_readers_do_not_wait_for_a_writer(database: Database):
    async with database.write() as connection:
        await connection.execute(update(counters).values(value=7))
        assert await count(database) == 0
    assert await count(database) == 7


async def test_sqlite_is_configured_to_survive_a_power_cut(sqlite_database: Database):
    async with sqlite_database.write() as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


# --- opening -----------------------------------------------------------------------------------


async def test_concurrent_opens_create_one_database(empty_url: str):
    databases = await asyncio.gather(*(Database.open(empty_url) for _ in range(4)))
    keys = {await Stores(database).subscribers.signing_key() for database in databases}
    assert len(keys) == 1
    async with databases[0].read() as connection:
        assert await connection.scalar(select(func.count()).select_from(settings)) == 1
    for database in databases:
        await database.close()


async def test_the_folder_of_a_new_database_is_created(tmp_path: Path):
    database = await Database.open(f"sqlite:///{tmp_path}/data/deep/caveat.db")
    await database.close()
    assert (tmp_path / "data/deep/caveat.db").exists()


async def test_a_reopened_database_has_the_same_data(database: Database, database_url: str):
    async with database.write() as connection:
        await connection.execute(update(counters).values(value=7))
    key = await Stores(database).subscribers.signing_key()
    again = await Database.open(database_url)
    assert await count(again) == 7
    assert await Stores(again).subscribers.signing_key() == key
    await again.close()


async def test_a_database_of_a_newer_version_is_left_alone(database: Database, database_url: str):
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"written by a newer Caveat .*9999.* restore a backup"):
        await Database.open(database_url)


@pytest.mark.parametrize("content", [b"", b"a letter to my aunt", b"PK\x03\x04" * 2000])
async def test_a_file_that_is_no_database_is_not_changed(tmp_path: Path, content: bytes):
    (tmp_path / "caveat.db").write_bytes(content)
    with pytest.raises(StoreError, match=r"restore a backup|not an SQLite file"):
        await Database.open(f"sqlite:///{tmp_path}/caveat.db")
    assert (tmp_path / "caveat.db").read_bytes() == content


@pytest.mark.parametrize("statement", ["CREATE TABLE notes (text)", "VACUUM"])
async def test_another_programs_database_gets_no_tables_of_ours(tmp_path: Path, statement: str):
    path = tmp_path / "notes.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 1")
        other.execute(statement)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is not one of Caveat's"):
        await Database.open(f"sqlite:///{path}")
    assert path.read_bytes() == before


async def test_another_programs_database_is_not_taken_for_a_newer_version(tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "notes.db")) as other, other:
        other.execute("CREATE TABLE alembic_version (version_num)")
        other.execute("INSERT INTO alembic_version VALUES ('3f2a')")
    with pytest.raises(StoreError, match="belongs to another program"):
        await Database.open(f"sqlite:///{tmp_path}/notes.db")


async def test_a_database_without_its_tables_is_not_recreated(database: Database, database_url: str):
    async with database.write() as connection:
        await connection.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(StoreError, match="has lost its tables"):
        await Database.open(database_url)


async def test_a_database_without_its_key_gets_no_new_key(database: Database, database_url: str):
    async with database.write() as connection:
        await connection.execute(settings.delete())
    with pytest.raises(StoreError, match="has lost the key that signs links"):
        await Database.open(database_url)


async def test_a_write_ahead_log_without_its_database_is_not_overwritten(tmp_path: Path):
    (tmp_path / "caveat.db-wal").write_bytes(b"what was not moved along")
    with pytest.raises(StoreError, match=r"is missing, but its file caveat\.db-wal is there"):
        await Database.open(f"sqlite:///{tmp_path}/caveat.db")


async def test_only_the_owner_may_read_the_created_files(tmp_path: Path):
    before = os.umask(0)
    try:
        database = await Database.open(f"sqlite:///{tmp_path}/data/caveat.db")
        await Stores(database).subscribers.suppress("amina@example.org", "complaint", NOON)
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
        await database.close()
    finally:
        os.umask(before)
    names = {"caveat.db", "caveat.db-lock", "caveat.db-shm", "caveat.db-wal"}
    assert modes == dict.fromkeys(names, 0o600)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


# --- upgrades ----------------------------------------------------------------------------------


async def make_older(url: str) -> None:
    """Set the version of the tables to the previous one, without changing them."""
    database = await Database.open(url)
    async with database.write() as connection:
        older = text("UPDATE alembic_version SET version_num = :older")
        await connection.execute(older, {"older": upgrade.KNOWN_VERSIONS[-2]})
    await database.close()


async def test_tables_in_use_are_not_upgraded(database_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database_lock, "WAIT_SECONDS", 0.3)
    running = await Database.open(database_url)
    await make_older(database_url)
    with pytest.raises(StoreError, match=r"is in use, and bringing its tables .* stop the service"):
        await Database.open(database_url)
    assert await count(running) == 0
    await running.close()


async def test_concurrent_starts_after_an_update_upgrade_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
):
    upgrades: list[object] = []
    monkeypatch.setattr(upgrade, "_migrate", lambda c: (upgrades.append(c), c.execute(text(VERSION))))
    await make_older(database_url)
    databases = await asyncio.gather(*(Database.open(database_url) for _ in range(4)))
    assert len(upgrades) == 1
    for database in databases:
        await database.close()


# --- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://root:sesame@localhost/x", "names no database that Caveat knows"),
        ("caveat.db", "is no URL"),
        ("postgresql://caveat:sesame@127.0.0.1:port/caveat", "is no URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql://caveat:sesame@127.0.0.1:1/caveat", "cannot be reached"),
        ("postgresql://caveat:sesame@127.0.0.1/caveat?sslmode=maybe", "storage cannot be read"),
        ("postgresql://caveat@127.0.0.1:1/caveat?password=sesame", r"password=\*\*\*.* cannot be reached"),
        ("postgresql://caveat:sesame@no.such.host.invalid/caveat", "cannot be reached"),
    ],
)
async def test_an_unusable_url_gives_one_sentence(url: str, said: str):
    with pytest.raises(StoreError, match=said) as caught:
        await Database.open(url)
    assert "sesame" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_file_of_another_kind_is_refused(tmp_path: Path):
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(StoreError, match=r"letter\.txt is not an SQLite file"):
        await Database.open(f"sqlite:///{tmp_path}/letter.txt")


async def test_a_folder_that_cannot_be_created_is_an_error(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="folder of the database"):
        await Database.open(f"sqlite:///{tmp_path}/file/caveat.db")


async def test_a_folder_in_place_of_a_file_is_an_error(tmp_path: Path):
    with pytest.raises(StoreError, match="is a folder"):
        await Database.open(f"sqlite:///{tmp_path}")


async def test_a_database_locked_by_another_program_is_an_error(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(edge, "PRAGMAS", ("busy_timeout=1",))
    database = await Database.open(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="kept locked by another program"):
        await Stores(database).subscribers.suppress("amina@example.org", "complaint", NOON)
    other.close()
    await database.close()


def as_locked(url: str, password: str) -> str:
    """Return the URL with the user `locked`, who has no rights."""
    return f"postgresql://locked:{password}@{url.rpartition('@')[2]}"


async def test_a_wrong_password_is_an_error_without_the_password(postgres_server: str):
    url = f"{as_locked(postgres_server, 'guess')}/template"
    with pytest.raises(StoreError, match="does not accept the password") as caught:
        await Database.open(url)
    assert "guess" not in str(caught.value)


async def test_a_user_without_rights_is_an_error(postgres_url: str):
    with pytest.raises(StoreError, match="does not grant this user the right"):
        await Database.open(as_locked(postgres_url, "sesame"))


async def test_a_missing_postgresql_database_is_an_error(postgres_server: str):
    with pytest.raises(StoreError, match="does not exist"):
        await Database.open(f"{postgres_server}/nowhere")


async def test_a_missing_postgresql_driver_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(edge, "find_spec", lambda _name: None)
    with pytest.raises(StoreError, match=r"asyncpg.* is missing"):
        await Database.open("postgresql://caveat@localhost/caveat")


async def test_a_lost_connection_is_reported_and_replaced(postgres_url: str):
    database = await Database.open(postgres_url)

    async def cut() -> None:
        async with database.write() as connection:
            await connection.execute(update(counters).values(value=7))
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(StoreError, match="was lost in the middle of the work"):
        await cut()
    assert await count(database) == 0
    await database.close()


async def test_connections_lost_while_idle_are_replaced(postgres_url: str):
    database, other = await Database.open(postgres_url), await Database.open(postgres_url)
    assert await count(database) == 0
    others = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    async with other.write() as connection:
        await connection.execute(others)
    assert await count(database) == 0
    await other.close()
    await database.close()


async def test_the_ledger_works_after_its_connections_were_cut(postgres_url: str):
    database, other = await Database.open(postgres_url), await Database.open(postgres_url)
    stores = Stores(database)
    await stores.plan_issue_for("amina")
    await stores.take_batch("a")
    others = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    async with other.write() as connection:
        await connection.execute(others)
    with suppress(StoreError):  # a transaction in progress fails once
        await stores.take_batch("b")
    assert len((await stores.take_batch("c", NOON + HOUR)).deliveries) == 1
    await other.close()
    await database.close()


async def test_a_full_disk_leaves_no_partial_change(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    names = [f"reader{n}" for n in range(2_000)]
    database = await Database.open(sqlite_url)
    await Stores(database).subscribe(*names)
    async with database.read() as connection:
        pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
    await database.close()

    monkeypatch.setattr(edge, "PRAGMAS", (*edge.PRAGMAS, f"max_page_count={pages + 5}"))
    database = await Database.open(sqlite_url)
    stores = Stores(database)
    group = await stores.due_group()
    with pytest.raises(StoreError, match="the disk is full"):
        await stores.compose.record_issue(group, an_issue(group), NOON + DAY, "file")
    assert await stores.due_group() == group
    assert await stores.queries.issues() == []
    await database.close()


async def test_a_database_opened_twice_in_one_process_keeps_its_locks(tmp_path: Path):
    """A saved configuration opens it again; a command that ends must not delete the log of the service."""
    path = tmp_path / "caveat.db"
    running = await Database.open(f"sqlite:///{path}")
    await running.probe_write()
    again = await Database.open(f"sqlite:///{path}")
    await again.close()
    command = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT id FROM feeds').close()"
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", command, str(path))
    assert await other.wait() == 0

    assert path.with_name("caveat.db-wal").exists()
    await running.probe_write()
    await running.close()


async def test_an_upgrade_is_not_interrupted_however_long_it_takes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database_lock, "WAIT_SECONDS", 0.0)
    finished = []

    async def long_upgrade() -> bool:
        for _ in range(3):
            await asyncio.sleep(0.01)
        finished.append(True)
        return True

    assert await database_lock.wait_until(long_upgrade)
    assert finished == [True]
