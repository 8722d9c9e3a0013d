"""Plans: what is due when, for whom, and why an article is or is not in somebody's issue. Reads only."""

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

if TYPE_CHECKING:
    from service.app.factories.application import Application

SHORTEST_TIME = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ForecastIssue:
    """A moment at which some readers get an issue; `waiting` counts the articles that fit it by now."""

    at: datetime
    local: str
    edition: Edition
    readers: int
    articles: int


async def forecast(
    app: Application, newsletters: Sequence[Newsletter], ahead: timedelta
) -> list[ForecastIssue]:
    """Return what is due within the time ahead, in order."""
    records, now = SqlComposeStore(app.database), app.clock()
    slots: list[ForecastIssue] = []
    through = await records.release_position(now)
    for newsletter in newsletters:
        for group in await records.groups_of(newsletter.id, None):
            fitting = await records.released_articles(group.edition, group.served_through, through)
            slots += [
                ForecastIssue(
                    max(o.at, now), o.name.replace("T", " "), group.edition, group.size, len(fitting)
                )
                for o in _moments(group, now, now + ahead)
            ]
    return sorted(slots, key=lambda slot: (slot.at, slot.edition.newsletter, slot.edition.timezone))


def issue_time(issue: IssueDetails) -> str:
    """Return for which moment an issue was made: its local date and time, or that it was sent by hand."""
    kind, by_hand, _ = issue.occurrence.partition(":")
    if by_hand and kind in ("manual", "again"):
        return f"{issue.created_at:%Y-%m-%d %H:%M} UTC, by hand"
    return issue.occurrence.replace("T", " ")


def _moments(group: Group, now: datetime, until: datetime) -> list[Occurrence]:
    """Return when the group is due, beginning with the moment that it waits for, if that has come already."""
    zone, schedule = ZoneInfo(group.edition.timezone), parse_schedule(group.edition.schedule)
    begin = now if group.due_at is None else min(group.due_at - SHORTEST_TIME, now)
    found = list(occurrences(schedule, zone, begin, until))
    late = [o for o in found if o.at <= now]
    return [*late[-1:], *found[len(late) :]]
