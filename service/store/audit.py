"""The record of what people changed in the editors' pages, by API and on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from service.core.model import AuditEntry
from service.store.database import Database
from service.store.schema import audit


@dataclass(frozen=True, slots=True)
class SqlAuditStore:
    """The table audit. Every coroutine may raise StoreError."""

    database: Database

    async def append(self, entry: AuditEntry) -> None:
        """Store an entry."""
        values = {
            "at": entry.at,
            "account": entry.account,
            "name": entry.name,
            "action": entry.action,
            "subject": entry.subject,
            "details": dict(entry.details),
        }
        async with self.database.write() as connection:
            await connection.execute(audit.insert().values(values))

    async def page(self, before: int | None, limit: int) -> Sequence[tuple[int, AuditEntry]]:
        """Return entries with their numbers, newest first; `before` is the last number of the page before."""
        query = select(audit).order_by(audit.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.number < before)
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            (row.number, AuditEntry(row.at, row.account, row.name, row.action, row.subject, row.details))
            for row in rows
        ]

    async def prune(self, before: datetime) -> int:
        """Delete the entries from before then; return how many."""
        async with self.database.write() as connection:
            return (await connection.execute(delete(audit).where(audit.c.at < before))).rowcount
