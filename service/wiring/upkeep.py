"""Upkeep: the database of a configuration, brought up to date, copied and put back."""

from __future__ import annotations

from pathlib import Path

from service.core.contracts import Progress, silent
from service.settings.values import Settings
from service.store import backup
from service.store.database import Database


async def migrate(settings: Settings) -> str:
    """Bring the database up to date and return its name. Raises StoreError."""
    database = await Database.open(settings.storage)
    await database.close()
    return database.name


def back_up(settings: Settings, target: Path, progress: Progress = silent) -> None:
    """Copy the database into the new file `target`, while it is in use. Raises StoreError."""
    backup.back_up(settings.storage, target, lambda done, total: progress("pages", done, total))


def restore(settings: Settings, source: Path, progress: Progress = silent) -> None:
    """Make the database what the backup `source` holds. Raises StoreError."""
    backup.restore(settings.storage, source, lambda done, total: progress("pages", done, total))
