"""One worker or several learn a server's limit from its refusals and use it; in virtual time."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deliver.limits.adaptive_rate import (
    DECREASE,
    FORGET_AT_RATIO,
    MAX_PROBE_WAIT,
    MIN_PER_MINUTE,
    Tally,
    updated_rate,
)
from service.deliver.limits.rate_limit import TURN_SECONDS, RateLimit
from service.deliver.ports import LearnedRate
from tests.builders import NOON
from tests.deliver.test_turns import Timeline

HOUR = 3600.0
ROUND_TRIP = 0.002


class FixedWindow:
    """Permits `messages` in each window; a window begins with the first message after the last window."""

    def __init__(self, messages: int, period: float) -> None:
        self.messages, self.period = messages, period
        self.began, self.count = -1e9, 0

    def takes(self, now: float) -> bool:
        if now > self.began + self.period:
            self.began, self.count = now, 0
        self.count += 1  # Postfix also counts refused messages
        return self.count <= self.messages


class ClockWindow(FixedWindow):
    """A fixed window that begins with each period of the clock."""

    def takes(self, now: float) -> bool:
        now += 0.83 * self.period
        self.began = max(self.began, now - now % self.period)
        if now - self.began < self.period and self.count and self._window != self.began:
            self.count = 0
        self._window = self.began
        self.count += 1
        return self.count <= self.messages

    _window = -1.0


class SlidingWindow:
    """Permits `messages` within any `period`; refused messages do not count."""

    def __init__(self, messages: int, period: float) -> None:
        self.messages, self.period = messages, period
        self.taken: deque[float] = deque()

    def takes(self, now: float) -> bool:
        while self.taken and self.taken[0] <= now - self.period:
            self.taken.popleft()
        if len(self.taken) >= self.messages:
            return False
        self.taken.append(now)
        return True


class TokenBucket:
    """Permits a rate, and a burst of the messages of ten seconds."""

    def __init__(self, messages: int, period: float) -> None:
        self.rate = messages / period
        self.most = self.tokens = max(1.0, self.rate * 10)
        self.at = 0.0

    def takes(self, now: float) -> bool:
        self.tokens, self.at = min(self.most, self.tokens + (now - self.at) * self.rate), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


Server = FixedWindow | SlidingWindow | TokenBucket


@dataclass
class Record:
    """The state that workers share: the turns, and the learned rate."""

    timeline: Timeline = field(default_factory=Timeline)
    known: LearnedRate | None = None
    accepted: int = 0
    refused: int = 0


@dataclass
class Worker:
    """A worker with unlimited messages. It syncs once a second, and at once after a refusal."""

    record: Record
    gate: RateLimit = field(default_factory=lambda: RateLimit(shared=True))
    tally: Tally = field(default_factory=Tally)
    syncs_at: float = 0.0

    def sync(self, now: float) -> None:
        known = self.record.known
        at = NOON + timedelta(seconds=now)
        if known is not None or self.tally.refusal:
            known = self.record.known = updated_rate(known, self.tally, at)
            self.tally = Tally()
        probe_at = known.probe_at if known else None
        self.gate.apply_learned(
            known.per_minute if known else None, (probe_at - NOON).total_seconds() if probe_at else None
        )
        self.syncs_at = now + 1.0

    def act(self, server: Server, now: float) -> float:
        """Take the next step; return the time of the step after it."""
        if now >= self.syncs_at:
            self.sync(now)
        opens_at = self.gate.opens_at(now)
        if opens_at is None and (self.gate.probe_at or now) > now:
            opens_at = self.gate.probe_at
        elif opens_at is None:
            begins_in = self.record.timeline.take(self.gate.request_turn(500), now)
            if begins_in <= TURN_SECONDS:
                self.gate.grant_turn(begins_in, now, now)
                return now
            opens_at = now + begins_in - TURN_SECONDS
        elif opens_at <= now:
            self.send(server, now)
            return now + ROUND_TRIP
        return min(opens_at or now, self.syncs_at)

    def send(self, server: Server, now: float) -> None:
        probe = self.gate.probe_at is not None
        self.gate.record_send(now)
        since = self.tally.since or NOON + timedelta(seconds=now)
        if server.takes(now):
            self.record.accepted += 1
            self.tally = replace(self.tally, accepted=self.tally.accepted + 1, since=since, recovered=probe)
            if probe:
                self.sync(now)
        else:
            self.record.refused += 1
            self.tally = replace(self.tally, refusal="450 4.7.1 Error: too much mail", recovered=False)
            self.sync(now)


def an_hour(server: Server, workers: int, record: Record | None = None, begins: float = 0.0) -> Record:
    """Return the record after an hour in which the workers always had messages."""
    record = record or Record()
    all_workers = [Worker(record) for _ in range(workers)]
    events = [(begins, number) for number in range(workers)]
    while events[0][0] < begins + HOUR:
        now, number = events[0]
        heapq.heapreplace(events, (max(all_workers[number].act(server, now), now), number))
    return record


LIMITS = [(20, 60), (100, 60), (600, 60), (10, 1)]


KINDS = [FixedWindow, ClockWindow, SlidingWindow, TokenBucket]


def used(kind: type[Server], limit: tuple[int, float], workers: int) -> tuple[float, int]:
    """Return the used share of the limit in the first hour, and the number of refused messages."""
    messages, period = limit
    record = an_hour(kind(messages, period), workers)
    return record.accepted * period / (messages * HOUR), record.refused


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("limit", [(20, 60), (100, 60)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_nine_tenths_of_an_unknown_limit_are_used_in_the_first_hour(kind, limit, workers):
    part, refused = used(kind, limit, workers)
    assert part >= 0.9
    assert refused <= 30


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("limit", LIMITS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_nine_tenths_of_every_other_limit_are_used_in_the_first_hour(kind, limit, workers):
    part, refused = used(kind, limit, workers)
    assert part >= 0.9
    assert refused <= 30


def test_nine_tenths_of_a_limit_per_second_are_used():
    part, refused = used(SlidingWindow, (10, 1), 2)
    assert part >= 0.9
    assert refused <= 30


def test_a_learned_rate_is_kept_until_the_next_day():
    server, record = FixedWindow(20, 60), an_hour(FixedWindow(20, 60), 2)
    before = record.refused
    record = an_hour(server, 2, record, begins=24 * HOUR)
    assert record.refused - before < 8
    assert record.accepted >= 2 * 0.9 * 20 * 60


def test_a_limit_that_becomes_tighter_is_found_again_and_one_that_is_lifted_is_forgotten():
    record = an_hour(SlidingWindow(600, 60), 2)
    accepted, refused = record.accepted, record.refused
    an_hour(SlidingWindow(20, 60), 2, record, begins=HOUR)
    assert record.accepted - accepted >= 0.9 * 20 * 60
    assert record.refused - refused < 60
    accepted = record.accepted
    an_hour(SlidingWindow(6000, 60), 2, record, begins=2 * HOUR)
    assert record.accepted - accepted > 10 * 20 * 60


SECONDS = st.floats(0.001, 5000)
TALLIES = st.builds(
    Tally,
    st.integers(0, 5000),
    st.none(),
    st.sampled_from(["", "450 4.7.1 too much"]),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(st.tuples(SECONDS, TALLIES), max_size=60))
def test_any_sequence_of_tallies_gives_a_valid_rate(steps):
    known, now = None, NOON
    for seconds, tally in steps:
        now += timedelta(seconds=seconds)
        before, known = known, updated_rate(known, tally, now)
        if known is None:
            continue
        assert (known.refused_at is None) == (known.probe_at is None)
        assert known.per_minute is None or known.per_minute >= MIN_PER_MINUTE
        assert known.probe_at is None or known.probe_at - now <= MAX_PROBE_WAIT
        assert known.version == (before.version if before else 0) + 1
        if before is not None and tally.refusal and before.per_minute and not tally.accepted:
            # Refusals never raise the rate.
            assert (known.per_minute or 0) <= before.per_minute


@given(st.integers(1, 400))
def test_all_refusals_before_the_recovery_lower_the_rate_once(refusals):
    known, now = LearnedRate(100, 110, NOON - timedelta(hours=1), NOON, accepted=6000), NOON
    for _ in range(refusals):
        known = updated_rate(known, Tally(refusal="450 no"), now)
        now += timedelta(milliseconds=1)
    known = updated_rate(known, Tally(accepted=1, recovered=True), now + timedelta(seconds=1))
    assert known is not None
    assert known.per_minute == pytest.approx(100 * DECREASE, abs=0.1)


def test_a_limit_that_was_exceeded_tenfold_is_forgotten():
    known = LearnedRate(20.0 * FORGET_AT_RATIO, 20, NOON, NOON)
    assert updated_rate(known, Tally(accepted=10, since=NOON), NOON) is None


def test_a_busy_server_keeps_its_learned_rate():
    known = LearnedRate(100, 110, NOON, NOON)
    known = updated_rate(known, Tally(refusal="452 4.3.1 full", busy=True), NOON)
    known = updated_rate(known, Tally(accepted=1, recovered=True), NOON + timedelta(hours=1))
    assert known is not None
    assert known.per_minute == pytest.approx(100, abs=0.1)
