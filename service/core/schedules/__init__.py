"""Schedules: the instants at which an issue is due, in the subscriber's time zone, across clock changes."""

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
    "Occurrence",
    "Schedule",
    "instant_of",
    "next_occurrence",
    "occurrences",
    "parse_schedule",
    "start_of_day",
]
