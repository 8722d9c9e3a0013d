"""Chosen schedules: the schedule of a newsletter with the days and the hour that a person chose (pure)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from service.core.schedules.kinds import WEEK, parse_schedule

WHOLE_WEEK, WORKDAYS, WEEKEND = frozenset(range(7)), frozenset(range(5)), frozenset((5, 6))
WITHOUT_DAYS = ("every", "cron")
"""Kinds of schedules that have no days and times to change one by one."""


def chosen_schedule(schedule: str, days: Collection[int], time: str) -> str | None:
    """Return the schedule with these days (Monday is 0) and this time; None if both are empty.

    What is empty stays the newsletter's. Raises UsageError for an invalid time.
    """
    word, *details = parse_schedule(schedule).text.split()
    if not time and (not days or word in WITHOUT_DAYS):
        return None
    times = time or details[-1]
    if days or word in WITHOUT_DAYS:
        wanted = week_schedule(days or WHOLE_WEEK, [times])
    else:
        wanted = " ".join([word, *details[:-1], times])
    return parse_schedule(wanted).text


def week_schedule(days: Collection[int], times: Sequence[str]) -> str:
    """Return the schedule of these days of the week (Monday is 0) and times."""
    words = {WHOLE_WEEK: "daily", WORKDAYS: "weekdays", WEEKEND: "weekends"}
    listed = ",".join(WEEK[day][:3] for day in sorted(days))
    return f"{words.get(frozenset(days), f'weekly {listed}')} {','.join(times)}"
