"""A backup is a consistent snapshot of a running database, readable only by its owner."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from service.core.errors import StoreError
from service.store.backups.backup import back_up
from service.store.backups.postgres_tools import TABLES
from service.store.database import Database
from service.store.subscribers import SqlSubscriberStore
from tests.builders import NOON
from tests.store.restored import key_of, restored


async def test_a_restored_backup_has_the_data_of_the_original(
    database: Database, database_url: str, tmp_path: Path
):
    await SqlSubscriberStore(database).suppress("a@example.org", "manual", NOON)
    back_up(database_url, tmp_path / "copy")  # while it is open
    assert await SqlSubscriberStore(database).unsuppress("a@example.org")
    await database.close()

    await restored(database_url, tmp_path / "copy")

    database = await Database.open(database_url)
    assert await SqlSubscriberStore(database).unsuppress("a@example.org")
    await database.close()


async def test_a_backup_opens_elsewhere_with_the_same_signed_links(tmp_path: Path):
    here, there = f"sqlite:///{tmp_path}/here.db", f"sqlite:///{tmp_path}/there/there.db"
    key = await key_of(here)
    back_up(here, tmp_path / "copy")
    await restored(there, tmp_path / "copy")
    assert await key_of(there) == key


async def test_progress_ends_at_the_total(sqlite_url: str, tmp_path: Path):
    seen: list[tuple[int, int]] = []
    back_up(sqlite_url, tmp_path / "copy", lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] > 0


def test_a_missing_database_cannot_be_backed_up(tmp_path: Path):
    with pytest.raises(StoreError, match="no database"):
        back_up(f"sqlite:///{tmp_path}/none.db", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_only_the_owner_may_read_a_backup(database_url: str, tmp_path: Path):
    folder = tmp_path / "backups"
    folder.mkdir()
    before = os.umask(0)
    try:
        back_up(database_url, folder / "copy")
    finally:
        os.umask(before)
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {"copy": 0o600}


def test_an_existing_file_is_not_overwritten_by_a_backup(database_url: str, tmp_path: Path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "copy").symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError, match="is there already"):
        back_up(database_url, tmp_path / "copy")
    assert (tmp_path / "precious").read_text() == "kept"


def test_the_password_is_not_an_argument_of_a_process(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    commands: list[list[str]] = []
    run = subprocess.run

    def record(command: list[str], **options: object) -> object:
        commands.append(command)
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", record)
    back_up(postgres_url, tmp_path / "copy")
    assert "pg_dump" in str(commands)
    assert "pa:ss" not in str(commands)
    assert "pa%3Ass" not in str(commands)


def test_a_password_among_the_options_of_the_url_works(postgres_url: str, tmp_path: Path):
    address, _, password = postgres_url.replace("caveat:", "caveat@", 1).partition("@")[2].partition("@")
    # The same server, with the password among the options, which libpq accepts too.
    url = f"postgresql://caveat@{password}?password={address}"
    back_up(url, tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size > 0


def test_an_archive_has_our_tables_and_none_of_the_job_queue(postgres_url: str, tmp_path: Path):
    back_up(postgres_url, tmp_path / "copy")
    listed = subprocess.run(
        ["pg_restore", "--list", str(tmp_path / "copy")], capture_output=True, text=True, check=True
    ).stdout
    assert [name for name in TABLES if f" TABLE public {name} " not in listed] == []
    assert "pgqueuer" not in listed


def test_a_backup_needs_no_other_file_to_be_read(sqlite_url: str, tmp_path: Path):
    back_up(sqlite_url, tmp_path / "copy")
    with closing(sqlite3.connect(f"file:{tmp_path}/copy?immutable=1", uri=True)) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert copy.execute("SELECT count(*) FROM settings").fetchone() == (1,)
