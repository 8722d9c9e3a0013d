"""Backup (EDGE): the whole database into one file while it is in use, and back.

SQLite is copied by its own online backup, which gives one consistent moment however busy the writers are.
PostgreSQL is left to its own tools, pg_dump and pg_restore, whose archive any version from ours on can read.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL

from service.core.errors import StoreError
from service.store.database import BUSY_MILLISECONDS, read_url
from service.store.trouble import InWords
from service.store.upgrade import KNOWN

PAGES_AT_ONCE = 2_000
Pages = Callable[[int, int], None]
"""Called as pages are copied: how many are done, how many there are."""


def unheard(_done: int, _total: int) -> None:
    """Report to nobody."""


def back_up(storage: str, target: Path, progress: Pages = unheard) -> None:
    """Copy the database at the URL `storage` into the new file `target`, which appears only when whole.

    Raises StoreError when the database or the file cannot be used.
    """
    place = read_url(storage)
    unfinished = target.with_name(f".{target.name}.unfinished")
    with InWords(place.render_as_string()):
        try:
            if place.drivername == "sqlite":
                _copy(_existing(Path(place.database or "")), unfinished, progress)
            else:
                _by_tool("pg_dump", place, "--format=custom", f"--file={unfinished}")
            _settle(unfinished)
            unfinished.rename(target)
        finally:
            unfinished.unlink(missing_ok=True)


def restore(storage: str, source: Path, progress: Pages = unheard) -> None:
    """Make the database at the URL `storage` what the backup `source` holds; what it held before is gone.

    Readers see either the old or the new state. Raises StoreError for a file that is no sound backup of a
    version that we know, and for a database that cannot be written.
    """
    place = read_url(storage)
    with InWords(place.render_as_string()):
        if place.drivername == "sqlite":
            _require_sound(source)
            _copy(source, Path(place.database or ""), progress)
        else:
            _require_archive(source)
            _by_tool(
                "pg_restore",
                place,
                "--clean",
                "--if-exists",
                "--no-owner",
                "--single-transaction",
                str(source),
            )


def _copy(source: Path, target: Path, progress: Pages) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)

    def report(_status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    with (
        closing(sqlite3.connect(source, timeout=BUSY_MILLISECONDS / 1000)) as read,
        closing(sqlite3.connect(target, timeout=BUSY_MILLISECONDS / 1000)) as write,
    ):
        read.backup(write, pages=PAGES_AT_ONCE, progress=report)
        # The copy would say WAL of itself, and could not be read where only its one file may be touched.
        write.execute("PRAGMA journal_mode=DELETE")


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise StoreError(f"there is no database at {path} yet")
    return path


def _settle(path: Path) -> None:
    """Wait until the file is on the disk: a backup that a power cut can take back is none."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _require_sound(source: Path) -> None:
    if not source.is_file():
        raise StoreError(f"there is no backup at {source}")
    with closing(sqlite3.connect(f"{source.resolve().as_uri()}?immutable=1", uri=True)) as backup:
        try:
            sound = backup.execute("PRAGMA quick_check").fetchone()[0] == "ok"
            version = backup.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        except (sqlite3.DatabaseError, TypeError):
            raise StoreError(f"{source} is no backup of a Caveat database") from None
    if not sound:
        raise StoreError(f"the backup {source} is damaged")
    if version not in KNOWN:
        raise StoreError(
            f"the backup {source} was made by a newer Caveat (version {version} of its tables, this program "
            f"knows {KNOWN[-1]}); install that version first"
        )


def _require_archive(source: Path) -> None:
    if not source.is_file():
        raise StoreError(f"there is no backup at {source}")
    with source.open("rb") as file:
        if file.read(5) != b"PGDMP":
            raise StoreError(f"{source} is no backup of a PostgreSQL database")


def _by_tool(tool: str, place: URL, *options: str) -> None:
    program = shutil.which(tool)
    if program is None:
        raise StoreError(f"{tool} is not installed (on Debian and Ubuntu: apt install postgresql-client)")
    # The password goes by environment: an argument would show in every list of processes.
    environment = dict(os.environ)
    if place.password:
        environment["PGPASSWORD"] = str(place.password)
    address = place.set(password=None).render_as_string()
    done = subprocess.run(  # noqa: S603 - our own argument list, no shell
        [program, f"--dbname={address}", *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip() or f"it left with code {done.returncode}").splitlines()[-1]
        raise StoreError(f"{tool} could not finish: {said}")
