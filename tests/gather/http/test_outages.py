"""A host that gives no answer rests, and is asked again after a while or as soon as it has answered."""

from __future__ import annotations

from service.gather.http.outages import MOST_HOSTS, RESTS, STRIKES, Outages


def test_a_host_rests_after_enough_failures_in_a_row():
    outages = Outages()
    for n in range(STRIKES):
        assert not outages.rests("a.example", n)
        outages.failed("a.example", n)

    assert outages.rests("a.example", STRIKES)
    assert not outages.rests("b.example", STRIKES)
    assert not outages.rests("a.example", STRIKES + RESTS)


def test_one_more_failure_after_the_rest_makes_it_rest_again():
    outages = Outages()
    for _ in range(STRIKES):
        outages.failed("a.example", 0)
    outages.failed("a.example", RESTS)

    assert outages.rests("a.example", RESTS + 1)


def test_any_answer_clears_the_slate():
    outages = Outages()
    for _ in range(STRIKES):
        outages.failed("a.example", 0)
    outages.answered("a.example")
    outages.failed("a.example", 1)

    assert not outages.rests("a.example", 1)


def test_the_table_does_not_grow_without_end():
    outages = Outages()
    for n in range(MOST_HOSTS + 5):
        outages.failed(n, 0)

    assert len(outages._strikes) <= MOST_HOSTS
