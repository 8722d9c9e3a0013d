"""A schedule in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.core.schedules import SCHEDULE_EXAMPLES, occurrences, parse_schedule
from service.core.schedules.words import plain_schedule, schedule_words

YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("daily 07:00", "every day at 07:00"),
        ("daily 18:00,07:00,12:30", "every day at 07:00, 12:30 and 18:00"),
        ("weekdays 6:30", "Monday to Friday at 06:30"),
        ("weekends 09:00", "Saturdays and Sundays at 09:00"),
        ("weekly thu,mon 18:00", "Mondays and Thursdays at 18:00"),
        ("monthly 1,2,11,23,31 07:00", "the 1st, 2nd, 11th, 23rd and 31st of the month at 07:00"),
        ("every 1h", "every hour"),
        ("every 3h from 06:00 to 22:00", "every 3 hours from 06:00 to 22:00"),
        ("every 3h", "every 3 hours"),
        ("cron 30 6 * * mon-fri", "Monday to Friday at 06:30"),
        ("cron 0 7,18 * * *", "every day at 07:00 and 18:00"),
        ("cron 0 9 * * sun,3", "Wednesdays and Sundays at 09:00"),
        ("cron 0 8 1,15 * *", "the 1st and 15th of the month at 08:00"),
        ("cron */15 * * * *", "every 15 minutes"),
        ("cron 0,30 * * * *", "every 30 minutes"),
        ("cron 0 * * * *", "every hour"),
        ("cron 0 */6 * * *", "every 6 hours"),
        ("cron 5 * * * *", "at minute 5 of each hour"),
        ("cron 5,35 * * * *", "at minutes 5 and 35 of each hour"),
        ("cron 0 8 31 * *", "by a timetable of its own (cron 0 8 31 * *)"),
        ("cron 0 8 * 1-3 *", "by a timetable of its own (cron 0 8 * 1-3 *)"),
        ("cron 0 8 1 * mon", "by a timetable of its own (cron 0 8 1 * mon)"),
        ("cron 0 8 */2 * *", "by a timetable of its own (cron 0 8 */2 * *)"),
        ("cron 0 8 * * fri#2", "by a timetable of its own (cron 0 8 * * fri#2)"),
        ("whenever", "whenever"),
    ],
)
def test_a_schedule_is_said_in_words(schedule: str, words: str):
    assert schedule_words(schedule) == words


@pytest.mark.parametrize("schedule", SCHEDULE_EXAMPLES)
def test_every_kind_of_schedule_has_words(schedule: str):
    assert schedule_words(schedule).strip()


@pytest.mark.parametrize(
    "expression", ["30 6 * * mon-fri", "0 7,18 * * *", "0 9 * * sun,3", "15 8 1,15,28 * *", "0 */6 * * *"]
)
def test_a_cron_expression_and_its_plain_form_are_due_at_the_same_times(expression: str):
    zone, start = ZoneInfo("Europe/Berlin"), datetime(2026, 1, 1, tzinfo=UTC)
    cron, plain = (
        parse_schedule(text) for text in (f"cron {expression}", plain_schedule(f"cron {expression}"))
    )

    assert not plain.text.startswith("cron")
    for found, expected in zip(
        occurrences(plain, zone, start, start + YEAR),
        occurrences(cron, zone, start, start + YEAR),
        strict=True,
    ):
        assert found == expected
