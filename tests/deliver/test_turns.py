"""Turns: any number of workers in any order stay under a shared limit together."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.deliver.limits.rate_limit import TURN_SECONDS, RateLimit

MINUTE = 60.0


class Timeline:
    """Grants turns of a limit as the database does, by one clock for all workers."""

    def __init__(self) -> None:
        self.free_at = 0.0

    def take(self, length: float, now: float) -> float:
        begins_at = max(self.free_at, now)
        if begins_at - now <= TURN_SECONDS:
            self.free_at = begins_at + ceil(length * 1000) / 1000
        return begins_at - now


@dataclass
class Worker:
    """A worker whose clock is `ahead` seconds fast; it gets the reply to a request at its next step."""

    gate: RateLimit
    ahead: float
    requested: tuple[float, float] | None = None

    def act(self, timeline: Timeline, now: float, in_hand: int) -> bool:
        """Take a granted turn, request one, or send; return whether a message was sent."""
        here = now + self.ahead
        if self.requested is not None:
            (begins_in, requested_at), self.requested = self.requested, None
            if begins_in <= TURN_SECONDS:
                self.gate.grant_turn(begins_in, requested_at, here)
        opens_at = self.gate.opens_at(here)
        if opens_at is None:
            self.requested = timeline.take(self.gate.request_turn(in_hand), now), here
        elif opens_at <= here:
            self.gate.record_send(here)
            return True
        return False


def most_within(period: float, moments: list[float]) -> int:
    """Return the maximum number of the moments (in order) within any `period`."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= period - 1e-6:
            first += 1
        most = max(most, last - first + 1)
    return most


steps = st.tuples(
    st.integers(0, 3),
    st.one_of(st.just(0.0), st.floats(0, 0.02), st.floats(0, 0.2), st.floats(0, 5)),
    st.integers(1, 500),
)
rates = st.one_of(st.integers(1, 20), st.floats(0.5, 200))


@given(
    limits=st.tuples(st.one_of(st.just(0.0), rates), st.one_of(st.just(0.0), rates)).filter(any),
    ahead=st.lists(st.floats(-4000, 4000), min_size=4, max_size=4),
    acts=st.lists(steps, max_size=300),
)
@example(
    limits=(1.0, 0.0),
    ahead=[0.0] * 4,
    # One worker sends late in its turn, and the next one at once.
    acts=[(0, 0.0, 1), (1, 0.0, 1), (1, 0.0, 1), (0, 0.02, 1), (1, 0.98, 1)],
)
@example(limits=(1.0, 59.0), ahead=[0.0] * 4, acts=[(n % 4, 0.01, 500) for n in range(300)])
@example(limits=(100.0, 0.0), ahead=[0.0, 9.0, -9.0, 0.0], acts=[(n % 3, 0.004, 500) for n in range(900)])
@example(limits=(0.0, 60.0), ahead=[0.0] * 4, acts=[(n // 2 % 4, 0.5, 9) for n in range(600)])
def test_the_sum_of_all_workers_never_exceeds_the_limit(limits, ahead, acts):
    per_second, per_minute = limits
    all_workers = [
        Worker(RateLimit((per_second, 1), (per_minute, MINUTE), shared=True), skew) for skew in ahead
    ]
    timeline, now, left = Timeline(), 0.0, []
    for worker, seconds, in_hand in acts:
        now += seconds
        if all_workers[worker].act(timeline, now, in_hand):
            left.append(now)
    for messages, period in ((per_second, 1.0), (per_minute, MINUTE)):
        assert not messages or most_within(period, left) <= ceil(messages)


def sent_in(seconds: float, workers: int, *limits: tuple[float, float], dies_at: float | None = None) -> int:
    """Return the number of messages that `workers` busy workers send in `seconds`."""
    all_workers = [Worker(RateLimit(*limits, shared=True), 0.0) for _ in range(workers)]
    timeline, left, now = Timeline(), 0, 0.0
    while now < seconds:
        if dies_at is not None and now >= dies_at:
            all_workers, dies_at = all_workers[1:], None
        left += sum(worker.act(timeline, now, 500) for worker in all_workers)
        now += 0.004
    return left


def test_one_worker_or_many_use_at_least_nine_tenths_of_the_limit():
    for workers in (1, 2, 5):
        assert 0.9 * 1200 < sent_in(60, workers, (20, 1)) <= 1200
        assert 0.9 * 120 < sent_in(120, workers, (60, MINUTE)) <= 120


def test_a_worker_that_dies_wastes_at_most_a_second_of_the_limit():
    assert sent_in(60, 2, (20, 1), dies_at=30.5) >= sent_in(60, 2, (20, 1)) - 20


def test_a_missed_moment_is_lost():
    gate = RateLimit((10, 1), shared=True)
    assert gate.opens_at(0) is None
    assert gate.request_turn(5) == pytest.approx(5 * 0.105)
    gate.grant_turn(0.0, 0.0, 0.0)
    assert gate.opens_at(0.0) == 0.0
    assert gate.opens_at(0.12) == 0.12
    gate.record_send(0.12)
    assert gate.opens_at(0.12) == pytest.approx(0.22)
    assert gate.opens_at(0.3) == pytest.approx(0.315)
    assert gate.opens_at(0.6) is None


def test_a_turn_granted_late_begins_when_it_has_begun_for_sure():
    gate = RateLimit((10, 1), shared=True)
    gate.request_turn(5)
    gate.grant_turn(0.5, requested_at=100.0, now=100.04)
    assert gate.opens_at(100.04) == pytest.approx(100.54)
    assert gate.opens_at(101.2) is None
    # Later turns allow for the measured delay, with fewer messages.
    assert gate.request_turn(5) == pytest.approx(5 * 0.108)


def test_an_unshared_limit_takes_no_turns():
    alone, free = RateLimit((10, 1)), RateLimit((0, 1), shared=True)
    assert alone.opens_at(7.0) == free.opens_at(7.0) == 7.0
    alone.record_send(7.0)
    free.record_send(7.0)
    assert (alone.opens_at(7.0), free.opens_at(7.0)) == (7.1, 7.0)
