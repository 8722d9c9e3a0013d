"""The plan of a due group: on time, late, and around clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.lateness import DuePlan, LateAction, occurrence_at, plan_due_group
from service.core.model import Group
from service.core.schedules import next_occurrence, occurrences, parse_schedule
from tests.builders import a_newsletter, an_edition

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY_SEVEN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
"""Seven o'clock in Berlin."""


def due_group(due_at: datetime | None, **wishes) -> Group:
    return Group(an_edition(**wishes), "edition", served_through=0, due_at=due_at, size=1)


def planned(late_by: timedelta, late: str = "send", limit: timedelta = 6 * HOUR, **wishes) -> DuePlan:
    """Return the plan for a group that is due on Monday at seven, made `late_by` later."""
    newsletter = a_newsletter(late=late, late_limit=limit)
    return plan_due_group(due_group(MONDAY_SEVEN, **wishes), newsletter, MONDAY_SEVEN + late_by)


def test_on_time_an_issue_is_sent_and_the_next_is_due_tomorrow():
    on_time = planned(timedelta(0))

    assert on_time.action is LateAction.SEND
    assert on_time.occurrence.name == "2026-03-02T07:00"
    assert on_time.shown_at == MONDAY_SEVEN
    assert on_time.next_due_at == MONDAY_SEVEN + DAY


@pytest.mark.parametrize("late", ["send", "merge", "skip"])
def test_within_the_limit_every_policy_sends(late: str):
    assert planned(6 * HOUR, late).action is LateAction.SEND


@pytest.mark.parametrize(
    ("late", "action"), [("send", LateAction.SEND), ("merge", LateAction.MERGE), ("skip", LateAction.SKIP)]
)
def test_beyond_the_limit_the_policy_decides(late: str, action: LateAction):
    assert planned(6 * HOUR + timedelta(seconds=1), late).action is action


def test_after_days_of_downtime_one_issue_has_the_last_date_and_the_first_occurrence():
    away = planned(2 * DAY + HOUR, late="skip")

    assert away.action is LateAction.SEND
    assert away.shown_at == MONDAY_SEVEN + 2 * DAY
    assert away.occurrence.name == "2026-03-02T07:00"
    assert away.next_due_at == MONDAY_SEVEN + 3 * DAY


def test_lateness_counts_from_the_last_occurrence():
    assert planned(2 * DAY + 7 * HOUR, late="skip").action is LateAction.SKIP


def test_several_times_a_day_are_several_occurrences():
    twice = planned(12 * HOUR, schedule="daily 07:00,18:30")

    assert twice.shown_at == datetime(2026, 3, 2, 17, 30, tzinfo=UTC)
    assert twice.next_due_at == MONDAY_SEVEN + DAY


def test_after_a_clock_change_the_local_time_stays():
    saturday = datetime(2026, 3, 28, 6, 0, tzinfo=UTC)
    summer = plan_due_group(due_group(saturday), a_newsletter(), saturday)

    assert summer.next_due_at == datetime(2026, 3, 29, 5, 0, tzinfo=UTC)


def test_an_occurrence_in_the_spring_gap_is_named_by_the_scheduled_time():
    gap_ends = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    found = plan_due_group(due_group(gap_ends, schedule="daily 02:30"), a_newsletter(), gap_ends)

    assert found.occurrence.name == "2026-03-29T02:30"
    assert found.next_due_at == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_a_repeated_local_time_in_autumn_is_due_once():
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    found = plan_due_group(due_group(first, schedule="daily 02:30"), a_newsletter(), first + HOUR)

    assert found.shown_at == first
    assert found.next_due_at == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_a_due_time_outside_the_schedule_is_named_by_its_local_time():
    odd = MONDAY_SEVEN + timedelta(minutes=17)

    assert occurrence_at(an_edition(), odd).name == "2026-03-02T07:17"
    assert occurrence_at(an_edition(), odd).at == odd


def test_a_group_without_a_due_time_has_no_plan():
    with pytest.raises(ValueError, match="manual send"):
        plan_due_group(due_group(None), a_newsletter(), MONDAY_SEVEN)


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "UTC"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - hypothesis needs naive ones
    st.timedeltas(timedelta(0), timedelta(days=20)),
    st.sampled_from(["daily 07:00", "weekdays 02:30", "weekly mon,thu 23:59", "monthly 31 00:00"]),
)
def test_the_next_due_time_is_ahead_and_the_shown_date_is_not(zone, start, late_by, schedule):
    start = start.replace(tzinfo=UTC)
    edition = an_edition(schedule=schedule, timezone=zone)
    due_at = plan_due_group(Group(edition, "e", 0, start, 1), a_newsletter(), start).next_due_at
    now = due_at + late_by
    found = plan_due_group(Group(edition, "e", 0, due_at, 1), a_newsletter(timezone=zone), now)

    assert due_at == found.occurrence.at <= found.shown_at <= now < found.next_due_at
    assert due_at.astimezone(ZoneInfo(zone)).date() >= found.occurrence.local.date()


ALL_ZONES = sorted(available_timezones() - {"localtime", "Factory"})


@pytest.mark.long
@pytest.mark.parametrize("schedule", ["daily 02:30", "every 6h", "cron 30 1,23 * * *"])
def test_in_24_months_of_every_zone_no_issue_is_missed_or_doubled(schedule: str):
    """Each group is composed late, by up to an hour, and its next due time is that of the plan."""
    end = datetime(2028, 1, 1, tzinfo=UTC)
    for name in ALL_ZONES:
        zone, edition = ZoneInfo(name), an_edition(schedule=schedule, timezone=name)
        parsed, due_at = parse_schedule(schedule), datetime(2026, 1, 1, tzinfo=UTC)
        planned, names = [o.name for o in occurrences(parsed, zone, due_at, end)], []
        due_at = next_occurrence(parsed, zone, due_at).at
        while due_at <= end:
            late = timedelta(minutes=len(names) * 7 % 60)
            found = plan_due_group(Group(edition, "e", 0, due_at, 1), a_newsletter(), due_at + late)
            names.append(found.occurrence.name)
            assert found.action is LateAction.SEND
            assert found.shown_at == due_at, (name, due_at)
            due_at = found.next_due_at
        assert names == planned, name
        days = {text[:10] for text in names}
        first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
        assert len(days) == (last - first).days + 1, name
        assert len(set(names)) == len(names), name
