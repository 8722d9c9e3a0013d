"""Open files: what others on this machine may read of ours, though it holds addresses or secrets."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from service.settings.values import Settings
from service.store.database import read_url

OTHERS_MODE_BITS = 0o007
"""The mode bits of those who are neither the owner nor in the group, whose rights the operator chose."""
MAX_FILES = 10_000
"""How many messages are looked at: they are made alike, so a few tell about all."""


def readable_by_others(settings: Settings) -> list[Path]:
    """Return the files and folders that are open to others: the database's, and messages in files."""
    return [path for path in _ours(settings) if path.stat().st_mode & OTHERS_MODE_BITS]


def _ours(settings: Settings) -> Iterator[Path]:
    place = read_url(settings.storage)
    if place.drivername == "sqlite":
        database = Path(place.database or "")
        # The database, its -wal, -shm and -lock, and those of before a restore.
        yield from sorted(database.parent.glob(f"{database.name}*"))
    folder = settings.mail.folder
    # In a closed folder nobody reaches the files, whatever they allow.
    if folder.is_dir() and folder.stat().st_mode & OTHERS_MODE_BITS:
        yield folder
        yield from islice(folder.glob("*.eml"), MAX_FILES)
