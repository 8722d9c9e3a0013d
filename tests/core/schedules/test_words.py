"""A schedule in words."""

from __future__ import annotations

import pytest

from service.core.schedules import SCHEDULE_EXAMPLES
from service.core.schedules.words import schedule_words


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
        ("cron 30 6 * * mon-fri", "cron 30 6 * * mon-fri"),
        ("whenever", "whenever"),
    ],
)
def test_a_schedule_is_said_in_words(schedule: str, words: str):
    assert schedule_words(schedule) == words


@pytest.mark.parametrize("schedule", SCHEDULE_EXAMPLES)
def test_every_kind_of_schedule_has_words(schedule: str):
    assert schedule_words(schedule).strip()
