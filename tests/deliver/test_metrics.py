"""What the operator's graphs are made of, as prometheus reads it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from service.core.model import Deferred, RefusalCause, Refused, Sent, Uncertain
from service.deliver.metrics import DeliveryMetrics


def shown(sending: DeliveryMetrics) -> list[str]:
    registry = CollectorRegistry()
    registry.register(sending)
    return generate_latest(registry).decode().splitlines()


def test_attempts_are_in_doubt_until_their_answer_is_heard():
    sending = DeliveryMetrics()
    sending.count_attempt()
    sending.count_attempt()
    sending.observe_answer(0.02)
    lines = shown(sending)
    assert "caveat_delivery_attempts_total 2.0" in lines
    assert "caveat_deliveries_in_doubt 1.0" in lines


def test_outcomes_are_counted_by_their_class():
    sending = DeliveryMetrics()
    for outcome in (Sent(), Deferred("later"), Refused("no", RefusalCause.ADDRESS), Uncertain("?"), Sent()):
        sending.count_outcome(outcome)
    sending.count_suppressed(3)
    lines = shown(sending)
    assert 'caveat_deliveries_total{outcome="sent"} 2.0' in lines
    assert 'caveat_deliveries_total{outcome="refused_address"} 1.0' in lines
    assert 'caveat_deliveries_total{outcome="refused_policy"} 0.0' in lines
    assert 'caveat_deliveries_total{outcome="suppressed"} 3.0' in lines


def test_a_bound_counts_what_lies_at_it_or_below():
    sending = DeliveryMetrics()
    for seconds in (0.01, 0.02, 2.0, 1000.0):
        sending.observe_answer(seconds)
    lines = shown(sending)
    assert 'caveat_delivery_seconds_bucket{le="0.01"} 1.0' in lines
    assert 'caveat_delivery_seconds_bucket{le="0.03"} 2.0' in lines
    assert 'caveat_delivery_seconds_bucket{le="600.0"} 3.0' in lines
    assert 'caveat_delivery_seconds_bucket{le="+Inf"} 4.0' in lines
    assert "caveat_delivery_seconds_count 4.0" in lines
