"""Maintenance of the database: migrate, back up, restore, prune."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from service.app.accounts.sessions import SESSION_IDLE, SESSION_LIFETIME
from service.app.clock import Clock, utc_now
from service.app.privacy.retention import delete_expired
from service.app.webhooks.sending import prune_messages
from service.core.progress import Progress, no_progress
from service.settings.values import Settings
from service.store.accounts import SqlAccountStore
from service.store.backups import backup
from service.store.backups.restore import RestoreResult, restore_file
from service.store.cancel import SqlCancellation
from service.store.database import Database, read_url, redacted
from service.store.errors import StoreErrors
from service.store.issue_books import IssueBooks
from service.store.judge import SqlJudgeStore
from service.store.limits import SqlAttemptStore
from service.store.operator_state import SqlOperatorState
from service.store.partitions import open_next
from service.store.sending_hold import SendingHold
from service.store.transactional import SqlSignUpStore
from service.subscribers.sign_up import LINK_LIFETIME, MAX_LIMIT_PERIOD

if TYPE_CHECKING:
    from service.app.factories.application import Application

ANSWER_LIFETIME = timedelta(days=30)
"""How long a judge's answer is kept: articles that are in no issue by then will be in none."""

PRUNE_SECONDS = 5.0
"""How long one call of `prune` may delete: with 5,000 rows at a time, a million rows take an hour."""


async def migrate(settings: Settings) -> str:
    """Migrate the database to the current version and return its name. Raises StoreError."""
    database = await Database.open(settings.storage)
    await database.close()
    return database.name


async def back_up(
    settings: Settings, target: Path, progress: Progress = no_progress, *, clock: Clock = utc_now
) -> None:
    """Copy the database, which may be in use, into the new file `target`; record when. Raises StoreError."""

    def report(done: int, total: int) -> None:
        progress("pages", done, total)

    await asyncio.to_thread(backup.back_up, settings.storage, target, report)
    database = await Database.open(settings.storage)
    try:
        await SqlOperatorState(database).record_backup(clock())
    finally:
        await database.close()


async def restore(
    settings: Settings, source: Path, *, clock: Clock = utc_now, progress: Progress = no_progress
) -> RestoreResult:
    """Restore the backup `source` and merge into it what was sent since. Raises StoreError."""
    place = read_url(settings.storage)
    if place.drivername == "postgresql":
        # SQLAlchemy's asyncio package, which SQLite does without.
        from service.store.backups.postgres_restore import restore_tables  # noqa: PLC0415

        with StoreErrors(redacted(place)):
            return await restore_tables(settings.storage, redacted(place), source, clock())
    named = Path(place.database or "")

    def report(done: int, total: int) -> None:
        progress("pages", done, total)

    path = await asyncio.to_thread(named.resolve)
    return await asyncio.to_thread(restore_file, str(named), path, source, clock(), report)


async def resume_sending(settings: Settings) -> bool:
    """End the hold on sending after a restore; return whether there was one. Raises StoreError."""
    database = await Database.open(settings.storage)
    try:
        return await SendingHold(database).release()
    finally:
        await database.close()


async def finish_issues(app: Application) -> int:
    """Store the numbers of finished issues, and cancel what is left of cancelled ones; return how many.

    Deliveries of cancelled issues that were in transfer, and are deferred now, are cancelled. On PostgreSQL
    the next partition of the deliveries is opened.
    """
    stored = await IssueBooks(app.database).store_finished()
    stored += await SqlCancellation(app.database).cancel_rest(app.clock())
    await open_next(app.database, app.clock())  # last: it needs the right to create tables
    return stored


async def prune(app: Application) -> int:
    """Delete expired sign-ups, mails, sessions, counted attempts and answers; return the number of rows.

    Each kind is deleted in parts, deliveries after the numbers of their issue were stored. Ends after
    PRUNE_SECONDS; the next call continues.
    """
    await finish_issues(app)
    now, deleted = asyncio.get_running_loop().time, 0
    until = now() + PRUNE_SECONDS
    while (part := await _prune_part(app)) and now() < until:
        deleted += part
    return deleted + part


async def _prune_part(app: Application) -> int:
    """Delete a limited number of rows of each kind; return how many."""
    now = app.clock()
    mails = await SqlSignUpStore(app.database).prune(now, LINK_LIFETIME)
    answers = await SqlJudgeStore(app.database).prune(now - ANSWER_LIFETIME)
    ended = await SqlAccountStore(app.database).prune(now - SESSION_IDLE, now - SESSION_LIFETIME)
    attempts = await SqlAttemptStore(app.database).prune(now, MAX_LIMIT_PERIOD)
    messages = await prune_messages(app)
    expired = await delete_expired(app)
    return mails + answers + ended + attempts + messages + expired
