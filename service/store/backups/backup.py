"""Backup (EDGE): copy the whole database into one file while it is in use.

SQLite is copied by its online backup, which gives one consistent snapshot. PostgreSQL is dumped by pg_dump,
whose archive the same and later versions can read. The file contains addresses and the key that signs links,
so only its owner may read it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from service.core.errors import StoreError
from service.store.backups.postgres_tools import dump
from service.store.backups.restore import PAGES_PER_STEP, PageProgress
from service.store.database import BUSY_MILLISECONDS, read_url, redacted
from service.store.errors import StoreErrors
from service.store.private_files import publish, unfinished_file
from service.store.sqlite_file import require_content


def no_page_progress(_done: int, _total: int) -> None:
    """Ignore a progress report."""


def back_up(storage: str, target: Path, progress: PageProgress = no_page_progress) -> None:
    """Copy the database at the URL `storage` into the new file `target`, which appears when it is complete.

    Raises StoreError if the database or the file cannot be used, or if `target` exists.
    """
    place = read_url(storage)
    with StoreErrors(redacted(place)):
        try:
            with unfinished_file(target) as unfinished:
                if place.drivername == "sqlite":
                    _copy(_existing(Path(place.database or "")), unfinished, progress)
                else:
                    dump(storage, unfinished)
                if not publish(unfinished, target):
                    raise StoreError(f"{target} is there already; name another file")
        except OSError as error:
            raise StoreError(f"the backup {target} cannot be written: {error.strerror}") from error


def _copy(source: Path, target: Path, progress: PageProgress) -> None:
    def report(_status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    with (
        closing(sqlite3.connect(source, timeout=BUSY_MILLISECONDS / 1000)) as read,
        closing(sqlite3.connect(target, timeout=BUSY_MILLISECONDS / 1000)) as write,
    ):
        read.backup(write, pages=PAGES_PER_STEP, progress=report)
        # A copy in WAL mode cannot be read where SQLite may create no further file.
        write.execute("PRAGMA journal_mode=DELETE")


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise StoreError(f"there is no database at {path} yet")
    require_content(path, str(path))
    return path
