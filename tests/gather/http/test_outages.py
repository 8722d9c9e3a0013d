"""A host that gives no answer rests, and is asked again after a while or as soon as it has answered."""

from __future__ import annotations

from service.gather.http.outages import MAX_FAILURES, MAX_HOSTS, PAUSE_SECONDS, Outages


def test_a_host_rests_after_enough_failures_in_a_row():
    outages = Outages()
    for n in range(MAX_FAILURES):
        assert not outages.is_paused("a.example", n)
        outages.record_failure("a.example", n)

    assert outages.is_paused("a.example", MAX_FAILURES)
    assert not outages.is_paused("b.example", MAX_FAILURES)
    assert not outages.is_paused("a.example", MAX_FAILURES + PAUSE_SECONDS)


def test_one_more_failure_after_the_rest_makes_it_rest_again():
    outages = Outages()
    for _ in range(MAX_FAILURES):
        outages.record_failure("a.example", 0)
    outages.record_failure("a.example", PAUSE_SECONDS)

    assert outages.is_paused("a.example", PAUSE_SECONDS + 1)


def test_any_answer_clears_the_slate():
    outages = Outages()
    for _ in range(MAX_FAILURES):
        outages.record_failure("a.example", 0)
    outages.record_success("a.example")
    outages.record_failure("a.example", 1)

    assert not outages.is_paused("a.example", 1)


def test_the_table_does_not_grow_without_end():
    outages = Outages()
    for n in range(MAX_HOSTS + 5):
        outages.record_failure(n, 0)

    assert len(outages._failures) <= MAX_HOSTS
