"""Opening, transactions that lose nothing, and trouble in one sentence."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from service.core.errors import StoreError
from service.store import database as edge
from service.store.database import Database
from service.store.schema import counters, settings
from tests.builders import NOON
from tests.store.house import DAY, HOUR, House, an_issue

NAMED = counters.c.name == "articles"


async def count(database: Database) -> int:
    async with database.read() as connection:
        return await connection.scalar(select(counters.c.value).where(NAMED)) or 0


# --- transactions ------------------------------------------------------------------------------


async def test_six_hundred_updates_that_read_first_lose_none(database: Database):
    async def add_one() -> None:
        async with database.write() as connection:
            read = select(counters.c.value).where(NAMED).with_for_update()
            value = await connection.scalar(read) or 0
            await connection.execute(update(counters).where(NAMED).values(value=value + 1))

    await asyncio.gather(*(add_one() for _ in range(600)))
    assert await count(database) == 600


async def test_two_processes_lose_none_either(database: Database, database_url: str):
    other = await Database.open(database_url)

    async def add_one(through: Database) -> None:
        async with through.write() as connection:
            value = await connection.scalar(select(counters.c.value).where(NAMED).with_for_update()) or 0
            await connection.execute(update(counters).where(NAMED).values(value=value + 1))

    await asyncio.gather(*(add_one(d) for _ in range(50) for d in (database, other)))
    await other.close()
    assert await count(database) == 100


async def test_a_transaction_that_fails_leaves_nothing_behind(database: Database):
    async def fail() -> None:
        async with database.write() as connection:
            await connection.execute(update(counters).values(value=7))
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await count(database) == 0


async def test_a_writer_that_is_cancelled_lets_the_next_one_write(database: Database):
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


async def test_sqlite_is_set_up_to_survive_a_power_cut(sqlite_database: Database):
    async with sqlite_database.write() as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


# --- opening -----------------------------------------------------------------------------------


async def test_a_database_is_made_where_none_was_even_by_several_at_once(empty_url: str):
    databases = await asyncio.gather(*(Database.open(empty_url) for _ in range(4)))
    keys = {await House(database).people.signing_key() for database in databases}
    assert len(keys) == 1
    async with databases[0].read() as connection:
        assert await connection.scalar(select(func.count()).select_from(settings)) == 1
    for database in databases:
        await database.close()


async def test_a_folder_is_made_for_a_new_file(tmp_path: Path):
    database = await Database.open(f"sqlite:///{tmp_path}/data/deep/caveat.db")
    await database.close()
    assert (tmp_path / "data/deep/caveat.db").exists()


async def test_opening_again_finds_everything(database: Database, database_url: str):
    async with database.write() as connection:
        await connection.execute(update(counters).values(value=7))
    key = await House(database).people.signing_key()
    again = await Database.open(database_url)
    assert await count(again) == 7
    assert await House(again).people.signing_key() == key
    await again.close()


async def test_a_database_of_a_newer_version_is_left_alone(database: Database, database_url: str):
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"written by a newer Caveat .*9999.* restore a backup"):
        await Database.open(database_url)


# --- trouble -----------------------------------------------------------------------------------


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
        ("postgresql://caveat:sesame@no.such.host.invalid/caveat", "cannot be reached"),
    ],
)
async def test_a_url_that_cannot_work_is_told_in_one_sentence(url: str, said: str):
    with pytest.raises(StoreError, match=said) as caught:
        await Database.open(url)
    assert "sesame" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_file_of_another_kind(tmp_path: Path):
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(StoreError, match=r"letter\.txt is a file of another kind"):
        await Database.open(f"sqlite:///{tmp_path}/letter.txt")


async def test_a_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="folder of the database"):
        await Database.open(f"sqlite:///{tmp_path}/file/caveat.db")


async def test_a_folder_in_place_of_a_file(tmp_path: Path):
    with pytest.raises(StoreError, match="is a folder"):
        await Database.open(f"sqlite:///{tmp_path}")


async def test_a_file_that_somebody_keeps_locked(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(edge, "PRAGMAS", ("busy_timeout=1",))
    database = await Database.open(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="kept locked by another program"):
        await House(database).people.suppress("amina@example.org", "complaint", NOON)
    other.close()
    await database.close()


async def test_a_wrong_password(postgres_server: str):
    url = f"{postgres_server.replace('caveat@', 'locked:guess@')}/template"
    with pytest.raises(StoreError, match="does not accept the password") as caught:
        await Database.open(url)
    assert "guess" not in str(caught.value)


async def test_a_user_without_rights(postgres_url: str):
    with pytest.raises(StoreError, match="does not give this user the right"):
        await Database.open(postgres_url.replace("caveat@", "locked:sesame@"))


async def test_a_database_that_does_not_exist(postgres_server: str):
    with pytest.raises(StoreError, match="does not exist"):
        await Database.open(f"{postgres_server}/nowhere")


async def test_without_the_driver_for_postgresql(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(edge, "find_spec", lambda _name: None)
    with pytest.raises(StoreError, match=r"caveat\[postgres\]"):
        await Database.open("postgresql://caveat@localhost/caveat")


async def test_a_connection_that_is_lost_is_told_and_then_made_anew(postgres_url: str):
    database = await Database.open(postgres_url)

    async def cut() -> None:
        async with database.write() as connection:
            await connection.execute(update(counters).values(value=7))
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(StoreError, match="was lost in the middle of the work"):
        await cut()
    assert await count(database) == 0
    await database.close()


async def test_connections_that_died_while_they_rested_are_made_anew(postgres_url: str):
    database, other = await Database.open(postgres_url), await Database.open(postgres_url)
    assert await count(database) == 0
    others = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    async with other.write() as connection:
        await connection.execute(others)
    assert await count(database) == 0
    await other.close()
    await database.close()


async def test_the_ledger_goes_on_after_its_connections_were_cut(postgres_url: str):
    database, other = await Database.open(postgres_url), await Database.open(postgres_url)
    house = House(database)
    await house.issue_to("amina")
    await house.take("a")
    others = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    async with other.write() as connection:
        await connection.execute(others)
    with suppress(StoreError):  # whoever is in the middle of something hears of it once
        await house.take("b")
    assert len((await house.take("c", NOON + HOUR)).deliveries) == 1
    await other.close()
    await database.close()


async def test_a_full_disk_leaves_nothing_half_done(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    names = [f"reader{n}" for n in range(2_000)]
    database = await Database.open(sqlite_url)
    await House(database).subscribe(*names)
    async with database.read() as connection:
        pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
    await database.close()

    monkeypatch.setattr(edge, "PRAGMAS", (*edge.PRAGMAS, f"max_page_count={pages + 5}"))
    database = await Database.open(sqlite_url)
    house = House(database)
    group = await house.group()
    with pytest.raises(StoreError, match="the disk is full"):
        await house.compose.record_issue(group, an_issue(group), NOON + DAY, "file")
    assert await house.group() == group
    assert await house.overview.issues() == []
    await database.close()
