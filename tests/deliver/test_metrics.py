"""Metrics of deliver, as Prometheus reads them."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from service.core.model import Deferred, RefusalCause, Refused, Sent, Uncertain
from service.deliver.metrics import INBOUND_MAILS, DeliveryMetrics


def exported(metrics: DeliveryMetrics) -> list[str]:
    registry = CollectorRegistry()
    registry.register(metrics)
    return generate_latest(registry).decode().splitlines()


def test_an_attempt_is_in_doubt_until_the_server_answers():
    metrics = DeliveryMetrics()
    metrics.count_attempt()
    metrics.count_attempt()
    metrics.observe_answer(0.02)
    lines = exported(metrics)
    assert "caveat_delivery_attempts_total 2.0" in lines
    assert "caveat_deliveries_in_doubt 1.0" in lines


def test_deliveries_are_counted_by_outcome():
    metrics = DeliveryMetrics()
    for outcome in (Sent(), Deferred("later"), Refused("no", RefusalCause.ADDRESS), Uncertain("?"), Sent()):
        metrics.count_outcome(outcome)
    metrics.count_suppressed(3)
    lines = exported(metrics)
    assert 'caveat_deliveries_total{outcome="sent"} 2.0' in lines
    assert 'caveat_deliveries_total{outcome="refused_address"} 1.0' in lines
    assert 'caveat_deliveries_total{outcome="refused_policy"} 0.0' in lines
    assert 'caveat_deliveries_total{outcome="suppressed"} 3.0' in lines


def test_a_bucket_includes_its_upper_bound():
    metrics = DeliveryMetrics()
    for seconds in (0.01, 0.02, 2.0, 1000.0):
        metrics.observe_answer(seconds)
    lines = exported(metrics)
    assert 'caveat_delivery_seconds_bucket{le="0.01"} 1.0' in lines
    assert 'caveat_delivery_seconds_bucket{le="0.03"} 2.0' in lines
    assert 'caveat_delivery_seconds_bucket{le="600.0"} 3.0' in lines
    assert 'caveat_delivery_seconds_bucket{le="+Inf"} 4.0' in lines
    assert "caveat_delivery_seconds_count 4.0" in lines


def test_inbound_mails_are_also_exported_under_the_deprecated_name():
    for kind, mails in (("complaint", 2), ("unreadable", 3)):
        INBOUND_MAILS.labels(kind).inc(mails)
    lines = generate_latest(REGISTRY).decode().splitlines()
    name, alias = "caveat_inbound_mails_total", "caveat_returned_letters_total"
    values = sorted(line.removeprefix(name) for line in lines if line.startswith(name))
    assert len(values) >= 2
    assert sorted(line.removeprefix(alias) for line in lines if line.startswith(alias)) == values
