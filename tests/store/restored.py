"""Helpers for the tests of backup and restore."""

from __future__ import annotations

import asyncio
from pathlib import Path

from service.store.backups.backup import no_page_progress
from service.store.backups.postgres_restore import restore_tables
from service.store.backups.restore import RestoreResult, restore_file
from service.store.database import Database
from service.store.subscribers import SqlSubscriberStore
from tests.builders import NOON


async def restored(url: str, source: Path) -> RestoreResult:
    """Restore the backup into the database at the URL."""
    if url.startswith("postgresql"):
        return await restore_tables(url, "test", source, NOON)
    path = Path(url.removeprefix("sqlite:///"))
    return await asyncio.to_thread(restore_file, "test", path, source, NOON, no_page_progress)


async def key_of(url: str) -> bytes:
    """Return the key that signs links."""
    database = await Database.open(url)
    try:
        return await SqlSubscriberStore(database).signing_key()
    finally:
        await database.close()
