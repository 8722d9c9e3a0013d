"""Restore (EDGE sqlite3, the file system): replace the database by a backup, in one step.

    lock     get the exclusive lock, or fail
    stage    copy the backup into a new database in the same folder, check and upgrade it
    merge    copy later facts from the old database (merge.py); if it cannot be read, hold all sending until a
             person resumes it (sending_hold.py)
    swap     rename the new database to the old one's name; the old one stays, with the date in its name

A process that dies in between leaves the old or the new database. PostgreSQL: postgres_restore.py.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.core.errors import StoreError
from service.store import migrate as upgrade
from service.store.backups import integrity
from service.store.backups.merge import MergeCounts, merge
from service.store.database_lock import FileLock, in_use_error
from service.store.errors import StoreErrors
from service.store.private_files import SIDE_FILES, flush_to_disk, give_to_owner_of, unfinished_file
from service.store.sending_hold import hold_sending
from service.store.sqlite_file import MAGIC, plain_engine, require_content

PAGES_PER_STEP = 2_000
PageProgress = Callable[[int, int], None]
"""Called after each step of a copy: the number of copied pages, the number of all pages."""

KEPT = ".before-restore-"
NO_DATABASE = "there was no database before the restore, so what was sent since the backup is not known"
UNREADABLE = (
    "the database before the restore cannot be read in full, so what was sent since the backup is not known"
)


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """The result of a restore.

    `old_database` is the place of the old database ("": there was none), `merged` counts what was copied from
    it (None: nothing), `hold_reason` is why sending is held ("": it is not).
    """

    old_database: str
    merged: MergeCounts | None
    hold_reason: str


def restore_file(name: str, path: Path, source: Path, now: datetime, progress: PageProgress) -> RestoreResult:
    """Replace the SQLite database at `path` by the backup `source`. Raises StoreError."""
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _require_backup(source, path)
        if not lock.acquire_exclusive():
            raise in_use_error(name, "a restore")
        with StoreErrors(name), unfinished_file(path) as new:
            _copy(source, new, progress)
            _check(new, source)
            whole = _close_old(path, name)
            merged, held = _upgrade_and_merge(new, path, name, whole=whole)
            kept = _swap(new, path, now)
    except OSError as error:
        raise StoreError(f"the database {name} cannot be restored: {error.strerror}") from error
    finally:
        lock.release()
    return RestoreResult(str(kept or ""), merged, held)


def _require_backup(source: Path, path: Path) -> None:
    if not source.is_file():
        raise StoreError(f"there is no backup at {source}")
    if path.exists() and source.samefile(path):
        raise StoreError(f"{source} is the database itself; name a backup of it")
    wal = source.with_name(f"{source.name}-wal")
    if wal.exists() and wal.stat().st_size:
        raise StoreError(
            f"{source} was copied out of a running database ({wal.name} lies beside it) and may be "
            "incomplete; restore a file that caveat backup made"
        )
    with source.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise StoreError(f"{source} is no backup of a Caveat database")


def _copy(source: Path, new: Path, progress: PageProgress) -> None:
    def report(_status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    # Immutable, because a backup may be in a read-only folder.
    uri = f"{source.resolve().as_uri()}?immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as read, closing(sqlite3.connect(new)) as write:
            read.backup(write, pages=PAGES_PER_STEP, progress=report)
            write.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError:
        raise StoreError(f"the backup {source} is damaged") from None


def _check(new: Path, source: Path) -> None:
    """Raise StoreError for a backup that is damaged, foreign or newer than this program."""
    with closing(sqlite3.connect(new)) as copy:
        try:
            version = copy.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        except (sqlite3.DatabaseError, TypeError):
            raise StoreError(f"{source} is no backup of a Caveat database") from None
    require_known(version, source)
    if faults := integrity.check_file(new):
        raise StoreError(f"the backup {source} is damaged: {faults[0]}")


def require_known(version: str, source: Path) -> None:
    """Raise StoreError for a backup of a newer version."""
    if version not in upgrade.KNOWN_VERSIONS:
        raise StoreError(
            f"the backup {source} was made by a newer Caveat (version {version} of its tables, this program "
            f"knows {upgrade.KNOWN_VERSIONS[-1]}); install that version first"
        )


def _close_old(path: Path, name: str) -> bool:
    """Move the old database's write-ahead log into it; return whether it exists and is undamaged.

    Raises StoreError if a program without our lock has it open.
    """
    if not path.exists():
        return False
    try:
        require_content(path, name)
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as old:
            # SQLite leaves WAL mode only if there is no other connection.
            old.execute("PRAGMA journal_mode=DELETE")
        return not integrity.check_file(path)
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise in_use_error(name, "a restore") from error
        return False
    except (StoreError, sqlite3.DatabaseError):
        return False


def _upgrade_and_merge(new: Path, path: Path, name: str, *, whole: bool) -> tuple[MergeCounts | None, str]:
    """Upgrade the new database, and merge the old one into it or hold sending."""
    engine = plain_engine(new)
    try:
        with engine.begin() as connection:
            upgrade.upgrade(connection, name)
        merged = None
        if path.exists():
            with suppress(StoreError, DBAPIError):
                merged = _merged(new, path, name)
        if merged is not None and whole:
            return merged, ""
        reason = UNREADABLE if path.exists() else NO_DATABASE
        with engine.begin() as connection:
            hold_sending(connection, reason)
        return merged, reason
    finally:
        engine.dispose()


def _merged(new: Path, path: Path, name: str) -> MergeCounts:
    """Upgrade the old database and merge it into the new one."""
    old = plain_engine(path)
    try:
        with old.begin() as connection:
            upgrade.upgrade(connection, name)
    finally:
        old.dispose()
    engine = plain_engine(new)
    try:
        with engine.connect() as connection:
            connection.execute(text("ATTACH :old AS old"), {"old": str(path)})
            connection.rollback()
            with connection.begin():
                return merge(connection, "old")
    finally:
        engine.dispose()


def _swap(new: Path, path: Path, now: datetime) -> Path | None:
    """Rename the new file to the old one's name; return the old one's new path."""
    kept = None
    if path.exists():
        new.chmod(path.stat().st_mode & 0o770)
        give_to_owner_of(new, path)
    else:
        give_to_owner_of(new, path.parent)
    flush_to_disk(new)
    if path.exists():
        kept = _keep(path, now)
    os.replace(new, path)  # noqa: PTH105 - rename(2), which is one step
    flush_to_disk(path.parent)
    return kept


def _keep(path: Path, now: datetime) -> Path:
    """Give the old database a second name, and move the files that SQLite would read into the new one."""
    for left in path.parent.glob(f"{path.name}{KEPT}*"):
        if left.samefile(path):  # a restore that was killed just before its last step
            left.unlink()
    kept = path.with_name(f"{path.name}{KEPT}{now:%Y-%m-%dT%H%M%SZ}")
    try:
        os.link(path, kept)
    except FileExistsError:
        raise StoreError(f"{kept} is there already; try again in a second") from None
    except OSError:  # a file system without hard links
        shutil.copy2(path, kept)
    kept.chmod(kept.stat().st_mode & 0o770)
    # They exist only for a database that SQLite could not read.
    for side in SIDE_FILES:
        beside = path.with_name(path.name + side)
        if beside.exists():
            beside.replace(kept.with_name(kept.name + side))
    flush_to_disk(path.parent)
    return kept
