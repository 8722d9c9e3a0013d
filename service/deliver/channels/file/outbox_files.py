"""Outbox files (EDGE file system): messages in a folder that only their owner may read.

A file's name is the delivery's id, which ends with the subscriber's: so the files of one person are found.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700
SUFFIXES = (".eml", ".part")


def make_folder(folder: Path) -> None:
    """Make the folder unless it is there. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)


def nearest_folder(folder: Path) -> Path:
    """Return the folder, or the nearest folder above it that exists."""
    return next((place for place in (folder, *folder.resolve().parents) if place.is_dir()), Path("/"))


def write_whole(folder: Path, name: str, parts: Iterable[bytes]) -> Path:
    """Write `name`.eml whole or not at all, and durably; return where it is. Raises OSError."""
    path, unfinished = folder / f"{name}.eml", folder / f".{name}.part"
    unfinished.unlink(missing_ok=True)  # of a crash
    try:
        # O_EXCL follows no link that another user created meanwhile.
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)  # the name is durable only when the folder is
    finally:
        os.close(directory)
    return path


def remove_messages_to(folder: Path, subscriber_id: str) -> int:
    """Remove every message to one subscriber; return how many there were. Raises OSError."""
    if not folder.is_dir():
        return 0
    # Listed whole first: a folder must not change while it is read.
    theirs = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix in SUFFIXES and path.stem.endswith(subscriber_id)
    ]
    for path in theirs:
        path.unlink(missing_ok=True)
    return len(theirs)
