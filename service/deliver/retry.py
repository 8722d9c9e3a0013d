"""Retry: when a deferred or uncertain delivery is tried again, and when it is not (pure)."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.core.ids import stable_jitter
from service.deliver.ports import ResendPolicy

FIRST_WAIT = timedelta(seconds=60)
MAX_WAIT = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=3)
JITTER = 0.25
MAX_UNCERTAIN_ATTEMPTS = 3  # each one may be one more copy in the inbox


def retry_at(delivery_id: str, attempts: int, *, first_at: datetime, now: datetime) -> datetime | None:
    """Return when to retry after an attempt that was deferred at `now`; None when the delivery has failed.

    `attempts` counts the attempts before that one. Waits double from a minute up to four hours, each longer
    by up to a quarter, computed from the id, so that deliveries deferred together are not retried together.
    RFC 5321, 4.5.4.1 recommends waits of half an hour and a limit of four to five days; news is stale sooner,
    and greylisting needs an early second attempt.
    """
    if now - first_at >= GIVE_UP_AFTER:
        return None
    wait = min(FIRST_WAIT * (1 << min(attempts, 16)), MAX_WAIT)
    share = stable_jitter(f"{delivery_id}:{attempts}", 1001) / 1000
    return now + wait * (1 + JITTER * share)


def retry_throttled_at(delivery_id: str, refusals: int, now: datetime) -> datetime:
    """Return when to retry a delivery that was refused `refusals` times for our rate.

    Soon: the rate limits that all workers share decide when it is sent. The waits grow for a delivery that is
    the only one refused.
    """
    share = stable_jitter(f"{delivery_id}:{refusals}", 1001) / 1000
    return now + min(timedelta(seconds=1 << min(refusals, 16)), MAX_WAIT) * (1 + JITTER * share)


def retry_uncertain_at(
    delivery_id: str, attempts: int, doubts: int, *, first_at: datetime, now: datetime
) -> datetime | None:
    """Return when to send again after an uncertain attempt; None when the operator has to decide.

    `attempts` and `doubts` (uncertain attempts) count those before that one. An uncertain outcome is never
    treated as a refusal.
    """
    if doubts + 1 >= MAX_UNCERTAIN_ATTEMPTS:
        return None
    return retry_at(delivery_id, attempts, first_at=first_at, now=now)


def resend_policy(now: datetime) -> ResendPolicy:
    """Return which uncertain deliveries a crash left are sent again: the rule above for a whole ledger."""
    return ResendPolicy(MAX_UNCERTAIN_ATTEMPTS, now - GIVE_UP_AFTER)
