"""Schedules: the instants at which an issue is due, in the subscriber's time zone, across clock changes."""

from service.core.schedules.chosen import WEEKEND, WHOLE_WEEK, WORKDAYS, chosen_schedule, week_schedule
from service.core.schedules.kinds import (
    DAYS,
    SCHEDULE_EXAMPLES,
    SCHEDULE_KINDS,
    WEEK,
    parse_schedule,
)
from service.core.schedules.occurrences import (
    Occurrence,
    Schedule,
    instant_of,
    next_occurrence,
    occurrences,
    start_of_day,
)

__all__ = [
    "DAYS",
    "SCHEDULE_EXAMPLES",
    "SCHEDULE_KINDS",
    "WEEK",
    "WEEKEND",
    "WHOLE_WEEK",
    "WORKDAYS",
    "Occurrence",
    "Schedule",
    "chosen_schedule",
    "instant_of",
    "next_occurrence",
    "occurrences",
    "parse_schedule",
    "start_of_day",
    "week_schedule",
]
