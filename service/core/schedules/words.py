"""A schedule in words: `weekly mon,thu 18:00` -> `Mondays and Thursdays at 18:00` (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from service.core.errors import UsageError
from service.core.schedules.kinds import DAYS, WEEK, parse_schedule

DAYS_IN_WORDS = {"daily": "every day", "weekdays": "Monday to Friday", "weekends": "Saturdays and Sundays"}


def schedule_words(text: str) -> str:
    """Return the schedule in English words; a cron expression stays as it is, and what is no schedule."""
    try:
        kind, *details = parse_schedule(text).text.split()
    except UsageError:
        return text
    match kind, details:
        case (("daily" | "weekdays" | "weekends"), [times]):
            return f"{DAYS_IN_WORDS[kind]} at {_listed(times.split(','))}"
        case "weekly", [days, times]:
            names = [f"{WEEK[DAYS[day]].capitalize()}s" for day in days.split(",")]
            return f"{_listed(names)} at {_listed(times.split(','))}"
        case "monthly", [days, times]:
            names = [_ordinal(int(day)) for day in days.split(",")]
            return f"the {_listed(names)} of the month at {_listed(times.split(','))}"
        case "every", [hours, *window]:
            count = int(hours.removesuffix("h"))
            shown = "every hour" if count == 1 else f"every {count} hours"
            return " ".join([shown, *window])
    return text


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number not in (11, 12, 13) else "th"
    return f"{number}{ending}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
