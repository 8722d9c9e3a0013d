"""When a delivery that was deferred, or is in doubt, is tried again, and when no more."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from service.deliver.retry import (
    GIVE_UP_AFTER,
    MAX_UNCERTAIN_ATTEMPTS,
    resend_policy,
    retry_at,
    retry_uncertain_at,
)
from tests.builders import NOON

LEASE = timedelta(minutes=1)
IDS = st.text("0123456789abcdef", min_size=32, max_size=32)


def waits(identifier: str) -> list[timedelta]:
    """Return the waits of a delivery that is deferred until it is given up."""
    now, found = NOON, []
    while (again := retry_at(identifier, len(found), first_at=NOON, now=now)) is not None:
        found.append(again - now)
        now = again
    return found


@given(IDS)
def test_waits_grow_from_a_minute_and_end_after_three_days(identifier):
    found = waits(identifier)
    assert timedelta(seconds=60) <= found[0] <= timedelta(seconds=75)
    assert all(later >= earlier * 0.8 for earlier, later in pairwise(found))
    assert max(found) <= timedelta(hours=5)
    assert GIVE_UP_AFTER <= sum(found, timedelta()) <= GIVE_UP_AFTER + timedelta(hours=5)
    assert 20 <= len(found) <= 30


@given(IDS, st.integers(0, 10**6))
def test_any_number_of_attempts_has_a_next_retry(identifier, attempts):
    again = retry_at(identifier, attempts, first_at=NOON, now=NOON)
    assert again is not None
    assert again > NOON


def test_deliveries_deferred_together_are_retried_at_different_times():
    moments = {retry_at(f"{n:032x}", 3, first_at=NOON, now=NOON) for n in range(200)}
    assert len(moments) > 100


DEFERRED, DOUBT, CRASH = "deferred", "doubt", "crash"


def chain(identifier: str, outcomes: list[str]) -> list[str]:
    """Return what came of each attempt of a delivery, until it is tried no more; the last outcome repeats."""
    now, doubts, found = NOON, 0, []
    while True:
        outcome = outcomes[min(len(found), len(outcomes) - 1)]
        attempts, again = len(found), None
        found.append(outcome)
        if outcome == DEFERRED:
            again = retry_at(identifier, attempts, first_at=NOON, now=now)
        elif outcome == DOUBT:
            again = retry_uncertain_at(identifier, attempts, doubts, first_at=NOON, now=now)
            doubts += 1
        else:
            # The lease runs out, and the next pass settles what the worker left.
            now, doubts, rule = now + LEASE, doubts + 1, resend_policy(now + LEASE)
            again = now if doubts < rule.max_uncertain_attempts and rule.planned_after < NOON else None
        if again is None:
            return found
        assert again >= now
        now = again


@given(IDS, st.lists(st.sampled_from((DEFERRED, DOUBT, CRASH)), min_size=1, max_size=60))
def test_every_sequence_of_outcomes_ends(identifier, outcomes):
    found = chain(identifier, outcomes)
    assert len(found) <= 35
    assert sum(outcome != DEFERRED for outcome in found) <= MAX_UNCERTAIN_ATTEMPTS


def test_a_server_that_never_replies_gets_at_most_three_copies():
    assert chain("0" * 32, [DOUBT]) == [DOUBT] * 3
    assert chain("0" * 32, [CRASH]) == [CRASH] * 3


def test_greylisting_does_not_count_as_an_uncertain_attempt():
    assert chain("0" * 32, [DEFERRED] * 6 + [DOUBT])[6:] == [DOUBT] * 3


def test_an_uncertain_delivery_of_an_old_issue_is_not_resent():
    late = NOON + GIVE_UP_AFTER
    assert retry_uncertain_at("0" * 32, 4, 0, first_at=NOON, now=late) is None
    assert not resend_policy(late).planned_after < NOON
