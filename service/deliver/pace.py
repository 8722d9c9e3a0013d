"""Pace: how fast messages may leave, in all and to each domain (pure; the caller says what time it is).

Messages are spread evenly rather than sent in bursts: 60 a minute means one a second.

Workers that share a limit take turns. A turn is a stretch of the limit's time that is one worker's alone: one
moment for a message every `step` seconds. A message leaves at its moment or up to `late` seconds after it,
and a moment that was missed is gone. So those that leave within any `period` have their moments within
`period + late`; with a step of `(period + late) / messages` that are never more than `messages`, whoever's
they are. A worker that dies takes its turn along, which passes by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

TURN = 1.0
"""Seconds that a turn lasts, unless it is for a single message; and for how long ahead one is taken."""

LATE = 0.05
"""How late a message may be, as a part of the limit's period; so much of the limit is not used up."""


@dataclass(frozen=True, slots=True)
class Limits:
    """At most so many messages, over all connections and workers that share the pace; 0 means no limit.

    `per_domain_minute` holds for each recipient's domain on its own, `domains` for those that it names.
    """

    per_second: float = 0
    per_minute: float = 0
    per_domain_minute: float = 0
    domains: Mapping[str, float] = field(default_factory=dict)


class Gate:
    """One limit. Times are seconds of the worker's own clock; `limits` are messages and their period."""

    def __init__(self, *limits: tuple[float, float], shared: bool = False) -> None:
        self._limits = [(messages, period) for messages, period in limits if messages > 0]
        self._spacing = max((period / messages for messages, period in self._limits), default=0.0)
        self._in_turns = shared and bool(self._limits)
        self._free_at = 0.0
        # The turn in hand: the moment of its next message, how many are left, and how late they may be.
        self._moment = self._step = self._late = 0.0
        self._left = self._asked = 0
        # How long the last turn took to get: so much we do not know when exactly its moments are.
        self._blur = 0.0

    @property
    def limited(self) -> bool:
        """Whether it ever makes anybody wait."""
        return bool(self._limits)

    def opens_at(self, now: float) -> float | None:
        """Return when the next message may leave; None when a turn has to be taken first."""
        if not self._in_turns:
            return max(self._free_at, now)
        while self._left:
            at = max(self._moment + self._blur, self._free_at, now)
            if at <= self._moment + self._late:
                return at
            self._pass_by()
        return None

    def leave(self, now: float) -> None:
        """Count a message that leaves."""
        self._free_at = max(self._free_at, now) + self._spacing
        if self._left:
            self._pass_by()

    def ask(self, messages: int) -> float:
        """Return how many seconds a turn lasts that is good for so many messages, or for some of them."""
        self._late = max(LATE * min(period for _, period in self._limits), 2 * self._blur)
        self._step = max((period + self._late) / most for most, period in self._limits)
        self._asked = max(1, min(messages, int(TURN / self._step)))
        return self._asked * self._step

    def give(self, begins_in: float, asked_at: float, now: float) -> None:
        """Take the turn that was asked for; it begins `begins_in` after a moment from `asked_at` to now."""
        self._moment, self._blur, self._left = asked_at + begins_in, now - asked_at, self._asked

    def _pass_by(self) -> None:
        self._moment += self._step
        self._left -= 1


class Pace:
    """The gates that messages leave by. `shared`: in turns with other workers; else this process alone."""

    def __init__(self, limits: Limits = Limits(), *, shared: bool = False) -> None:
        self._limits, self._shared = limits, shared
        self.all = Gate((limits.per_second, 1), (limits.per_minute, 60), shared=shared)
        self.limited = self.all.limited
        self.by_domain = bool(limits.per_domain_minute or limits.domains)
        self._domains: dict[str, Gate] = {}

    def domain(self, domain: str) -> Gate:
        """Return the gate to a domain."""
        gate = self._domains.get(domain)
        if gate is None:
            each_minute = self._limits.domains.get(domain, self._limits.per_domain_minute)
            gate = self._domains[domain] = Gate((each_minute, 60), shared=self._shared)
        return gate

    def wait(self, now: float) -> float:
        """Return for how many seconds nothing may leave; endless when a turn has to be taken first."""
        at = self.all.opens_at(now)
        return inf if at is None else at - now

    def leave(self, now: float) -> None:
        """Count a message that leaves."""
        self.all.leave(now)
