"""Retry: when a delivery that was deferred or is in doubt is tried again, and when no more (pure)."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.core.ids import stable_jitter
from service.deliver.ports import ResendPolicy

FIRST_WAIT = timedelta(seconds=60)
MAX_WAIT = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=3)
JITTER = 0.25
MAX_UNCERTAIN_ATTEMPTS = 3
"""So often it may be unknown whether a message arrived: each doubt may be one more copy in the inbox."""


def retry_at(delivery_id: str, attempts: int, *, first_at: datetime, now: datetime) -> datetime | None:
    """Return when to try again after an attempt that was deferred at `now`; None means: give up.

    `attempts` counts the attempts made before that one. Waits double from a minute up to four hours, each
    longer by up to a quarter, taken from the id, so that a crowd deferred together does not come back
    together. RFC 5321, 4.5.4.1 asks for waits of half an hour in general and for giving up after four to
    five days; news is stale sooner, and greylisting wants an early second try.
    """
    if now - first_at >= GIVE_UP_AFTER:
        return None
    wait = min(FIRST_WAIT * (1 << min(attempts, 16)), MAX_WAIT)
    share = stable_jitter(f"{delivery_id}:{attempts}", 1001) / 1000
    return now + wait * (1 + JITTER * share)


def retry_throttled_at(delivery_id: str, refusals: int, now: datetime) -> datetime:
    """Return when to try again what was refused `times` times because of our rate.

    Soon: the rate that all share decides when it leaves. A delivery that alone is refused so comes back more
    and more seldom.
    """
    share = stable_jitter(f"{delivery_id}:{refusals}", 1001) / 1000
    return now + min(timedelta(seconds=1 << min(refusals, 16)), MAX_WAIT) * (1 + JITTER * share)


def retry_uncertain_at(
    delivery_id: str, attempts: int, doubts: int, *, first_at: datetime, now: datetime
) -> datetime | None:
    """Return when to send again after an attempt whose end is not known; None: it rests for the operator.

    `attempts` and `doubts` count those before that one. A doubt is never taken for a refusal.
    """
    if doubts + 1 >= MAX_UNCERTAIN_ATTEMPTS:
        return None
    return retry_at(delivery_id, attempts, first_at=first_at, now=now)


def resend_policy(now: datetime) -> ResendPolicy:
    """Return which doubts a crash left are settled by sending again: the same rule, for a whole ledger."""
    return ResendPolicy(MAX_UNCERTAIN_ATTEMPTS, now - GIVE_UP_AFTER)
