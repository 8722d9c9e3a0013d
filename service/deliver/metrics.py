"""Metrics (EDGE prometheus_client): what the operator's graphs are made of. No label ever names a person."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from service.core.model import Blame, Deferred, Outcome, Refused, Sent

ATTEMPTS = Counter("caveat_delivery_attempts_total", "Attempts that were made durable before they were made.")
IN_DOUBT = Gauge("caveat_deliveries_in_doubt", "Attempts under way, whose outcome is not known yet.")
SECONDS = Histogram(
    "caveat_delivery_seconds",
    "From the final dot to the server's answer.",
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 600),
)
AGE = Histogram(
    "caveat_delivery_age_seconds",
    "From planned to sent.",
    buckets=(1, 10, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 72 * 3600),
)
RETURNS = Counter("caveat_returned_letters_total", "Letters that came back, by what they were.", ["kind"])
PAUSED = Gauge("caveat_sending_paused", "1 while sending pauses because the server refuses our mail as such.")
_OUTCOMES = Counter("caveat_deliveries_total", "What came of deliveries.", ["outcome"])
_BY_CLASS = {
    name: _OUTCOMES.labels(name)
    for name in ("sent", "deferred", "uncertain", "suppressed", *(f"refused_{blame}" for blame in Blame))
}


def count(outcome: Outcome) -> None:
    """Count an outcome by its class."""
    _BY_CLASS[class_of(outcome)].inc()


def count_suppressed(deliveries: int) -> None:
    """Count deliveries that became suppressed instead of being sent."""
    _BY_CLASS["suppressed"].inc(deliveries)


def class_of(outcome: Outcome) -> str:
    """Return the class of an outcome, as it stands in the label."""
    match outcome:
        case Sent():
            return "sent"
        case Refused(blame=blame):
            return f"refused_{blame}"
        case Deferred():
            return "deferred"
    return "uncertain"
