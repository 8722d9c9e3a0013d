"""A schedule is read from text, has one spelling, and is refused with an example."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import UnknownName, UsageError
from service.core.schedules import SCHEDULE_EXAMPLES, WEEK, next_occurrence, parse_schedule

BERLIN = ZoneInfo("Europe/Berlin")
DAYS_OF_2026 = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]


def due(text: str, zone: ZoneInfo, after: str, count: int = 1) -> list[str]:
    """Return the instants of the next occurrences, in UTC."""
    schedule, moment, found = parse_schedule(text), datetime.fromisoformat(after), []
    for _ in range(count):
        moment = next_occurrence(schedule, zone, moment).at
        found.append(f"{moment:%Y-%m-%dT%H:%M}Z")
    return found


def times_of(text: str) -> list[str]:
    """Return the local times of a schedule."""
    return [f"{moment:%H:%M}" for moment in parse_schedule(text).times]


def test_daily_at_each_of_its_times():
    assert due("daily 07:00,18:30", BERLIN, "2026-03-02T12:00Z", 3) == [
        "2026-03-02T17:30Z",
        "2026-03-03T06:00Z",
        "2026-03-03T17:30Z",
    ]


def test_weekdays_skip_saturday_and_sunday():
    assert due("weekdays 06:30", BERLIN, "2026-03-06T12:00Z") == ["2026-03-09T05:30Z"]


def test_weekends_are_saturday_and_sunday():
    assert due("weekends 9:00", BERLIN, "2026-03-02T12:00Z", 2) == ["2026-03-07T08:00Z", "2026-03-08T08:00Z"]


def test_weekly_names_its_days_in_short_or_in_full():
    assert due("weekly mon,Thursday 07:00", BERLIN, "2026-03-02T12:00Z", 2) == [
        "2026-03-05T06:00Z",
        "2026-03-09T06:00Z",
    ]


def test_a_day_that_the_month_lacks_falls_on_its_last_day():
    assert due("monthly 31 08:00", ZoneInfo("UTC"), "2026-01-31T09:00Z", 3) == [
        "2026-02-28T08:00Z",
        "2026-03-31T08:00Z",
        "2026-04-30T08:00Z",
    ]


def test_the_31st_and_the_30th_share_one_issue_where_a_month_has_neither():
    assert due("monthly 30,31 08:00", ZoneInfo("UTC"), "2026-02-01T00:00Z", 2) == [
        "2026-02-28T08:00Z",
        "2026-03-30T08:00Z",
    ]


def test_every_counts_hours_from_midnight_anew_each_day():
    assert due("every 5h", BERLIN, "2026-03-02T12:00Z", 4) == [
        "2026-03-02T14:00Z",
        "2026-03-02T19:00Z",
        "2026-03-02T23:00Z",
        "2026-03-03T04:00Z",
    ]


def test_every_counts_hours_from_its_first_time():
    assert times_of("every 6h from 06:30 to 22:00") == ["06:30", "12:30", "18:30"]


def test_the_last_time_of_every_is_a_time_of_its_own_if_the_hours_fit():
    assert times_of("every 8h from 06:00 to 22:00") == ["06:00", "14:00", "22:00"]


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        (" DAILY 7:00,18:30,07:00 ", "daily 07:00,18:30"),
        ("Weekly Tue,Monday 7:00", "weekly mon,tue 07:00"),
        ("monthly 15,1,1 8:00", "monthly 1,15 08:00"),
        ("every hour", "every 1h"),
        ("Every 3 Hours", "every 3h"),
        ("every 3 h  from 6:00 to 22:00", "every 3h from 06:00 to 22:00"),
    ],
)
def test_a_schedule_has_one_spelling(text: str, spelling: str):
    assert parse_schedule(text).text == spelling


@pytest.mark.parametrize("text", SCHEDULE_EXAMPLES)
def test_every_example_is_a_schedule_in_its_own_spelling(text: str):
    assert parse_schedule(text).text == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hourly 07:00", "there is no kind of schedule 'hourly'"),
        ("", "Known: cron, daily, every, monthly, weekdays, weekends, weekly"),
        ("dayly 07:00", "Did you mean daily?"),
        ("daily", "write it like 'daily 07:00'"),
        ("daily 7", "'7' is no time of day"),
        ("daily 24:00", "'24:00' is no time of day"),
        ("daily 07:60", "'07:60' is no time of day"),
        ("daily 07:00,", "'' is no time of day"),
        ("daily mon 07:00", "is no schedule"),
        ("weekly 07:00", "write it like 'weekly mon,thu 07:00'"),
        ("weekly monkey 07:00", "names no days of the week"),
        ("weekly , 07:00", "names no days of the week"),
        ("monthly 0 07:00", "names no days of the month"),
        ("monthly 1,x 07:00", "names no days of the month"),
        ("monthly 32 07:00", "names no days of the month"),
        ("monthly ¹ 07:00", "names no days of the month"),
        ("daily ٠٧:٠٠", "is no time of day"),
        ("every", "write it like 'every 3h from 06:00 to 22:00'"),
        ("every 30m", "write it like 'every 3h from 06:00 to 22:00'"),
        ("every 3h at 06:00", "write it like 'every 3h from 06:00 to 22:00'"),
        ("every 0h", "write 1 to 12"),
        ("every 24 hours", "write 1 to 12, or a schedule like 'daily 07:00'"),
        ("every 3h from 6 to 22", "'6' is no time of day"),
        ("every 3h from 22:00 to 06:00", "crosses midnight"),
        ("every 3h from 06:00 to 06:00", "crosses midnight"),
        (f"daily {'07:00,' * 60}", "too long"),
    ],
)
def test_an_invalid_schedule_is_refused_with_an_example(text: str, message: str):
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        parse_schedule(text)


def test_an_unknown_word_lists_the_known_ones():
    with pytest.raises(UnknownName) as caught:
        parse_schedule("yearly 07:00")
    assert "weekly" in caught.value.known


listed_times = st.lists(
    st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda t: f"{t[0]}:{t[1]:02}"),
    min_size=1,
    max_size=30,
).map(",".join)
listed_days = st.lists(st.sampled_from([*WEEK, *(day[:3] for day in WEEK)]), min_size=1, max_size=9).map(
    ",".join
)
listed_dates = st.lists(st.integers(1, 31).map(str), min_size=1, max_size=9).map(",".join)
part_of_day = st.tuples(st.times(), st.times()).map(lambda t: f" from {min(t):%H:%M} to {max(t):%H:%M}")
texts = st.one_of(
    st.tuples(st.sampled_from(["daily", "Weekdays", "WEEKENDS"]), listed_times).map(" ".join),
    st.tuples(st.just("weekly"), listed_days, listed_times).map(" ".join),
    st.tuples(st.just("monthly"), listed_dates, listed_times).map(" ".join),
    st.tuples(st.integers(1, 12), st.just("") | part_of_day).map(lambda t: f"every {t[0]} hours{t[1]}"),
)


@given(texts)
def test_the_one_spelling_means_the_same_and_is_its_own_spelling(text: str):
    try:
        schedule = parse_schedule(text)
    except UsageError as refused:
        assert "crosses midnight" in str(refused)  # noqa: PT017 - the only text above that is refused
        return
    spelled = parse_schedule(schedule.text)
    assert spelled.text == schedule.text
    assert spelled.times == schedule.times
    assert [*map(spelled.matches, DAYS_OF_2026)] == [*map(schedule.matches, DAYS_OF_2026)]


@given(st.integers(1, 12), st.times(), st.times())
def test_every_keeps_its_distance_within_its_part_of_the_day(hours: int, one: time, other: time):
    first, last = (moment.replace(second=0, microsecond=0) for moment in sorted((one, other)))
    if first == last:
        return
    times = parse_schedule(f"every {hours}h from {first:%H:%M} to {last:%H:%M}").times
    minutes = [moment.hour * 60 + moment.minute for moment in times]
    assert times[0] == first
    assert times[-1] <= last
    assert minutes == [*range(minutes[0], minutes[-1] + 1, hours * 60)]
    assert minutes[-1] + hours * 60 > last.hour * 60 + last.minute


@given(
    st.text(max_size=400)
    | st.sampled_from(["daily", "every", "cron", "weekly"]).flatmap(
        lambda word: st.text("0123456789:,*/-#l monfri", max_size=60).map(lambda text: f"{word} {text}")
    )
)
def test_any_text_is_a_schedule_with_a_spelling_or_is_refused(text: str):
    schedule = None
    with suppress(UsageError):
        schedule = parse_schedule(text)
    if schedule is not None:
        assert parse_schedule(schedule.text).text == schedule.text
