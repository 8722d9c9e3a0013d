"""Manual sends: each is stored once, together with its issues and deliveries.

Compose first makes the issues against DraftComposeStore, which only collects them. Then one transaction
stores the issues, their deliveries and the row in `sends`. A second request with the same key finds that row,
even after a crash.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from service.core.model import Draft, Group, Issue, ManualSend
from service.store.compose import SqlComposeStore
from service.store.database import Database
from service.store.dialect import lock_groups
from service.store.schema import sends


@dataclass(frozen=True, slots=True)
class DraftComposeStore(SqlComposeStore):
    """A ComposeStore for drafts: it reads from the database, and collects issues instead of storing them."""

    issues: list[tuple[Group, Issue]] = field(default_factory=list)

    @override
    async def record_issue(
        self,
        group: Group,
        issue: Issue,
        next_due_at: datetime | None,
        channel: str,
        draft: Draft | None = None,
    ) -> int:
        self.issues.append((group, issue))
        return group.size


@dataclass(frozen=True, slots=True)
class ManualSendStore:
    """Manual sends, on the table sends."""

    database: Database

    async def find(self, send: ManualSend, repeat_window: timedelta | None) -> ManualSend | None:
        """Return the stored send with the same id, or with the same request within `repeat_window`."""
        async with self.database.read() as connection:
            return await _find(connection, send, repeat_window)

    async def record(
        self, send: ManualSend, draft: DraftComposeStore, channel: str, repeat_window: timedelta | None
    ) -> tuple[ManualSend, bool]:
        """Store the send with the drafted issues and their deliveries, in one transaction.

        Return the stored send, and whether it is new. A send that `find` returns is not changed.
        """
        async with self.database.write() as connection:
            await lock_groups(connection)
            earlier = await _find(connection, send, repeat_window)
            if earlier is not None:
                return earlier, False
            planned = {
                issue.id: await draft.record_in(connection, group, issue, None, channel)
                for group, issue in draft.issues
            }
            issues = tuple(issue for issue, deliveries in planned.items() if deliveries)
            recorded = replace(send, issues=issues, deliveries=sum(planned.values()))
            await connection.execute(sends.insert().values(asdict(recorded)))
            return recorded, True


async def _find(
    connection: AsyncConnection, send: ManualSend, repeat_window: timedelta | None
) -> ManualSend | None:
    """Return the send with the same id, or an equal recent one that has deliveries; the newest first."""
    same = sends.c.id == send.id
    if repeat_window is not None:
        recent = sends.c.at > send.at - repeat_window
        same = or_(same, (sends.c.request == send.request) & recent & (sends.c.deliveries > 0))
    query = select(sends).where(same).order_by(sends.c.at.desc()).limit(1)
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        return None
    lists = {name: tuple(row[name]) for name in ("issues", "problems")}
    return ManualSend(**{**row, **lists})
