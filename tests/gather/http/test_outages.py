"""Requests to a host that does not respond are paused, until a pause or a response ends that."""

from __future__ import annotations

from service.gather.http.outages import MAX_FAILURES, MAX_HOSTS, PAUSE_SECONDS, Outages


def test_a_host_is_paused_after_enough_failures_in_a_row():
    outages = Outages()
    for n in range(MAX_FAILURES):
        assert not outages.is_paused("a.example", n)
        outages.record_failure("a.example", n)

    assert outages.is_paused("a.example", MAX_FAILURES)
    assert not outages.is_paused("b.example", MAX_FAILURES)
    assert not outages.is_paused("a.example", MAX_FAILURES + PAUSE_SECONDS)


def test_a_failure_after_the_pause_pauses_the_host_again():
    outages = Outages()
    for _ in range(MAX_FAILURES):
        outages.record_failure("a.example", 0)
    outages.record_failure("a.example", PAUSE_SECONDS)

    assert outages.is_paused("a.example", PAUSE_SECONDS + 1)


def test_any_response_resets_the_failures():
    outages = Outages()
    for _ in range(MAX_FAILURES):
        outages.record_failure("a.example", 0)
    outages.record_success("a.example")
    outages.record_failure("a.example", 1)

    assert not outages.is_paused("a.example", 1)


def test_the_table_of_hosts_is_limited():
    outages = Outages()
    for n in range(MAX_HOSTS + 5):
        outages.record_failure(n, 0)

    assert len(outages._failures) <= MAX_HOSTS
