"""When a deferred delivery is tried again, and when it is given up."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from service.deliver.retry import GIVE_UP_AFTER, next_attempt
from tests.builders import NOON

IDS = st.text("0123456789abcdef", min_size=32, max_size=32)


def waits(identifier: str) -> list[timedelta]:
    """Return the waits of a delivery that is deferred until it is given up."""
    now, found = NOON, []
    while (again := next_attempt(identifier, len(found), first_at=NOON, now=now)) is not None:
        found.append(again - now)
        now = again
    return found


@given(IDS)
def test_waits_grow_from_a_minute_over_three_days_and_then_it_is_given_up(identifier):
    found = waits(identifier)
    assert timedelta(seconds=60) <= found[0] <= timedelta(seconds=75)
    assert all(later >= earlier * 0.8 for earlier, later in pairwise(found))
    assert max(found) <= timedelta(hours=5)
    assert GIVE_UP_AFTER <= sum(found, timedelta()) <= GIVE_UP_AFTER + timedelta(hours=5)
    assert 20 <= len(found) <= 30


@given(IDS, st.integers(0, 10**6))
def test_any_number_of_attempts_has_a_next_moment(identifier, attempts):
    again = next_attempt(identifier, attempts, first_at=NOON, now=NOON)
    assert again is not None
    assert again > NOON


def test_a_crowd_that_was_deferred_together_does_not_come_back_together():
    moments = {next_attempt(f"{n:032x}", 3, first_at=NOON, now=NOON) for n in range(200)}
    assert len(moments) > 100
