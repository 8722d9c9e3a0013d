"""Metrics of deliver (EDGE prometheus_client). No label ever names a person.

Events of each message are counted in plain numbers, which prometheus_client reads when /metrics is fetched:
its own counters take a lock and four calls for each step.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import REGISTRY, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from service.core.model import Deferred, Outcome, RefusalCause, Refused, Sent

INBOUND_MAILS = Counter(
    "caveat_inbound_mails_total",
    "Inbound mails (bounces, complaints, unsubscribe requests) by kind.",
    ["kind"],
)
TRANSACTIONAL = Counter(
    "caveat_transactional_mails_total",
    "Confirmations, welcomes and other transactional mails by outcome.",
    ["outcome"],
)
SENDING_PAUSED = Gauge(
    "caveat_sending_paused", "1 while sending is paused because the mail server refuses all our mail."
)
THROTTLED = Counter(
    "caveat_throttled_total", "Refusals because we sent too fast, by whose limit it was.", ["by"]
)
LEARNED_RATE = Gauge(
    "caveat_learned_rate_per_minute",
    "Messages a minute that the mail server accepts, as measured by its refusals.",
)


class UnlockedHistogram:
    """A histogram without locks: the number of values up to each bound, and their sum."""

    def __init__(self, *bounds: float) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def metric(self, name: str, what: str) -> Metric:
        """Return the histogram for prometheus_client."""
        bounds = [*(f"{float(bound)}" for bound in self._bounds), "+Inf"]
        family = HistogramMetricFamily(name, what)
        family.add_metric([], list(zip(bounds, accumulate(self._counts), strict=True)), self._sum)
        return family


class DeliveryMetrics:
    """Counts of deliveries in this process since its start."""

    def __init__(self) -> None:
        refused = (f"refused_{cause}" for cause in RefusalCause)
        self._outcomes = dict.fromkeys(("sent", "deferred", "uncertain", "suppressed", *refused), 0)
        self._attempts = self._in_progress = 0
        self._seconds = UnlockedHistogram(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 600)
        self._age = UnlockedHistogram(1, 10, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 72 * 3600)

    def count_attempt(self) -> None:
        """Count an attempt that is durable."""
        self._attempts += 1
        self._in_progress += 1

    def observe_answer(self, seconds: float) -> None:
        """Count the answer to an attempt, by its duration."""
        self._in_progress -= 1
        self._seconds.add(seconds)

    def count_outcome(self, outcome: Outcome) -> None:
        """Count the outcome of a delivery."""
        self._outcomes[outcome_label(outcome)] += 1

    def observe_age(self, age: float) -> None:
        """Count a sent message, by the seconds since it was planned."""
        self._age.add(age)

    def count_suppressed(self, deliveries: int) -> None:
        """Count deliveries that became suppressed instead of being sent."""
        self._outcomes["suppressed"] += deliveries

    def collect(self) -> Iterator[Metric]:
        """Return the metrics for prometheus_client."""
        attempts = "Attempts to send a message, each recorded in the ledger before it was made."
        yield CounterMetricFamily("caveat_delivery_attempts", attempts, self._attempts)
        in_progress = "Attempts in progress, whose outcome is not known yet."
        yield GaugeMetricFamily("caveat_deliveries_in_doubt", in_progress, self._in_progress)
        answer = "Seconds from the end of a message to the server's answer."
        yield self._seconds.metric("caveat_delivery_seconds", answer)
        age = "Seconds from the planning of a delivery to its acceptance."
        yield self._age.metric("caveat_delivery_age_seconds", age)
        outcomes = CounterMetricFamily("caveat_deliveries", "Deliveries by outcome.", labels=["outcome"])
        for name, count in self._outcomes.items():
            outcomes.add_metric([name], count)
        yield outcomes
        yield _deprecated_inbound_mails()


def _deprecated_inbound_mails() -> Metric:
    """Return caveat_inbound_mails_total under the name that it had before, which goes with version 0.2."""
    help_text = "Deprecated: caveat_inbound_mails_total."
    alias = CounterMetricFamily("caveat_returned_letters", help_text, labels=["kind"])
    for sample in next(iter(INBOUND_MAILS.collect())).samples:
        if sample.name.endswith("_total"):
            alias.add_metric([sample.labels["kind"]], sample.value)
    return alias


DELIVERY_METRICS = DeliveryMetrics()
REGISTRY.register(DELIVERY_METRICS)


def outcome_label(outcome: Outcome) -> str:
    """Return the value of the label `outcome` for an outcome."""
    match outcome:
        case Sent():
            return "sent"
        case Refused(cause=cause):
            return f"refused_{cause}"
        case Deferred():
            return "deferred"
    return "uncertain"
