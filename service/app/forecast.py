"""Forecast: which issues are due, when and for how many subscribers; read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from service.core.model import Edition, Group, Newsletter
from service.core.read_models import IssueDetails
from service.core.schedules import Occurrence, occurrences, parse_schedule
from service.store.compose import SqlComposeStore
from service.store.pauses import paused_groups

if TYPE_CHECKING:
    from service.app.factories.application import Application

SHORTEST_TIME = timedelta(microseconds=1)  # a schedule yields times after a moment, without the moment


@dataclass(frozen=True, slots=True)
class ForecastIssue:
    """An issue that will be due for a group of subscribers. `articles` fit it so far; more may arrive."""

    at: datetime
    local: str
    edition: Edition
    readers: int
    articles: int


async def forecast(
    app: Application, newsletters: Sequence[Newsletter], ahead: timedelta
) -> list[ForecastIssue]:
    """Return the issues that are due within the time `ahead`, in order of time."""
    store, now = SqlComposeStore(app.database), app.clock()
    issues: list[ForecastIssue] = []
    through = await store.release_position(now)
    for newsletter in newsletters:
        groups = [*await store.groups_of(newsletter.id, None)]
        groups += await paused_groups(app.database, newsletter.id)
        for group in groups:
            fitting = await store.released_articles(group.edition, group.served_through, through)
            issues += [
                ForecastIssue(
                    max(o.at, now), o.name.replace("T", " "), group.edition, group.size, len(fitting)
                )
                for o in _due_times(group, now, now + ahead)
            ]
    return sorted(issues, key=lambda issue: (issue.at, issue.edition.newsletter, issue.edition.timezone))


def issue_time(issue: IssueDetails) -> str:
    """Return the local date and time that an issue was due at, or the time of a manual send."""
    kind, by_hand, _ = issue.occurrence.partition(":")
    if by_hand and kind in ("manual", "again"):
        return f"{issue.created_at:%Y-%m-%d %H:%M} UTC, by hand"
    return issue.occurrence.replace("T", " ")


def _due_times(group: Group, now: datetime, until: datetime) -> list[Occurrence]:
    """Return the times when the group is due; an overdue one is first, and only the latest of them.

    A group with a due time, which is paused, is not due before it.
    """
    zone, schedule = ZoneInfo(group.edition.timezone), parse_schedule(group.edition.schedule)
    begin = now if group.due_at is None else group.due_at - SHORTEST_TIME
    found = list(occurrences(schedule, zone, begin, until))
    late = [o for o in found if o.at <= now]
    return [*late[-1:], *found[len(late) :]]
