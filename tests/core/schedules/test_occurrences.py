"""An issue is due at the subscriber's local time in every zone, across clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    word = draw(st.sampled_from(["daily", "weekdays", "weekends", "weekly", "monthly", "every", "cron"]))
    if word == "every":
        return draw(st.sampled_from(["every 1h", "every 5h", "every 2h from 01:30 to 23:45"]))
    if word == "cron":
        return draw(
            st.sampled_from(
                ["cron */15 0-4 * * *", "cron 30 2 L * *", "cron 5 1 1-7 * sun", "cron 0 0 * 3,10 *"]
            )
        )
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


@pytest.mark.parametrize("text", ["every 1h", "cron 0 * * * *"])
def test_every_hour_leaves_out_the_skipped_one_and_the_repeated_one(text: str):
    assert due(text, BERLIN, "2026-03-28T23:30Z", 3) == [
        "2026-03-29T00:00Z",
        "2026-03-29T01:00Z",
        "2026-03-29T02:00Z",
    ]
    assert due(text, BERLIN, "2026-10-24T23:30Z", 3) == [
        "2026-10-25T00:00Z",
        "2026-10-25T02:00Z",
        "2026-10-25T03:00Z",
    ]


def test_cron_follows_the_rule_of_every_other_schedule_and_not_its_own():
    assert due("cron */30 2 * * *", BERLIN, "2026-03-28T12:00Z", 2) == [
        "2026-03-29T01:00Z",
        "2026-03-30T00:00Z",
    ]
    assert due("cron */30 2 * * *", BERLIN, "2026-10-24T12:00Z", 3) == [
        "2026-10-25T00:00Z",
        "2026-10-25T00:30Z",
        "2026-10-26T01:00Z",
    ]


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
