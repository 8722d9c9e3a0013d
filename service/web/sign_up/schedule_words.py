"""Schedules and due times in words, in the language of the page (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from service.core.schedules import DAYS
from service.core.schedules.words import even_minutes, plain_schedule
from service.core.schedules.words import schedule_words as in_english
from service.text.i18n import FALLBACK, Localizer


def schedule_words(labels: Localizer, schedule: str) -> str:
    """Return a schedule as a sentence, such as `Every day at 07:00`."""
    if minutes := even_minutes(schedule):
        return labels.text("sent_hourly") if minutes == 60 else _every(labels, minutes)
    word, *details = plain_schedule(schedule).split()
    if word in ("every", "cron"):
        return labels.text("rhythm_own", schedule=own_words(labels, schedule))
    times = _times(labels, details[-1])
    if word == "weekly":
        names = [labels.text(f"day_{DAYS[name]}") for name in details[0].split(",") if name]
        days = labels.text("comma").join(names)
        return labels.text("sent_weekly", days=days, times=times)
    if word == "monthly":
        return labels.text("sent_monthly", days=details[0].replace(",", labels.text("comma")), times=times)
    return labels.text(f"sent_{word}", times=times)


def own_words(labels: Localizer, schedule: str) -> str:
    """Return a schedule that not every language has words for: English words for English, else as written."""
    return in_english(schedule) if labels.language == FALLBACK else schedule


def next_words(labels: Localizer, due_at: datetime, timezone: str, now: datetime) -> str:
    """Return when the next issue comes, such as `Next: tomorrow 07:30 in Doha`."""
    local = replace(labels, zone=ZoneInfo(timezone))
    day, today = due_at.astimezone(local.zone).date(), now.astimezone(local.zone).date()
    time, city = local.time(due_at, due_at), city_of(timezone)
    if day == today:
        return labels.text("next_today", time=time, city=city)
    if day == today + timedelta(days=1):
        return labels.text("next_tomorrow", time=time, city=city)
    return labels.text("next_day", day=local.full_date(due_at), time=time, city=city)


def city_of(timezone: str) -> str:
    """Return the place that a time zone is named after: `Buenos Aires`."""
    return timezone.rpartition("/")[2].replace("_", " ")


def _every(labels: Localizer, minutes: int) -> str:
    return labels.text("sent_every", interval=labels.duration(timedelta(minutes=minutes)))


def _times(labels: Localizer, times: str) -> str:
    local = replace(labels, zone=ZoneInfo("UTC"))
    return labels.text("comma").join(_clock(local, part.split(":")) for part in times.split(","))


def _clock(labels: Localizer, parts: Sequence[str]) -> str:
    at = datetime(2000, 1, 1, int(parts[0]), int(parts[1]), tzinfo=UTC)
    return labels.time(at, at)
