"""What to do about a group that is due: send, put off, or let it pass (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from service.core.model import Edition, Group, Newsletter
from service.core.schedules import Occurrence, next_occurrence, occurrences, parse_schedule

ONE_MICROSECOND = timedelta(microseconds=1)


class LateAction(Enum):
    """SEND: an issue now. MERGE: the stories wait for the next issue. SKIP: they are not told at all."""

    SEND = "send"
    MERGE = "merge"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class DuePlan:
    """What to do about a due group.

    `occurrence` is the moment that the group waits for; it names the issue. `stands_for` is the last moment
    that has come by now, the same one unless the service was away for longer: its date goes on the page.
    """

    action: LateAction
    occurrence: Occurrence
    shown_at: datetime
    next_due_at: datetime


def plan_due_group(group: Group, newsletter: Newsletter, now: datetime) -> DuePlan:
    """Return what to do about `group`, which waits for a moment that has come.

    Lateness counts from the last moment that has come: when Monday's and Tuesday's issues were missed and
    Wednesday's is due right now, nothing is late; the readers get one issue with the stories of all three.
    Raises UsageError or UnknownName for a schedule that cannot be read.
    """
    if group.due_at is None:
        raise ValueError("a group that waits for no moment is sent by hand, not by plan")
    zone = ZoneInfo(group.edition.timezone)
    schedule = parse_schedule(group.edition.schedule)
    occurrence = occurrence_at(group.edition, group.due_at)
    missed = [o.at for o in occurrences(schedule, zone, group.due_at, now)]
    stands_for = missed[-1] if missed else group.due_at
    late = now - stands_for > newsletter.late_limit
    return DuePlan(
        action=LateAction(newsletter.late) if late else LateAction.SEND,
        occurrence=occurrence,
        shown_at=stands_for,
        next_due_at=next_occurrence(schedule, zone, now).at,
    )


def occurrence_at(edition: Edition, due_at: datetime) -> Occurrence:
    """Return the occurrence that happens at `due_at` by the edition's schedule.

    When the schedule knows of none (its zone's rules changed since), the local time names it.
    """
    zone = ZoneInfo(edition.timezone)
    found = next_occurrence(parse_schedule(edition.schedule), zone, due_at - ONE_MICROSECOND)
    if found.at == due_at:
        return found
    return Occurrence(due_at.astimezone(zone).replace(tzinfo=None), due_at)
