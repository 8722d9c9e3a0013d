"""Private files (EDGE file system): files that only their owner can read, from their creation on.

A file gets its final name only when it is complete and on the disk. Unfinished files have unpredictable names
and are created with O_EXCL, so that no planted link is followed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIDE_FILES = ("-journal", "-wal", "-shm")
"""Suffixes of the files that belong to an SQLite database file (https://sqlite.org/tempfiles.html)."""


@contextmanager
def unfinished_file(target: Path) -> Iterator[Path]:
    """Yield a new empty file (mode 0600) in the folder of `target`, and remove it after the block."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".unfinished")
    os.close(descriptor)
    path = Path(name)
    try:
        yield path
    finally:
        for side in ("", *SIDE_FILES):
            path.with_name(path.name + side).unlink(missing_ok=True)


def publish(unfinished: Path, target: Path) -> bool:
    """Give the file its final name, durably; return False, without a change, if the name is taken."""
    flush_to_disk(unfinished)
    try:
        os.link(unfinished, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if target.exists():
            return False
        unfinished.rename(target)
    flush_to_disk(target.parent)
    return True


def flush_to_disk(path: Path) -> None:
    """Flush a file's content, or a folder's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def give_to_owner_of(path: Path, like: Path) -> None:
    """As root, give the file to the owner of `like`, who could not use it otherwise."""
    if os.geteuid() == 0:
        owner = like.stat()
        with suppress(PermissionError):  # a file system without owners
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
