"""Manual sends: each is stored once, together with its issues and deliveries.

Compose first makes the issues against DraftComposeStore, which only collects them. Then one transaction
stores the issues, their deliveries and the row in `sends`. A second request with the same key finds that row,
even after a crash.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, func, or_, select
from typing_extensions import override

from service.core.model import Draft, Group, Issue, ManualSend
from service.store.compose import SqlComposeStore
from service.store.database import Database
from service.store.dialect import GROUPS_LOCK, hold_lock, is_in
from service.store.mappers import Row
from service.store.schema import issues, sends


class FirstIssue(NamedTuple):
    """The first issue of a send; its times are None if it is not paused or cancelled."""

    newsletter: str
    subject: str
    paused_at: datetime | None
    cancelled_at: datetime | None


class IssueMarks(NamedTuple):
    """The numbers of issues of a send: all, paused ones, cancelled ones; their newsletter and one subject.

    `newsletter` and `subject` are None without an issue.
    """

    issues: int
    paused: int
    cancelled: int
    newsletter: str | None
    subject: str | None


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
        return await self.database.run_read(lambda connection: _find(connection, send, repeat_window))

    async def with_id(self, send_id: str) -> ManualSend | None:
        """Return the send with this id."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(sends).where(sends.c.id == send_id))).mappings().first()
        return None if row is None else _send_of(row)

    async def latest(self, limit: int) -> Sequence[ManualSend]:
        """Return the last sends, newest first."""
        query = select(sends).order_by(sends.c.at.desc(), sends.c.id).limit(limit)
        async with self.database.read() as connection:
            return [_send_of(row) for row in (await connection.execute(query)).mappings()]

    async def first_issues(self, ids: Collection[str]) -> Mapping[str, FirstIssue]:
        """Return these issues by id."""
        columns = issues.c["id", "newsletter", "subject", "paused_at", "cancelled_at"]
        async with self.database.read() as connection:
            query = select(*columns).where(is_in(connection, issues.c.id, ids))
            return {row[0]: FirstIssue(*row[1:]) for row in (await connection.execute(query)).all()}

    async def issue_marks(self, issue_ids: Collection[str]) -> IssueMarks:
        """Return what is the same for many or all of these issues: see IssueMarks."""
        async with self.database.read() as connection:
            query = select(
                func.count(),
                func.count(issues.c.paused_at),
                func.count(issues.c.cancelled_at),
                func.min(issues.c.newsletter),
                func.min(issues.c.subject),
            ).where(is_in(connection, issues.c.id, issue_ids))
            return IssueMarks(*(await connection.execute(query)).one())

    async def record(
        self, send: ManualSend, draft: DraftComposeStore, channel: str, repeat_window: timedelta | None
    ) -> tuple[ManualSend, bool]:
        """Store the send with the drafted issues and their deliveries, in one transaction.

        Return the stored send, and whether it is new. A send that `find` returns is not changed.
        """

        def work(connection: Connection) -> tuple[ManualSend, bool]:
            hold_lock(connection, GROUPS_LOCK)
            earlier = _find(connection, send, repeat_window)
            if earlier is not None:
                return earlier, False
            planned = {
                issue.id: draft.record_in(connection, group, issue, None, channel)
                for group, issue in draft.issues
            }
            issues = tuple(issue for issue, deliveries in planned.items() if deliveries)
            recorded = replace(send, issues=issues, deliveries=sum(planned.values()))
            connection.execute(sends.insert().values(asdict(recorded)))
            return recorded, True

        return await self.database.run_write(work)


def _find(connection: Connection, send: ManualSend, repeat_window: timedelta | None) -> ManualSend | None:
    """Return the send with the same id, or an equal recent one that has deliveries; the newest first."""
    same = sends.c.id == send.id
    if repeat_window is not None:
        recent = sends.c.at > send.at - repeat_window
        same = or_(same, (sends.c.request == send.request) & recent & (sends.c.deliveries > 0))
    query = select(sends).where(same).order_by(sends.c.at.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _send_of(row)


def _send_of(row: Row) -> ManualSend:
    lists = {name: tuple(row[name]) for name in ("issues", "problems")}
    return ManualSend(**{**row, **lists})
