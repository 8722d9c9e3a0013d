"""An issue is due at the subscriber's local time in every zone, across clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import UnknownName, UsageError
from service.core.schedules import instant_of, next_occurrence, occurrences, parse_schedule

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
A_DAY = timedelta(days=1)

zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
clock_times = st.times().map(lambda t: t.replace(second=0, microsecond=0))


@st.composite
def schedules(draw: st.DrawFn) -> str:
    times = ",".join(f"{t:%H:%M}" for t in draw(st.lists(clock_times, min_size=1, max_size=3)))
    word = draw(st.sampled_from(["daily", "weekdays", "weekends", "weekly", "monthly"]))
    days = {
        "weekly": st.lists(st.sampled_from(["mon", "wed", "Sunday"]), min_size=1),
        "monthly": st.lists(st.integers(1, 31).map(str), min_size=1, max_size=3),
    }
    return f"{word} {','.join(draw(days[word]))} {times}" if word in days else f"{word} {times}"


def due(text: str, zone: ZoneInfo, after: str, count: int = 1) -> list[str]:
    """Return the instants of the next occurrences, in UTC."""
    schedule, moment, found = parse_schedule(text), datetime.fromisoformat(after), []
    for _ in range(count):
        moment = next_occurrence(schedule, zone, moment).at
        found.append(f"{moment:%Y-%m-%dT%H:%M}Z")
    return found


# --- kinds of schedules ------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hourly 07:00", "there is no kind of schedule 'hourly'"),
        ("", "Known: daily, monthly, weekdays, weekends, weekly"),
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
    ],
)
def test_an_invalid_schedule_is_refused_with_an_example(text: str, message: str):
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        parse_schedule(text)


def test_an_unknown_word_lists_the_known_ones():
    with pytest.raises(UnknownName) as caught:
        parse_schedule("yearly 07:00")
    assert "weekly" in caught.value.known


# --- clock changes -----------------------------------------------------------------------------


def test_a_time_in_the_spring_gap_is_due_when_the_gap_ends():
    found = next_occurrence(parse_schedule("daily 02:30"), BERLIN, datetime(2026, 3, 28, 12, tzinfo=UTC))

    assert found.at == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert found.name == "2026-03-29T02:30"


def test_two_times_in_one_gap_make_one_issue():
    assert due("daily 02:15,02:45", BERLIN, "2026-03-28T12:00Z", 2) == [
        "2026-03-29T01:00Z",
        "2026-03-30T00:15Z",
    ]


def test_a_time_that_occurs_twice_is_due_at_its_first_occurrence_only():
    assert due("daily 01:30", NEW_YORK, "2026-10-31T12:00Z", 2) == ["2026-11-01T05:30Z", "2026-11-02T06:30Z"]


def test_a_local_time_stays_the_same_across_a_clock_change():
    assert due("daily 07:00", BERLIN, "2026-03-28T00:00Z", 2) == ["2026-03-28T06:00Z", "2026-03-29T05:00Z"]


def test_a_clock_change_of_half_an_hour_is_handled():
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    assert due("daily 02:15", lord_howe, "2026-10-03T00:00Z", 2) == ["2026-10-03T15:30Z", "2026-10-04T15:15Z"]


def test_an_issue_on_a_day_that_a_zone_skips_is_due_at_the_start_of_the_next_day():
    # Samoa skipped 30 December 2011.
    apia = ZoneInfo("Pacific/Apia")
    assert due("daily 07:00", apia, "2011-12-29T00:00Z", 3) == [
        "2011-12-29T17:00Z",
        "2011-12-30T10:00Z",
        "2011-12-30T17:00Z",
    ]


@pytest.mark.parametrize("moment", [time(0, 0), time(2, 30), time(12, 0), time(23, 59)])
def test_in_every_zone_every_day_of_a_year_has_one_issue(moment: time):
    days = [date(2026, 1, 1) + timedelta(days=n) for n in (*range(60, 70), *range(80, 93), *range(296, 310))]
    wanted = [datetime.combine(day, moment) for day in days]
    for name in ZONES:
        zone = ZoneInfo(name)
        instants = [instant_of(local, zone) for local in wanted]
        shown = [at.astimezone(zone) for at in instants]
        assert instants == sorted(set(instants)), name
        assert all(at.fold == 0 for at in shown), name
        waits = {at.replace(tzinfo=None) - local for at, local in zip(shown, wanted, strict=True)}
        assert timedelta(0) <= min(waits) <= max(waits) <= timedelta(hours=1), name


@given(zones, moments, clock_times)
def test_a_daily_issue_is_due_within_two_days_and_never_at_the_moment_itself(zone, after, moment):
    found = next_occurrence(parse_schedule(f"daily {moment:%H:%M}"), zone, after)

    assert after < found.at <= after + 2 * A_DAY + timedelta(hours=1)
    assert found.local.time() == moment


@given(zones, moments, schedules())
def test_occurrences_follow_each_other_without_repeating_an_instant_or_a_name(zone, after, text):
    found = list(occurrences(parse_schedule(text), zone, after, after + 40 * A_DAY))

    assert all(one.at < other.at for one, other in pairwise(found))
    assert len({occurrence.name for occurrence in found}) == len(found)


@given(zones, moments, schedules())
def test_asking_from_in_between_finds_the_same_occurrence(zone, after, text):
    schedule = parse_schedule(text)
    found = next_occurrence(schedule, zone, after)

    between = after + (found.at - after) / 2
    assert next_occurrence(schedule, zone, between) == found
    assert next_occurrence(schedule, zone, found.at - timedelta(microseconds=1)) == found


@given(zones, moments)
def test_an_instant_read_from_a_clock_is_found_again_unless_the_clock_shows_it_twice(zone, at):
    at = at.replace(second=0, microsecond=0)
    local = at.astimezone(zone)
    found = instant_of(local.replace(tzinfo=None, fold=0), zone)

    assert found == at if local.fold == 0 else found < at
