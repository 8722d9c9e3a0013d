"""The list of a newsletter's issues, for its web pages and feeds.

A newsletter has many editions. Its list has the issues of its own edition, which has no subscriber's
preferences. A day without one has the issue of another edition with the same news, such as that of another
hour, if there is one: of several, the issue that most subscribers got. Issues whose news a subscriber chose
are not listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, tuple_, update

from service.core.model import Edition, Group, Issue
from service.core.read_models import ListedIssue
from service.store.database import Database
from service.store.dialect import Query
from service.store.schema import issues, listed_issues

NEWS_FIELDS = ("newsletter", "topics", "language", "languages", "follow", "mute")
"""Fields of an edition that decide what its issues tell; the others decide when, how much and how."""

LISTED_OCCURRENCE_CHARACTERS = len("2026-03-02T07:00")


@dataclass(frozen=True, slots=True)
class SqlListedIssues:
    """The lists of issues, in the table listed_issues. Paused issues are left out."""

    database: Database

    async def latest(self, newsletter: str, *, limit: int, offset: int = 0) -> Sequence[ListedIssue]:
        """Return listed issues of a newsletter (id), newest first, without the first `offset`."""
        query = _query(newsletter).order_by(*_place(descending=True)).limit(limit).offset(offset)
        return await self._read(query)

    async def count(self, newsletter: str) -> int:
        """Return the number of listed issues of a newsletter (id)."""
        counting = select(func.count()).select_from(_query(newsletter).subquery())
        async with self.database.read() as connection:
            return await connection.scalar(counting) or 0

    async def neighbours(
        self, newsletter: str, issue_id: str
    ) -> tuple[ListedIssue | None, ListedIssue | None]:
        """Return the listed issues before and after an issue; (None, None) for one that is not listed."""
        place = (
            select(listed_issues.c.day, listed_issues.c.time)
            .join(issues, issues.c.number == listed_issues.c.issue)
            .where(issues.c.id == issue_id, listed_issues.c.newsletter == newsletter)
        )
        async with self.database.read() as connection:
            found = (await connection.execute(place)).first()
        if found is None:
            return None, None
        here, there = tuple_(*_place()), tuple_(found.day, found.time)
        before = _query(newsletter).where(here < there).order_by(*_place(descending=True)).limit(1)
        after = _query(newsletter).where(here > there).order_by(*_place()).limit(1)
        earlier, later = await self._read(before), await self._read(after)
        return (earlier[0] if earlier else None), (later[0] if later else None)

    async def _read(self, query: Query) -> Sequence[ListedIssue]:
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).mappings()
            return [
                ListedIssue(row["id"], row["day"], row["time"], row["subject"], row["created_at"])
                for row in rows
            ]


def record(
    connection: Connection, group: Group, issue: Issue, own: Edition, *, number: int, readers: int
) -> None:
    """Put a new issue on the list, unless it does not belong there or another one has its place.

    `own` is the newsletter's own edition, `number` the issue's in the database.
    """
    is_repeated = issue.occurrence.startswith("again:")
    if is_repeated or group.subscriber_ids is not None or not _has_same_news(group.edition, own):
        return
    day, time = _local_time(group.edition, issue)
    place = {"newsletter": issue.newsletter, "day": day, "time": time if group.edition == own else ""}
    there = and_(*(listed_issues.c[name] == value for name, value in place.items()))
    known = connection.scalar(select(listed_issues.c.readers).where(there))
    if known is None:
        connection.execute(listed_issues.insert().values(**place, issue=number, readers=readers))
    elif known < readers:
        connection.execute(update(listed_issues).where(there).values(issue=number, readers=readers))


def _has_same_news(edition: Edition, own: Edition) -> bool:
    return all(getattr(edition, name) == getattr(own, name) for name in NEWS_FIELDS)


def _local_time(edition: Edition, issue: Issue) -> tuple[str, str]:
    """Return the local day and time of day for which an issue was due."""
    occurrence = issue.occurrence
    if issue.occurrence[4:5] != "-":  # a manual send has no local time in its name
        occurrence = issue.due_at.astimezone(ZoneInfo(edition.timezone)).isoformat()
    day, _, time = occurrence[:LISTED_OCCURRENCE_CHARACTERS].partition("T")
    return day, time


def _query(newsletter: str) -> Query:
    same_day = listed_issues.alias()
    has_own = exists().where(
        same_day.c.newsletter == newsletter, same_day.c.day == listed_issues.c.day, same_day.c.time != ""
    )
    return (
        select(issues.c.id, issues.c.subject, issues.c.created_at, listed_issues.c.day, listed_issues.c.time)
        .join(issues, issues.c.number == listed_issues.c.issue)
        .where(
            listed_issues.c.newsletter == newsletter,
            or_(listed_issues.c.time != "", ~has_own),
            _is_open(),
        )
    )


def _is_open() -> ColumnElement[bool]:
    return and_(issues.c.paused_at.is_(None))


def _place(*, descending: bool = False) -> tuple[ColumnElement[Any], ...]:
    columns = listed_issues.c.day, listed_issues.c.time
    return tuple(column.desc() for column in columns) if descending else columns
