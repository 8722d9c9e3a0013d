"""When a deferred or uncertain delivery is retried, and when no longer."""

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
    """Return the waits between the attempts of a delivery that is always deferred."""
    now, found = NOON, []
    while (next_at := retry_at(identifier, len(found), first_at=NOON, now=now)) is not None:
        found.append(next_at - now)
        now = next_at
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
    next_at = retry_at(identifier, attempts, first_at=NOON, now=NOON)
    assert next_at is not None
    assert next_at > NOON


def test_deliveries_deferred_together_are_retried_at_different_times():
    moments = {retry_at(f"{n:032x}", 3, first_at=NOON, now=NOON) for n in range(200)}
    assert len(moments) > 100


DEFERRED, UNCERTAIN, CRASH = "deferred", "uncertain", "crash"


def chain(identifier: str, outcomes: list[str]) -> list[str]:
    """Return the outcome of each attempt until there is no retry; the last of `outcomes` repeats."""
    now, uncertain, found = NOON, 0, []
    while True:
        outcome = outcomes[min(len(found), len(outcomes) - 1)]
        attempts, next_at = len(found), None
        found.append(outcome)
        if outcome == DEFERRED:
            next_at = retry_at(identifier, attempts, first_at=NOON, now=now)
        elif outcome == UNCERTAIN:
            next_at = retry_uncertain_at(identifier, attempts, uncertain, first_at=NOON, now=now)
            uncertain += 1
        else:
            # The lease expires, and the next pass settles the delivery.
            now, uncertain, rule = now + LEASE, uncertain + 1, resend_policy(now + LEASE)
            next_at = now if uncertain < rule.max_uncertain_attempts and rule.planned_after < NOON else None
        if next_at is None:
            return found
        assert next_at >= now
        now = next_at


@given(IDS, st.lists(st.sampled_from((DEFERRED, UNCERTAIN, CRASH)), min_size=1, max_size=60))
def test_every_sequence_of_outcomes_ends(identifier, outcomes):
    found = chain(identifier, outcomes)
    assert len(found) <= 35
    assert sum(outcome != DEFERRED for outcome in found) <= MAX_UNCERTAIN_ATTEMPTS


def test_a_server_that_never_replies_gets_at_most_three_copies():
    assert chain("0" * 32, [UNCERTAIN]) == [UNCERTAIN] * 3
    assert chain("0" * 32, [CRASH]) == [CRASH] * 3


def test_greylisting_does_not_count_as_an_uncertain_attempt():
    assert chain("0" * 32, [DEFERRED] * 6 + [UNCERTAIN])[6:] == [UNCERTAIN] * 3


def test_an_uncertain_delivery_of_an_old_issue_is_not_resent():
    late = NOON + GIVE_UP_AFTER
    assert retry_uncertain_at("0" * 32, 4, 0, first_at=NOON, now=late) is None
    assert not resend_policy(late).planned_after < NOON
