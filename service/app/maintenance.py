"""Upkeep: the database of a configuration, brought up to date, copied and put back."""

from __future__ import annotations

import asyncio
from pathlib import Path

from service.app.clock import Clock, utc_now
from service.core.progress import Progress, silent
from service.settings.values import Settings
from service.store.backups import backup
from service.store.backups.postgres_restore import restore_tables
from service.store.backups.restore import Restored, restore_file
from service.store.database import Database, read_url, shown
from service.store.errors import InWords
from service.store.sending_hold import SendingHold


async def migrate(settings: Settings) -> str:
    """Bring the database up to date and return its name. Raises StoreError."""
    database = await Database.open(settings.storage)
    await database.close()
    return database.name


def back_up(settings: Settings, target: Path, progress: Progress = silent) -> None:
    """Copy the database into the new file `target`, while it is in use. Raises StoreError."""
    backup.back_up(settings.storage, target, lambda done, total: progress("pages", done, total))


async def restore(
    settings: Settings, source: Path, *, clock: Clock = utc_now, progress: Progress = silent
) -> Restored:
    """Make the database what the backup `source` holds, with what happened since. Raises StoreError."""
    place = read_url(settings.storage)
    if place.drivername == "postgresql":
        with InWords(shown(place)):
            return await restore_tables(settings.storage, shown(place), source, clock())
    named = Path(place.database or "")

    def report(done: int, total: int) -> None:
        progress("pages", done, total)

    path = await asyncio.to_thread(named.resolve)
    return await asyncio.to_thread(restore_file, str(named), path, source, clock(), report)


async def resume_sending(settings: Settings) -> bool:
    """Let sending go on after a restore; return whether it was held. Raises StoreError."""
    database = await Database.open(settings.storage)
    try:
        return await SendingHold(database).lift()
    finally:
        await database.close()
