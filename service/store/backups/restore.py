"""Restore (EDGE sqlite3, the file system): a backup takes the place of the database, whole or not at all.

    lock     alone, or nothing happens
    stage    the backup becomes a new database beside the old one, checked and brought to this version
    merge    what the old one knows beyond the backup is taken over (merge.py); where that cannot be known,
             all sending is held until a person resumes it (sending_hold.py)
    swap     the new one takes the old one's name in one step; the old one stays beside it, with the date

A process that dies in between leaves the old database or the new one. PostgreSQL: postgres_restore.py.
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
"""Called as pages are copied: how many are done, how many there are."""

KEPT = ".before-restore-"
NO_DATABASE = "there was no database before the restore, so what was sent since the backup is not known"
UNREADABLE = (
    "the database before the restore cannot be read in full, so what was sent since the backup is not known"
)


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """What a restore did.

    `kept` says where the old database is ("": there was none), `merged` what was taken over from it (None:
    nothing), `held` why sending is held ("": it is not).
    """

    old_database: str
    merged: MergeCounts | None
    hold_reason: str


def restore_file(name: str, path: Path, source: Path, now: datetime, progress: PageProgress) -> RestoreResult:
    """Make the SQLite database at `path` what the backup holds, with what was merged. Raises StoreError."""
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _require_backup(source, path)
        if not lock.acquire_exclusive():
            raise in_use_error(name, "a restore")
        with StoreErrors(name), unfinished_file(path) as new:
            _copy(source, new, progress)
            _check(new, source)
            whole = _settle_old(path, name)
            merged, held = _finish(new, path, name, whole=whole)
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

    # Immutable: a backup may lie where nothing can be written beside it.
    uri = f"{source.resolve().as_uri()}?immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as read, closing(sqlite3.connect(new)) as write:
            read.backup(write, pages=PAGES_PER_STEP, progress=report)
            write.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError:
        raise StoreError(f"the backup {source} is damaged") from None


def _check(new: Path, source: Path) -> None:
    """Refuse a backup that is damaged, foreign or newer than this program. Raises StoreError."""
    with closing(sqlite3.connect(new)) as copy:
        try:
            version = copy.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        except (sqlite3.DatabaseError, TypeError):
            raise StoreError(f"{source} is no backup of a Caveat database") from None
    require_known(version, source)
    if faults := integrity.check_file(new):
        raise StoreError(f"the backup {source} is damaged: {faults[0]}")


def require_known(version: str, source: Path) -> None:
    """Refuse a backup whose tables this program does not know. Raises StoreError."""
    if version not in upgrade.KNOWN_VERSIONS:
        raise StoreError(
            f"the backup {source} was made by a newer Caveat (version {version} of its tables, this program "
            f"knows {upgrade.KNOWN_VERSIONS[-1]}); install that version first"
        )


def _settle_old(path: Path, name: str) -> bool:
    """Put the old database's write-ahead log into it; return whether it is there and sound.

    Raises StoreError when a program that knows nothing of our lock has it open.
    """
    if not path.exists():
        return False
    try:
        require_content(path, name)
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as old:
            # SQLite leaves WAL mode only for the one connection that there is.
            old.execute("PRAGMA journal_mode=DELETE")
        return not integrity.check_file(path)
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise in_use_error(name, "a restore") from error
        return False
    except (StoreError, sqlite3.DatabaseError):
        return False


def _finish(new: Path, path: Path, name: str, *, whole: bool) -> tuple[MergeCounts | None, str]:
    """Bring the new database to this version and take over what the old one knows."""
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
        held = UNREADABLE if path.exists() else NO_DATABASE
        with engine.begin() as connection:
            hold_sending(connection, held)
        return merged, held
    finally:
        engine.dispose()


def _merged(new: Path, path: Path, name: str) -> MergeCounts:
    """Take over what the old database knows; the old one is brought to this version before."""
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
    """Let the new file take the name of the old one, which keeps its content under a name with the date."""
    kept = None
    if path.exists():
        new.chmod(path.stat().st_mode & 0o770)
        give_to_owner_of(new, path)
    else:
        give_to_owner_of(new, path.parent)
    flush_to_disk(new)
    if path.exists():
        kept = _keep(path, now)
    os.replace(new, path)  # noqa: PTH105 - the name of the system call says what counts here: one step
    flush_to_disk(path.parent)
    return kept


def _keep(path: Path, now: datetime) -> Path:
    """Give the old database a second name, and take away what SQLite would read into the new one."""
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
    # Only a database that SQLite could not read still has them.
    for side in SIDE_FILES:
        beside = path.with_name(path.name + side)
        if beside.exists():
            beside.replace(kept.with_name(kept.name + side))
    flush_to_disk(path.parent)
    return kept
