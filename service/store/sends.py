"""Sends by hand: each is recorded once, whoever asks for it how often, and what it planned with it.

A send is drafted first: compose makes its issues against a record that keeps them aside. Then all of them,
their deliveries and the row that says that this was done become real in one transaction. Whoever comes
second with the same key finds the row, and so does whoever asks again after a crash.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.model import Group, Issue, ManualSend
from service.store.compose import SqlComposeStore
from service.store.database import Database
from service.store.dialect import lock_groups
from service.store.mappers import Row
from service.store.schema import sends


@dataclass(frozen=True, slots=True)
class DraftComposeStore(SqlComposeStore):
    """The record as compose sees it while a send is drafted: it reads what is there, and keeps `issues`."""

    issues: list[tuple[Group, Issue]] = field(default_factory=list)

    async def record_issue(
        self,
        group: Group,
        issue: Issue,
        next_due_at: datetime | None,  # noqa: ARG002 - the contract's
        channel: str,  # noqa: ARG002 - as above
    ) -> int:
        """Keep the issue; return how many deliveries it would be."""
        self.issues.append((group, issue))
        return group.size


@dataclass(frozen=True, slots=True)
class ManualSendStore:
    """What was sent by hand."""

    database: Database

    async def find(self, send: ManualSend, repeat_window: timedelta | None) -> ManualSend | None:
        """Return what is recorded for it already: under its id, or the same request less than `slip` ago."""
        async with self.database.read() as connection:
            return await _found(connection, send, repeat_window)

    async def record(
        self, send: ManualSend, draft: DraftComposeStore, channel: str, repeat_window: timedelta | None
    ) -> tuple[ManualSend, bool]:
        """Store the send with the drafted issues and their deliveries: one transaction, once.

        Return what stands in the record, and whether it is this one rather than one that was there before,
        as `find` says; of that one nothing is changed.
        """
        async with self.database.write() as connection:
            await lock_groups(connection)
            before = await _found(connection, send, repeat_window)
            if before is not None:
                return before, False
            planned = {
                issue.id: await draft.record_in(connection, group, issue, None, channel)
                for group, issue in draft.issues
            }
            issues = tuple(issue for issue, deliveries in planned.items() if deliveries)
            recorded = replace(send, issues=issues, deliveries=sum(planned.values()))
            await connection.execute(sends.insert().values(asdict(recorded)))
            return recorded, True


async def _found(connection: AsyncConnection, send: ManualSend, slip: timedelta | None) -> ManualSend | None:
    row = (await connection.execute(_same(send, slip))).mappings().first()
    return None if row is None else _send_of(row)


def _same(send: ManualSend, slip: timedelta | None) -> Select[*tuple[Any, ...]]:
    """Return the query for what is recorded already; a send that planned nothing was no slip."""
    same = sends.c.id == send.id
    if slip is not None:
        lately = (sends.c.request == send.request) & (sends.c.at > send.at - slip) & (sends.c.deliveries > 0)
        same = or_(same, lately)
    return select(sends).where(same).order_by(sends.c.at.desc()).limit(1)


def _send_of(row: Row) -> ManualSend:
    listed = {name: tuple(row[name]) for name in ("issues", "problems")}
    return ManualSend(**{**row, **listed})
