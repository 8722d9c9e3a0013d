"""Pace: how fast messages may leave, in all and to each domain (pure; the caller says what time it is).

Messages are spread evenly rather than sent in bursts: 60 a minute means one a second. Beside the limits that
are set stand those that a server's refusals taught (adaptive_rate.py).

Workers that share a limit take turns. A turn is a stretch of the limit's time that is one worker's alone: one
moment for a message every `step` seconds. A message leaves at its moment or up to `late` seconds after it,
and a moment that was missed is gone. So those that leave within any `period` have their moments within
`period + late`; with a step of `(period + late) / messages` that are never more than `messages`, whoever's
they are. A worker that dies takes its turn along, which passes by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf

from service.core.model import Throttle
from service.deliver.limits.adaptive_rate import IDLE, Tally
from service.deliver.ports import LearnedRate

RELAY = ""
"""Stands for all domains where rates are kept by recipient domain."""

DOMAINS_AT_ONCE = 3
TOGETHER = timedelta(minutes=1)
"""When so many domains refuse for our rate within this time, with nothing accepted, the relay does."""

TURN = 1.0
"""Seconds that a turn lasts, unless it is for a single message; and for how long ahead one is taken."""

PROBE_TURN = 2.0
"""Seconds that one probe has the relay for itself: enough to be answered, and for the others to hear."""

SMOOTHED = 20
"""A learned rate is kept over the time of so many messages: bursts stay small, few moments are missed."""

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
        self._configured = [(messages, period) for messages, period in limits if messages > 0]
        self._shared = shared
        self._keep_to(self._configured)
        # While the server refuses for our rate: when the next probe may leave. The limits rest until then.
        self.probe_at: float | None = None
        self._free_at = 0.0
        # The turn in hand: the moment of its next message, how many are left, and how late they may be.
        self._moment = self._step = self._late = 0.0
        self._left = self._asked = 0
        # How long the last turn took to get: so much we do not know when exactly its moments are.
        self._blur = 0.0

    def _keep_to(self, limits: list[tuple[float, float]]) -> None:
        self._limits = limits
        self._spacing = max((period / messages for messages, period in limits), default=0.0)

    def learn(self, per_minute: float | None, probe_at: float | None) -> None:
        """Keep to a rate that the server permits beside the limits that are set, or to probes alone."""
        learned = []
        if per_minute is not None:
            period = min(max(SMOOTHED * 60 / per_minute, 1.0), 60.0)
            learned = [(per_minute * period / 60, period)]
        self._keep_to(self._configured + learned)
        if (probe_at is None) != (self.probe_at is None):
            # A turn that was taken for the other state is of no use.
            self._left, self._free_at = 0, 0.0
        self.probe_at = probe_at

    @property
    def limited(self) -> bool:
        """Whether it ever makes anybody wait."""
        return bool(self._limits) or self.probe_at is not None

    @property
    def _in_turns(self) -> bool:
        return self._shared and self.limited

    def opens_at(self, now: float) -> float | None:
        """Return when the next message may leave; None when a turn has to be taken first."""
        if not self._in_turns:
            return max(self._free_at, self.probe_at or now, now)
        while self._left:
            at = max(self._moment + self._blur, self._free_at, now)
            if at <= self._moment + self._late:
                return at
            self._pass_by()
        return None

    def leave(self, now: float) -> None:
        """Count a message that leaves."""
        spacing = self._spacing if self.probe_at is None else PROBE_TURN
        self._free_at = max(self._free_at, now) + spacing
        if self._left:
            self._pass_by()

    def ask(self, messages: int) -> float:
        """Return how many seconds a turn lasts that is good for so many messages, or for some of them."""
        if self.probe_at is not None:
            self._late = self._step = PROBE_TURN
            self._asked = 1
            return PROBE_TURN
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


@dataclass(slots=True)
class _Count:
    """A tally as it grows; `last` is when a message was accepted last."""

    accepted: int = 0
    since: datetime | None = None
    last: datetime | None = None
    refusal: str = ""
    recovered: bool = False
    busy: bool = False

    def tally(self, ahead: timedelta) -> Tally:
        """Return what was counted, by a clock that is so much ahead of ours."""
        since = self.since + ahead if self.since else None
        return Tally(self.accepted, since, self.refusal, self.recovered, self.busy)


class Pace:
    """The gates that messages leave by. `shared`: in turns with other workers; else this process alone."""

    def __init__(self, limits: Limits = Limits(), *, shared: bool = False) -> None:
        self._limits, self._shared = limits, shared
        self.all = Gate((limits.per_second, 1), (limits.per_minute, 60), shared=shared)
        self.by_domain = bool(limits.per_domain_minute or limits.domains)
        self._domains: dict[str, Gate] = {}
        # What servers' refusals taught, by domain, "" for the relay; and what was counted since it was told.
        self.learned: Mapping[str, LearnedRate] = {}
        self._counts: dict[str, _Count] = {RELAY: _Count()}
        self._refusing: dict[str, datetime] = {}
        self.urgent = False

    @property
    def limited(self) -> bool:
        """Whether messages to anybody may have to wait."""
        return self.all.limited

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

    # --- what servers' refusals teach ----------------------------------------------------------

    def is_probe(self, domain: str) -> bool:
        """Return whether what leaves now to this domain shows whether a server accepts again."""
        gate = self._domains.get(domain)
        return self.all.probe_at is not None or (gate is not None and gate.probe_at is not None)

    def closed_for(self, now: float) -> float:
        """Return for how many seconds the relay is not even probed."""
        return max((self.all.probe_at or now) - now, 0.0)

    def accepted(self, domain: str, now: datetime, *, probe: bool) -> None:
        """Count a message that no limit on our rate refused."""
        self._refusing.clear()
        names = (RELAY, domain) if domain in self.learned else (RELAY,)
        for name in names:
            count = self._counts.setdefault(name, _Count())
            if count.last is None or (now - count.last > IDLE and name not in self.learned):
                count.accepted, count.since = 0, now
            count.accepted, count.last = count.accepted + 1, now
            count.since = count.since or now
            if probe and self._gate(name).probe_at is not None:
                count.recovered = self.urgent = True

    def throttled(self, domain: str, who: Throttle, reply: str, now: datetime) -> None:
        """Count a refusal for our rate; several domains that refuse together are the relay."""
        if who is Throttle.DOMAIN:
            self._refusing[domain] = now
            recent = [at for at in self._refusing.values() if now - at < TOGETHER]
            name = RELAY if len(recent) >= DOMAINS_AT_ONCE else domain
        else:
            name = RELAY
        count = self._counts.setdefault(name, _Count())
        count.refusal, count.busy, count.recovered = reply, who is Throttle.BUSY, False
        self.urgent = True

    def tallies(self, ahead: timedelta) -> dict[str, Tally]:
        """Take what is to be told, by a clock that is so much ahead of ours."""
        told = {}
        for name, count in self._counts.items():
            if count.refusal or count.recovered or (count.accepted and name in self.learned):
                told[name] = count.tally(ahead)
                self._counts[name] = _Count(last=count.last)
        self.urgent = False
        return told

    def learn(self, learned: Mapping[str, LearnedRate], ahead: timedelta) -> None:
        """Keep to these rates from now on; their instants are by a clock so much ahead of ours."""
        for name in {*learned, *self.learned}:
            rate = learned.get(name)
            probe_at = (rate.probe_at - ahead).timestamp() if rate and rate.probe_at else None
            self._gate(name).learn(rate.per_minute if rate else None, probe_at)
            self.by_domain = self.by_domain or name != RELAY
        self.learned = learned

    def _gate(self, name: str) -> Gate:
        return self.domain(name) if name else self.all
