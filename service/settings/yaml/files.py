"""Files of a config folder (EDGE config/): lock the folder, replace files, keep the replaced ones."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from service.core.errors import CaveatError, UsageError
from service.settings.config_files import CONFIG_FILES

BACKUP_FOLDER = ".backups"
"""Folder in the config folder with the files of earlier configurations, one folder for each change."""

CHANGED_MEANWHILE = "the files were changed meanwhile, and nothing was applied; look at the plan again"

MOST_BACKUPS = 10  # older ones are deleted: they hold addresses of people who left


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the content of the config files that exist, by name. Raises CaveatError."""
    found = {}
    for name in CONFIG_FILES:
        try:
            found[name] = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CaveatError(f"{folder / name} cannot be read: {error.strerror}") from error
    return found


def replace_files(
    folder: Path, before: Mapping[str, bytes], files: Mapping[str, bytes], now: datetime
) -> Path:
    """Replace config files by new content and return the folder with the old ones.

    Each file is replaced atomically. `before` is the content that the new one was made from: raises
    UsageError, and changes nothing, if another edit was saved since. Raises CaveatError if a file cannot be
    written.
    """
    with locked(folder):
        if read_files(folder) != before:
            raise UsageError(CHANGED_MEANWHILE)
        kept = _keep(folder, before, now)
        for name, content in files.items():
            if before.get(name) != content:
                write((folder / name).resolve(), content)
    return kept


def _keep(folder: Path, before: Mapping[str, bytes], now: datetime) -> Path:
    """Write the old files into a folder of their own, readable for the owner only; return it."""
    backups = folder / BACKUP_FOLDER
    kept = backups / now.strftime("%Y-%m-%dT%H%M%S.%fZ")
    number = 1
    while kept.exists():  # another change at the same time; the lock lets one after the other in
        number += 1
        kept = backups / f"{now:%Y-%m-%dT%H%M%S.%fZ}-{number}"
    try:
        backups.mkdir(mode=0o700, exist_ok=True)
        kept.mkdir(mode=0o700)
        for name, content in before.items():
            with os.fdopen(os.open(kept / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
    except OSError as error:
        raise CaveatError(f"{kept} cannot be written: {error.strerror}") from error
    for old in sorted(backups.iterdir())[:-MOST_BACKUPS]:
        shutil.rmtree(old, ignore_errors=True)
    return kept


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the folder, so that two edits do not undo one another."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise CaveatError(f"{folder} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(path: Path, data: bytes) -> None:
    """Replace the file atomically: after a crash it holds the old bytes or the new ones (POSIX rename)."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise CaveatError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            with suppress(FileNotFoundError):  # a new file is for its owner only
                before = path.stat()
                os.fchmod(file.fileno(), before.st_mode & 0o7777)
                with suppress(PermissionError):
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise CaveatError(f"{path} cannot be written: {error.strerror}") from error
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
