"""Open files: files with addresses or secrets that every user of this machine may read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from service.settings.values import Settings
from service.store.database import read_url

OTHERS_MODE_BITS = 0o007
"""Mode bits of other users; the rights of the group are the operator's choice."""
MAX_FILES = 10_000
"""Number of message files that are checked: all are created alike, so some stand for all."""


def readable_by_others(settings: Settings) -> list[Path]:
    """Return the files of the database and of messages that other users may read."""
    return [path for path in _private_paths(settings) if path.stat().st_mode & OTHERS_MODE_BITS]


def _private_paths(settings: Settings) -> Iterator[Path]:
    place = read_url(settings.storage)
    if place.drivername == "sqlite":
        database = Path(place.database or "")
        # The database with its -wal, -shm and -lock files, and copies from before a restore.
        yield from sorted(database.parent.glob(f"{database.name}*"))
    folder = settings.mail.folder
    # A folder without rights for others protects the files in it.
    if folder.is_dir() and folder.stat().st_mode & OTHERS_MODE_BITS:
        yield folder
        yield from islice(folder.glob("*.eml"), MAX_FILES)
