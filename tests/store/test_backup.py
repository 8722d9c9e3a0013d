"""A backup holds one moment of a living database, and comes back as it was."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from service.core.errors import StoreError
from service.store.backup import back_up, restore
from service.store.database import Database
from service.store.people import PeopleRecords
from tests.builders import NOON


async def key_of(url: str) -> bytes:
    database = await Database.open(url)
    try:
        return await PeopleRecords(database).signing_key()
    finally:
        await database.close()


async def test_what_was_backed_up_comes_back(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/one.db"
    database = await Database.open(url)
    await PeopleRecords(database).suppress("a@example.org", "manual", NOON)
    back_up(url, tmp_path / "copy")  # while it is open
    assert await PeopleRecords(database).unsuppress("a@example.org")
    await database.close()

    restore(url, tmp_path / "copy")

    database = await Database.open(url)
    assert await PeopleRecords(database).unsuppress("a@example.org")
    await database.close()


async def test_a_backup_opens_a_house_elsewhere_with_the_same_signed_links(tmp_path: Path):
    here, there = f"sqlite:///{tmp_path}/here.db", f"sqlite:///{tmp_path}/there/there.db"
    key = await key_of(here)
    back_up(here, tmp_path / "copy")
    restore(there, tmp_path / "copy")
    assert await key_of(there) == key


async def test_progress_ends_with_everything_done(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/one.db"
    await key_of(url)
    seen: list[tuple[int, int]] = []
    back_up(url, tmp_path / "copy", lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] > 0


def test_a_database_that_is_not_there_cannot_be_backed_up(tmp_path: Path):
    with pytest.raises(StoreError, match="no database"):
        back_up(f"sqlite:///{tmp_path}/none.db", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"a letter to my aunt", b"PK\x03\x04" * 2000])
def test_a_file_of_another_kind_is_never_restored(tmp_path: Path, content: bytes):
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(StoreError, match="no backup"):
        restore(f"sqlite:///{tmp_path}/one.db", tmp_path / "copy")
    assert not (tmp_path / "one.db").exists()


async def test_a_backup_from_the_future_is_refused(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/one.db"
    await key_of(url)
    back_up(url, tmp_path / "copy")
    with sqlite3.connect(tmp_path / "copy") as copy:
        copy.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"newer Caveat .*9999"):
        restore(url, tmp_path / "copy")


@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="pg_dump is not installed")
async def test_postgresql_is_backed_up_by_its_own_tools(postgres_url: str, tmp_path: Path):
    key = await key_of(postgres_url)
    back_up(postgres_url, tmp_path / "copy")
    restore(postgres_url, tmp_path / "copy")
    assert await key_of(postgres_url) == key


def test_an_archive_of_another_kind_is_never_given_to_postgresql(tmp_path: Path):
    (tmp_path / "copy").write_bytes(b"nothing of the kind")
    with pytest.raises(StoreError, match="no backup of a PostgreSQL"):
        restore("postgresql://nobody@127.0.0.1:1/none", tmp_path / "copy")
