"""The SQLite file (EDGE sqlite3): create it completely, or refuse a file that is not our database.

An empty file or a file of another program is never replaced by a new database without notice: a lost database
contains the suppressions and the key that signs links.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import URL, Engine

from service.core.errors import StoreError
from service.store import migrate as upgrade
from service.store.private_files import give_to_owner_of, publish, unfinished_file

MAGIC = b"SQLite format 3\x00"
"""The first bytes of every SQLite file (https://sqlite.org/fileformat2.html, 1.2)."""

MIN_FREE_BYTES = 16 * 2**20
"""Bytes. A disk with less free space counts as full: an issue for a few thousand subscribers needs this."""


def create_or_verify(path: Path, name: str) -> None:
    """Create a missing database with its tables. Raises StoreError for a file that is not our database.

    `path` contains no symbolic links; `name` is the database's name in messages.
    """
    if path.is_dir():
        raise StoreError(f"the database {name} is a folder; name a file under storage")
    if path.exists():
        require_content(path, name)
        # Before any write: even the change to WAL mode would change another program's file.
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as found:
            ours = "SELECT 1 FROM sqlite_master WHERE name = ?"
            if found.execute(ours, [upgrade.VERSION_TABLE]).fetchone() is None:
                raise upgrade.foreign_database_error(name)
        return
    wal = path.with_name(f"{path.name}-wal")
    if wal.exists() and wal.stat().st_size:
        raise StoreError(
            f"the database {name} is missing, but its file {wal.name} is there; put the database back "
            "beside it, or restore a backup"
        )
    _make(path, name)


def require_content(path: Path, name: str) -> None:
    """Raise StoreError for a file that is empty or not an SQLite database.

    Only SQLite may open the file: closing any descriptor of it releases all POSIX locks that this process
    holds on it. Another process would then delete the write-ahead log under a running service
    (https://sqlite.org/howtocorrupt.html, 2.2).
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise StoreError(f"the database {name} cannot be opened: {error.strerror}") from error
    if not size:
        raise StoreError(
            f"the database {name} is empty: its content is lost; restore a backup (caveat restore FILE). "
            "To start without the old subscribers and suppressions, remove the file"
        )
    if not os.access(path, os.R_OK):
        raise StoreError(f"the database {name} cannot be opened: {os.strerror(errno.EACCES)}")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            database.execute("PRAGMA schema_version").fetchone()
    except sqlite3.DatabaseError as error:
        # Every other error is left to the caller, who opens the database in earnest.
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise StoreError(
                f"the database {name} is not an SQLite file; name another one under storage"
            ) from error


def require_place(path: Path, opened: os.stat_result, name: str) -> None:
    """Raise StoreError if the file is not the `opened` one any more, or has no space to grow.

    SQLite does not notice either: it goes on writing to a deleted file, whose content ends with the process,
    and overwrites an emptied write-ahead log, which works on a full disk for a while.
    """
    try:
        is_same = os.path.samestat(path.stat(), opened)
        free = shutil.disk_usage(path.parent).free
    except OSError:
        is_same, free = False, 0
    if not is_same:
        raise StoreError(
            f"the database {name} was deleted or replaced while it was in use; stop every Caveat process, "
            "put the right file there or restore a backup, and start again"
        )
    if free < MIN_FREE_BYTES:
        raise StoreError(f"the database {name} cannot grow: the disk is full")


def truncate_log(path: Path, patience: int) -> bool:
    """Move the write-ahead log into the database file and truncate it.

    Return False if a reader still needs the log after `patience` milliseconds.
    """
    with closing(sqlite3.connect(path, timeout=patience / 1000, isolation_level=None)) as database:
        [busy, _pages, _moved] = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy


def plain_engine(path: Path) -> Engine:
    """Return an engine without a pool, for a file that no other process uses."""
    place = URL.create("sqlite", database=str(path))
    return create_engine(place, poolclass=NullPool)


def _make(path: Path, name: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with unfinished_file(path) as new:
            engine = plain_engine(new)
            with engine.begin() as connection:
                upgrade.upgrade(connection, name, may_be_new=True)
            engine.dispose()
            give_to_owner_of(new, path.parent)
            publish(new, path)  # False: another process was faster, and its database is used
    except OSError as error:
        raise StoreError(
            f"the folder of the database {name} cannot be made or written to: {error.strerror}"
        ) from error
