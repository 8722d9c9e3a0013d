"""A server's limit is learned from its refusals and used up, by one worker or several; in virtual time."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from service.core.contracts import LearnedRate
from service.deliver.adaptive_rate import Tally, updated
from service.deliver.pace import TURN, Gate
from tests.builders import NOON
from tests.deliver.test_turns import Timeline

HOUR = 3600.0
ROUND_TRIP = 0.002


class FixedWindow:
    """Permits so many messages in each window, which begins with the first message after the last one."""

    def __init__(self, messages: int, period: float) -> None:
        self.messages, self.period = messages, period
        self.began, self.count = -1e9, 0

    def takes(self, now: float) -> bool:
        if now > self.began + self.period:
            self.began, self.count = now, 0
        self.count += 1  # as Postfix counts: also what it refuses
        return self.count <= self.messages


class ClockWindow(FixedWindow):
    """The same, with windows that begin with the minute of the clock, at whatever second we begin."""

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
    """Permits so many messages within any stretch of that length; what it refuses does not count."""

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
    """What workers share: the turns, and what was learned."""

    timeline: Timeline = field(default_factory=Timeline)
    known: LearnedRate | None = None
    accepted: int = 0
    refused: int = 0


@dataclass
class Worker:
    """A worker that never runs out of messages. It tells and hears once a second, and refusals at once."""

    record: Record
    gate: Gate = field(default_factory=lambda: Gate(shared=True))
    tally: Tally = field(default_factory=Tally)
    hears_at: float = 0.0

    def confer(self, now: float) -> None:
        known = self.record.known
        at = NOON + timedelta(seconds=now)
        if known is not None or self.tally.refusal:
            known = self.record.known = updated(known, self.tally, at)
            self.tally = Tally()
        probe_at = known.probe_at if known else None
        self.gate.learn(
            known.per_minute if known else None, (probe_at - NOON).total_seconds() if probe_at else None
        )
        self.hears_at = now + 1.0

    def act(self, server: Server, now: float) -> float:
        """Do what is next at this moment; return when to act again."""
        if now >= self.hears_at:
            self.confer(now)
        opens_at = self.gate.opens_at(now)
        if opens_at is None and (self.gate.probe_at or now) > now:
            opens_at = self.gate.probe_at
        elif opens_at is None:
            begins_in = self.record.timeline.take(self.gate.ask(500), now)
            if begins_in <= TURN:
                self.gate.give(begins_in, now, now)
                return now
            opens_at = now + begins_in - TURN
        elif opens_at <= now:
            self.send(server, now)
            return now + ROUND_TRIP
        return min(opens_at or now, self.hears_at)

    def send(self, server: Server, now: float) -> None:
        probe = self.gate.probe_at is not None
        self.gate.leave(now)
        since = self.tally.since or NOON + timedelta(seconds=now)
        if server.takes(now):
            self.record.accepted += 1
            self.tally = replace(self.tally, accepted=self.tally.accepted + 1, since=since, recovered=probe)
            if probe:
                self.confer(now)
        else:
            self.record.refused += 1
            self.tally = replace(self.tally, refusal="450 4.7.1 Error: too much mail", recovered=False)
            self.confer(now)


def an_hour(server: Server, workers: int, record: Record | None = None, begins: float = 0.0) -> Record:
    """Return what came of an hour in which these workers were never out of messages."""
    record = record or Record()
    crew = [Worker(record) for _ in range(workers)]
    events = [(begins, number) for number in range(workers)]
    while events[0][0] < begins + HOUR:
        now, number = events[0]
        heapq.heapreplace(events, (max(crew[number].act(server, now), now), number))
    return record


LIMITS = [(20, 60), (100, 60), (600, 60), (10, 1)]


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("limit", LIMITS, ids=str)
@pytest.mark.parametrize("kind", [FixedWindow, ClockWindow, SlidingWindow, TokenBucket])
def test_an_unknown_limit_is_used_to_nine_tenths_in_the_first_hour(kind: type[Server], limit, workers):
    messages, period = limit
    record = an_hour(kind(messages, period), workers)
    assert record.accepted >= 0.9 * messages * HOUR / period
    assert record.refused <= 30
