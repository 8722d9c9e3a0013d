"""Private files (EDGE file system): files that only their owner may read, from the moment they are made.

A file appears under its name only when it is whole and on the disk. Unfinished files have names that nobody
can guess and are made with O_EXCL, so that no link laid in their way is followed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIDE_FILES = ("-journal", "-wal", "-shm")
"""What SQLite keeps beside a database file (https://sqlite.org/tempfiles.html)."""


@contextmanager
def unfinished_file(target: Path) -> Iterator[Path]:
    """Give a new empty file (mode 0600) in the folder of `target`; whatever is left of it is removed."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".unfinished")
    os.close(descriptor)
    path = Path(name)
    try:
        yield path
    finally:
        for side in ("", *SIDE_FILES):
            path.with_name(path.name + side).unlink(missing_ok=True)


def publish(unfinished: Path, target: Path) -> bool:
    """Give the file its name, durably; return False, and change nothing, when the name is taken."""
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
    """Wait until the file, or the names in the folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def give_to_owner_of(path: Path, like: Path) -> None:
    """Let a file that root made belong to the owner of `like`, who could not use it otherwise."""
    if os.geteuid() == 0:
        owner = like.stat()
        with suppress(PermissionError):  # a file system that knows no owners
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
