"""Adaptive rate: how fast messages may be sent to a server that refuses for our rate (pure).

Additive increase, multiplicative decrease (D. Chiu and R. Jain 1989; TCP does it by RFC 5681), where
acceptances take the place of TCP's acknowledgements:

    refusal     only single probes are sent: after a second, then each time after a quarter of the time
                since the first refusal
    recovery    the rate becomes 9/10 of the refused rate; or, when the server refused for more than a tenth
                of the time since its last recovery, the rate that it accepted in that time: the average of
                a quota for a minute, an hour or a day
    acceptance  each message raises the rate by 1/100 message a minute, so by one hundredth a minute at full
                use; by ten times that while the rate is far below or far above the last refused rate
    removal     a limit that was exceeded tenfold does not exist any more

All refusals between the first one and the recovery are one event: they have one cause. All instants are by
one clock, the database's where several workers share a rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import sqrt

from service.deliver.ports import LearnedRate

DECREASE = 0.9
INCREASE = 0.01  # messages a minute for each accepted message
FAST_INCREASE = 0.1
NEAR_CEILING = (0.9, 1.1)  # times the last refused rate; outside of this range the increase is fast
MAX_BOUNDS_RATIO = 1.5  # with bounds of a quota that are further apart, the lower one is taken
LONG_REFUSAL_SHARE = 0.1  # of the time since the last recovery; a longer refusal is an exhausted quota
FORGET_AT_RATIO = 10  # times the last refused rate
MIN_PROBE_WAIT = timedelta(seconds=1)
MAX_PROBE_WAIT = timedelta(minutes=15)  # a daily quota lasts hours; its end must not be missed for long
MIN_PER_MINUTE = 0.2  # a slower rate would be an outage, whose end the probes find
IDLE_AFTER = timedelta(minutes=2)  # without an accepted message: what was sent before is another burst
FORGET_UNMEASURED_AFTER = timedelta(
    hours=1
)  # without another refusal: then there was no limit that we could reach
ROUNDING = 1e-9  # relative error of a computed rate
MINUTE = timedelta(minutes=1)
TICK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Tally:
    """What one worker observed since its last sync: messages accepted, the first of them at `since`.

    `refusal` is a reply that refuses for our rate; `recovered`: a probe was accepted; `busy`: the refusal is
    about the server's own shortage, not about our rate.
    """

    accepted: int = 0
    since: datetime | None = None
    refusal: str = ""
    recovered: bool = False
    busy: bool = False


def updated_rate(known: LearnedRate | None, tally: Tally, now: datetime) -> LearnedRate | None:
    """Return the rate after a tally; None when there is no limit, or not any more."""
    if known is None:
        if not tally.refusal:
            return None
        known = LearnedRate(None, None, since=tally.since or now, at=now)
    known = _counted(known, tally, now)
    if tally.recovered and known.refused_at is not None:
        known = _recovered(known, now)
    if tally.refusal:
        known = _refused(known, tally, now)
    if known.refused_at is None and _is_forgotten(known, now):
        return None
    return replace(known, version=known.version + 1)


def _is_forgotten(known: LearnedRate, now: datetime) -> bool:
    if known.per_minute is None or known.ceiling is None:
        return now - known.since > FORGET_UNMEASURED_AFTER
    return known.per_minute > FORGET_AT_RATIO * known.ceiling


def _counted(known: LearnedRate, tally: Tally, now: datetime) -> LearnedRate:
    if not tally.accepted:
        return replace(known, at=now)
    began = tally.since or now
    idle = known.refused_at is None and began - known.at > _idle_after(known.per_minute)
    accepted = tally.accepted + (0 if idle else known.accepted)
    since = began if idle else min(known.since, began)
    rate = known.per_minute
    if rate is not None and known.ceiling is not None and known.refused_at is None:
        near = (
            NEAR_CEILING[0] * known.ceiling <= rate * (1 + ROUNDING)
            and rate < NEAR_CEILING[1] * known.ceiling
        )
        gain = INCREASE if near else FAST_INCREASE
        rate += gain * tally.accepted
    return replace(known, per_minute=rate, since=since, accepted=accepted, at=now)


def _idle_after(per_minute: float | None) -> timedelta:
    return max(IDLE_AFTER, 3 * MINUTE / per_minute) if per_minute else IDLE_AFTER


def _refused(known: LearnedRate, tally: Tally, now: datetime) -> LearnedRate:
    first = known.refused_at or now
    if known.probe_at is not None and now < known.probe_at:
        return known  # sent before the server refused
    wait = min(max((now - first) / 4, MIN_PROBE_WAIT), MAX_PROBE_WAIT)
    return replace(
        known,
        refused_at=first,
        last_refused_at=now,
        probe_at=now + wait,
        reply=tally.refusal,
        busy=tally.busy,
    )


def _recovered(known: LearnedRate, now: datetime) -> LearnedRate:
    """Return the rate after the recovery; it stays the same where the server was only busy."""
    rate, ceiling = known.per_minute, known.ceiling
    refused_at, last_refused_at = known.refused_at or now, known.last_refused_at or now
    if not known.busy:
        if rate is not None:
            rate, ceiling = rate * DECREASE, rate
        # The probe itself counts for the time after the recovery.
        accepted = known.accepted - 1
        used_up = now - refused_at > LONG_REFUSAL_SHARE * (now - known.since)
        if accepted and (rate is None or used_up):
            # The quota lies between these two rates: it was renewed after the last refusal, before the probe.
            least = accepted * (MINUTE / (now - known.since))
            most = accepted * (MINUTE / max(last_refused_at - known.since, TICK))
            between = sqrt(least * most) if most < MAX_BOUNDS_RATIO * least else least
            rate, ceiling = min(between, rate or between), min(most, ceiling or most)
        rate = None if rate is None else max(rate, MIN_PER_MINUTE)
    return replace(
        known,
        per_minute=rate,
        ceiling=ceiling,
        since=now,
        accepted=1,
        refused_at=None,
        last_refused_at=None,
        probe_at=None,
    )
