"""What goes out in the next hours, and what is late: sums of groups, without composing anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from service.core.schedules import occurrences, parse_schedule
from service.store.overview import DueGroup, OpenDraft

SHORTEST_TIME = timedelta(microseconds=1)  # a schedule yields times after a moment, without the moment
LATE_AFTER = timedelta(minutes=5)  # the scheduler looks each minute, and composing a large issue takes some


@dataclass(frozen=True, slots=True)
class DueTime:
    """The mails of one newsletter that are due at one time. `groups` is the number of different issues.

    `held` subscribers of them get nothing before an editor decides about their draft.
    """

    newsletter: str
    at: datetime
    subscribers: int
    groups: int
    held: int = 0


@dataclass(frozen=True, slots=True)
class DueHour:
    """The mails of one newsletter in one local hour, at `times` different times from `first` to `last`."""

    newsletter: str
    first: datetime
    last: datetime
    times: int
    mails: int
    groups: int
    held: int


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What is due within a time, in order of time, and what is late: a sum for each newsletter.

    `at` of a late one is when the earliest of its groups was due.
    """

    due: tuple[DueTime, ...]
    late: tuple[DueTime, ...]

    @property
    def mails(self) -> int:
        """The number of mails that are due, without those of held drafts."""
        return sum(one.subscribers - one.held for one in self.due)

    @property
    def held(self) -> int:
        """The number of mails that wait for an editor's decision."""
        return sum(one.held for one in self.due)


def upcoming(
    groups: Sequence[DueGroup], held: Sequence[OpenDraft], now: datetime, until: datetime
) -> Upcoming:
    """Return what is due from now on, and what was due LATE_AFTER ago and is not held."""
    places = {(draft.edition_key, draft.served_from, draft.due_at) for draft in held}
    times_of = cache(lambda schedule, timezone, due_at: _times(schedule, timezone, due_at, now, until))
    due: list[tuple[DueGroup, datetime, bool]] = []
    late: list[DueGroup] = []
    for group in groups:
        is_held = (group.edition_key, group.served_through, group.due_at) in places
        if group.due_at <= now - LATE_AFTER and not is_held:
            late.append(group)
        due += [(group, at, is_held) for at in times_of(group.schedule, group.timezone, group.due_at)]
    return Upcoming(_sums(due), _late_sums(late))


def by_hour(due: Sequence[DueTime], zone: ZoneInfo) -> list[DueHour]:
    """Return a value for each newsletter and local hour, in order of the first time."""
    found: dict[tuple[datetime, str], list[DueTime]] = defaultdict(list)
    for one in due:
        hour = one.at.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        found[hour.astimezone(UTC), one.newsletter].append(one)
    hours = [
        DueHour(
            newsletter,
            first=times[0].at,
            last=times[-1].at,
            times=len(times),
            mails=sum(one.subscribers for one in times),
            groups=max(one.groups for one in times),
            held=sum(one.held for one in times),
        )
        for (_, newsletter), times in found.items()
    ]
    return sorted(hours, key=lambda one: (one.first, one.newsletter))


def _late_sums(late: Sequence[DueGroup]) -> tuple[DueTime, ...]:
    sums = []
    for newsletter in sorted({group.newsletter for group in late}):
        own = [group for group in late if group.newsletter == newsletter]
        earliest = min(group.due_at for group in own)
        sums.append(DueTime(newsletter, earliest, sum(group.size for group in own), len(own)))
    return tuple(sums)


def _sums(found: Sequence[tuple[DueGroup, datetime, bool]]) -> tuple[DueTime, ...]:
    sums: dict[tuple[datetime, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for group, at, is_held in found:
        one = sums[at, group.newsletter]
        one[0] += group.size
        one[1] += 1
        one[2] += group.size if is_held else 0
    return tuple(DueTime(newsletter, at, *numbers) for (at, newsletter), numbers in sorted(sums.items()))


def _times(
    schedule: str, timezone: str, due_at: datetime, now: datetime, until: datetime
) -> tuple[datetime, ...]:
    """Return the due times from now on; of those that have passed the last, as now: it is composed next."""
    found = [
        one.at
        for one in occurrences(parse_schedule(schedule), ZoneInfo(timezone), due_at - SHORTEST_TIME, until)
    ]
    passed = [at for at in found if at <= now] or ([due_at] if due_at <= now else [])
    return (*((now,) if passed else ()), *(at for at in found if at > now))
