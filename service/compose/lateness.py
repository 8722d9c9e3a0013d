"""Lateness: what to do with a group that is due: send, merge or skip (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from service.core.model import Edition, Group, Newsletter
from service.core.schedules import Occurrence, next_occurrence, occurrences, parse_schedule

ONE_MICROSECOND = timedelta(microseconds=1)  # the resolution of due times


class LateAction(Enum):
    """SEND: make an issue now. MERGE: the stories wait for the next issue. SKIP: they are dropped."""

    SEND = "send"
    MERGE = "merge"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class DuePlan:
    """The plan for a due group.

    `occurrence` is the due time of the group and identifies the issue. `shown_at` is the date of the issue:
    the latest occurrence by now, another one only if the service was down for longer.
    """

    action: LateAction
    occurrence: Occurrence
    shown_at: datetime
    next_due_at: datetime


def plan_due_group(
    group: Group, newsletter: Newsletter, now: datetime, *, approved_at: datetime | None = None
) -> DuePlan:
    """Return the plan for a group whose due time has come.

    Lateness counts from the latest occurrence: if Monday's and Tuesday's issues were missed and Wednesday's
    is due now, nothing is late, and subscribers get one issue with the stories of all three days. An issue
    that waited for an editor is as late as its approval is old. Raises UsageError or UnknownName for an
    invalid schedule.
    """
    if group.due_at is None:
        raise ValueError("a group without a due time is for a manual send")
    zone = ZoneInfo(group.edition.timezone)
    schedule = parse_schedule(group.edition.schedule)
    occurrence = occurrence_at(group.edition, group.due_at)
    missed = [o.at for o in occurrences(schedule, zone, group.due_at, now)]
    stands_for = missed[-1] if missed else group.due_at
    ready_at = stands_for if approved_at is None else max(stands_for, approved_at)
    late = now - ready_at > newsletter.late_limit
    return DuePlan(
        action=LateAction(newsletter.late) if late else LateAction.SEND,
        occurrence=occurrence,
        shown_at=stands_for,
        next_due_at=next_occurrence(schedule, zone, now).at,
    )


def occurrence_at(edition: Edition, due_at: datetime) -> Occurrence:
    """Return the occurrence of the edition's schedule at `due_at`.

    If the schedule has none there (the rules of its time zone changed), the local time identifies it.
    """
    zone = ZoneInfo(edition.timezone)
    found = next_occurrence(parse_schedule(edition.schedule), zone, due_at - ONE_MICROSECOND)
    if found.at == due_at:
        return found
    return Occurrence(due_at.astimezone(zone).replace(tzinfo=None), due_at)
