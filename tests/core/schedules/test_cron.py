"""A cron expression selects local days and times; one that is never due, or too often, is refused."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.core.errors import UsageError
from service.core.schedules import parse_schedule

DAYS_OF_2026 = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]


def days_of(text: str, month: int = 3) -> list[int]:
    """Return the days of a month of 2026 (March begins on a Sunday) on which the schedule is due."""
    matches = parse_schedule(text).matches
    return [day.day for day in DAYS_OF_2026 if day.month == month and matches(day)]


def times_of(text: str) -> list[str]:
    return [f"{moment:%H:%M}" for moment in parse_schedule(text).times]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        (
            "cron 30 6 * * mon-fri",
            [2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 23, 24, 25, 26, 27, 30, 31],
        ),
        ("cron 30 6 * * 0", [1, 8, 15, 22, 29]),
        ("cron 30 6 * * 7", [1, 8, 15, 22, 29]),
        ("cron 30 6 1,15 * *", [1, 15]),
        ("cron 30 6 */10 * *", [1, 11, 21, 31]),
        ("cron 30 6 L * *", [31]),
        ("cron 30 6 LW * *", [31]),
        ("cron 30 6 * * friL", [27]),
        ("cron 30 6 * * 5L", [27]),
        ("cron 30 6 * * tue#2", [10]),
        ("cron 30 6 * apr-jun *", []),
        ("cron 30 6 13 * fri", [6, 13, 20, 27]),  # neither begins with a star: one is enough
        ("cron 30 6 */2 * sun", [1, 15, 29]),  # one begins with a star: both have to match
    ],
)
def test_the_day_fields_select_the_days(text: str, days: list[int]):
    assert days_of(text) == days


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("cron 30 6 * * *", ["06:30"]),
        ("cron 0,30 6-8 * * *", ["06:00", "06:30", "07:00", "07:30", "08:00", "08:30"]),
        ("cron 0 */8 * * *", ["00:00", "08:00", "16:00"]),
        ("cron 0 6-22/8 * * *", ["06:00", "14:00", "22:00"]),
        ("cron */15 7 * * *", ["07:00", "07:15", "07:30", "07:45"]),
    ],
)
def test_the_time_fields_give_the_times(text: str, times: list[str]):
    assert times_of(text) == times


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("CRON 30 06 * * MON-FRI", "cron 30 6 * * mon-fri"),
        ("cron 30 6 * * 1,2,3,4,5", "cron 30 6 * * mon-fri"),
        ("cron 30,0 6 * jan,feb 5,7", "cron 0,30 6 * 1,2 sun,fri"),
        ("cron 0 0,6,12,18 * 1-12 *", "cron 0 */6 * * *"),
        ("cron 0 7 lw,3,1,2 * 1l,fri#2,0", "cron 0 7 1-3,LW * sun,monL,fri#2"),
        ("cron 0 7 */2 * sun", "cron 0 7 */2 * sun"),
    ],
)
def test_an_expression_has_one_spelling(text: str, spelling: str):
    assert parse_schedule(text).text == spelling


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cron", "five fields, not 0: minute, hour, day of the month, month, day of the week"),
        ("cron 30 6 * *", "five fields, not 4"),
        ("cron 0 30 6 * * mon", "five fields, not 6"),
        ("cron 60 6 * * *", "'60' is no minute of a cron schedule; write 0-59"),
        ("cron 0 24 * * *", "'24' is no hour of a cron schedule; write 0-23"),
        ("cron 0 7 0 * *", "'0' is no day of the month of a cron schedule; write 1-31, L or LW"),
        ("cron 0 7 * 13 *", "'13' is no month of a cron schedule; write 1-12 or jan-dec"),
        ("cron 0 7 * * monkey", "'monkey' is no day of the week"),
        ("cron 0 7 * * sat-sun", "an ascending range"),
        ("cron 0 7 * * mon#6", "'mon#6' is no day of the week"),
        ("cron ¹ 7 * * *", "'¹' is no minute"),
        ("cron 1//2 7 * * *", "'1//2' is no minute"),
        ("cron 0 0 30 2 *", "'cron 0 0 30 2 *' is never due"),
        ("cron 0 0 31 4,6,9,11 *", "is never due"),
        ("cron 0 0 29 2 *", "is due on no day of 2001"),
        ("cron 0 0 * 2 mon#5", "is due on no day of"),
        ("cron * * * * *", "less than 15 minutes apart"),
        ("cron 0,10 7 * * *", "less than 15 minutes apart"),
        ("cron */40 * * * *", None),
    ],
)
def test_an_expression_that_is_wrong_never_due_or_due_too_often_is_refused(text: str, message: str | None):
    if message is None:
        assert len(parse_schedule(text).times) == 48
        return
    with pytest.raises(UsageError) as refused:
        parse_schedule(text)
    assert message in str(refused.value)


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """Return an expression whose fields are valid; it may be due too often or too seldom."""

    def one_field(low: int, high: int, *more: str) -> str:
        numbers = st.integers(low, high)
        ranges = st.tuples(numbers, numbers).map(lambda t: f"{min(t)}-{max(t)}")
        stepped = st.tuples(ranges | st.just("*"), st.integers(1, 20)).map(lambda t: f"{t[0]}/{t[1]}")
        term = st.one_of(numbers.map(str), ranges, stepped, *map(st.just, more))
        return draw(st.just("*") | st.lists(term, min_size=1, max_size=4).map(",".join))

    hour, day, month = one_field(0, 23), one_field(1, 31, "L", "LW"), one_field(1, 12, "feb", "oct-dec")
    weekday = one_field(0, 7, "mon", "tue-thu", "sat#1", "5L")
    return f"cron {draw(st.sampled_from(['0', '15,45', '*/20', '59']))} {hour} {day} {month} {weekday}"


@given(expressions())
def test_the_one_spelling_means_the_same_and_is_its_own_spelling(text: str):
    try:
        schedule = parse_schedule(text)
    except UsageError:
        assume(False)  # noqa: FBT003 - hypothesis
    spelled = parse_schedule(schedule.text)
    assert spelled.text == schedule.text
    assert spelled.times == schedule.times
    assert [*map(spelled.matches, DAYS_OF_2026)] == [*map(schedule.matches, DAYS_OF_2026)]


@given(expressions())
def test_an_accepted_expression_is_due_in_every_year(text: str):
    try:
        schedule = parse_schedule(text)
    except UsageError:
        assume(False)  # noqa: FBT003 - hypothesis
    for year in (2026, 2028, 2100):
        days = (date(year, 1, 1) + timedelta(days=n) for n in range(365))
        assert any(map(schedule.matches, days)) or schedule.matches(date(year, 12, 31))
