"""Days until which a subscriber can pause."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from service.core.errors import UsageError
from service.subscribers.actions import require_future_day

LATE_EVENING = datetime(2026, 8, 14, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "timezone"),
    [
        (date(2026, 8, 13), "UTC"),
        (date(2026, 8, 14), "UTC"),
        (date(2026, 8, 15), "Asia/Qatar"),  # where it is already the 15th
        (date(2027, 8, 16), "UTC"),  # more than a year ahead
    ],
)
def test_a_pause_ends_after_today_and_within_a_year(day: date, timezone: str):
    with pytest.raises(UsageError, match="choose a day from tomorrow on"):
        require_future_day(day, LATE_EVENING, timezone)


@pytest.mark.parametrize(("day", "timezone"), [(15, "UTC"), (16, "Asia/Qatar"), (15, "America/Lima")])
def test_tomorrow_is_the_first_day_that_is_possible(day: int, timezone: str):
    require_future_day(date(2026, 8, day), LATE_EVENING, timezone)
