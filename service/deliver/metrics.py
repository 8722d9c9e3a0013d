"""Metrics (EDGE prometheus_client): what the operator's graphs are made of. No label ever names a person.

What is counted for each message is counted in plain numbers, which prometheus reads when somebody looks: its
own counters take a lock and four calls for each step.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import REGISTRY, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from service.core.model import Deferred, Outcome, RefusalCause, Refused, Sent

INBOUND_MAILS = Counter(
    "caveat_returned_letters_total", "Letters that came back, by what they were.", ["kind"]
)
TRANSACTIONAL = Counter(
    "caveat_transactional_mails_total",
    "What came of confirmations, welcomes and other mail that one person waits for.",
    ["outcome"],
)
SENDING_PAUSED = Gauge(
    "caveat_sending_paused", "1 while sending pauses because the server refuses our mail as such."
)
THROTTLED = Counter("caveat_throttled_total", "Refusals because we sent too fast, by who said so.", ["by"])
LEARNED_RATE = Gauge(
    "caveat_learned_rate_per_minute",
    "Messages a minute that the mail server permits, as its refusals showed.",
)


class UnlockedHistogram:
    """How many values lie below each of some bounds, and their sum."""

    def __init__(self, *bounds: float) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def metric(self, name: str, what: str) -> Metric:
        """Return it as prometheus wants it."""
        bounds = [*(f"{float(bound)}" for bound in self._bounds), "+Inf"]
        family = HistogramMetricFamily(name, what)
        family.add_metric([], list(zip(bounds, accumulate(self._counts), strict=True)), self._sum)
        return family


class DeliveryMetrics:
    """What became of messages, in this process since it began."""

    def __init__(self) -> None:
        blamed = (f"refused_{blame}" for blame in RefusalCause)
        self._outcomes = dict.fromkeys(("sent", "deferred", "uncertain", "suppressed", *blamed), 0)
        self._attempts = self._in_doubt = 0
        self._seconds = UnlockedHistogram(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 600)
        self._age = UnlockedHistogram(1, 10, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 72 * 3600)

    def count_attempt(self) -> None:
        """Count an attempt that is durable."""
        self._attempts += 1
        self._in_doubt += 1

    def observe_answer(self, seconds: float) -> None:
        """Count the end of an attempt that took so long."""
        self._in_doubt -= 1
        self._seconds.add(seconds)

    def count_outcome(self, outcome: Outcome) -> None:
        """Count what came of a delivery."""
        self._outcomes[outcome_label(outcome)] += 1

    def observe_age(self, age: float) -> None:
        """Count how many seconds after it was planned a message was sent."""
        self._age.add(age)

    def count_suppressed(self, deliveries: int) -> None:
        """Count deliveries that became suppressed instead of being sent."""
        self._outcomes["suppressed"] += deliveries

    def collect(self) -> Iterator[Metric]:
        """Return all of it as prometheus wants it."""
        attempts = "Attempts that were made durable before they were made."
        yield CounterMetricFamily("caveat_delivery_attempts", attempts, self._attempts)
        in_doubt = "Attempts under way, whose outcome is not known yet."
        yield GaugeMetricFamily("caveat_deliveries_in_doubt", in_doubt, self._in_doubt)
        yield self._seconds.metric("caveat_delivery_seconds", "From the final dot to the server's answer.")
        yield self._age.metric("caveat_delivery_age_seconds", "From planned to sent.")
        outcomes = CounterMetricFamily("caveat_deliveries", "What came of deliveries.", labels=["outcome"])
        for name, count in self._outcomes.items():
            outcomes.add_metric([name], count)
        yield outcomes


DELIVERY_METRICS = DeliveryMetrics()
REGISTRY.register(DELIVERY_METRICS)


def outcome_label(outcome: Outcome) -> str:
    """Return the class of an outcome, as it stands in the label."""
    match outcome:
        case Sent():
            return "sent"
        case Refused(cause=blame):
            return f"refused_{blame}"
        case Deferred():
            return "deferred"
    return "uncertain"
