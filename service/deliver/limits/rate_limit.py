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
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from service.core.model import Throttle
from service.deliver.limits.adaptive_rate import IDLE_AFTER, Tally
from service.deliver.ports import NO_LIMITS, LearnedRate, RateLimits

ALL_DOMAINS = ""
"""Stands for all domains where rates are kept by recipient domain."""

MIN_REFUSING_DOMAINS = 3
REFUSING_DOMAINS_WINDOW = timedelta(minutes=1)
"""When so many domains refuse for our rate within this time, with nothing accepted, the relay does."""

TURN_SECONDS = 1.0
"""Seconds that a turn lasts, unless it is for a single message; and for how long ahead one is taken."""

PROBE_TURN_SECONDS = 2.0
"""Seconds that one probe has the relay for itself: enough to be answered, and for the others to hear."""

SMOOTHING_MESSAGES = 20
"""A learned rate is kept over the time of so many messages: bursts stay small, few moments are missed."""

MAX_LATENESS_SHARE = 0.05
"""How late a message may be, as a part of the limit's period; so much of the limit is not used up."""


class RateLimit:
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

    def apply_learned(self, per_minute: float | None, probe_at: float | None) -> None:
        """Keep to a rate that the server permits beside the limits that are set, or to probes alone."""
        learned = []
        if per_minute is not None:
            period = min(max(SMOOTHING_MESSAGES * 60 / per_minute, 1.0), 60.0)
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

    def record_send(self, now: float) -> None:
        """Count a message that leaves."""
        spacing = self._spacing if self.probe_at is None else PROBE_TURN_SECONDS
        self._free_at = max(self._free_at, now) + spacing
        if self._left:
            self._pass_by()

    def request_turn(self, messages: int) -> float:
        """Return how many seconds a turn lasts that is good for so many messages, or for some of them."""
        if self.probe_at is not None:
            self._late = self._step = PROBE_TURN_SECONDS
            self._asked = 1
            return PROBE_TURN_SECONDS
        self._late = max(MAX_LATENESS_SHARE * min(period for _, period in self._limits), 2 * self._blur)
        self._step = max((period + self._late) / most for most, period in self._limits)
        self._asked = max(1, min(messages, int(TURN_SECONDS / self._step)))
        return self._asked * self._step

    def grant_turn(self, begins_in: float, asked_at: float, now: float) -> None:
        """Take the turn that was asked for; it begins `begins_in` after a moment from `asked_at` to now."""
        self._moment, self._blur, self._left = asked_at + begins_in, now - asked_at, self._asked

    def _pass_by(self) -> None:
        self._moment += self._step
        self._left -= 1


@dataclass(slots=True)
class _RunningTally:
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


class RateLimiter:
    """The gates that messages leave by. `shared`: in turns with other workers; else this process alone."""

    def __init__(self, limits: RateLimits = NO_LIMITS, *, shared: bool = False) -> None:
        self._limits, self._shared = limits, shared
        self.overall = RateLimit((limits.per_second, 1), (limits.per_minute, 60), shared=shared)
        self.has_domain_limits = bool(limits.per_domain_minute or limits.domains)
        self._domains: dict[str, RateLimit] = {}
        # What servers' refusals taught, by domain, "" for the relay; and what was counted since it was told.
        self.learned_rates: Mapping[str, LearnedRate] = {}
        self._counts: dict[str, _RunningTally] = {ALL_DOMAINS: _RunningTally()}
        self._refusing: dict[str, datetime] = {}
        self.needs_sync = False

    @property
    def limited(self) -> bool:
        """Whether messages to anybody may have to wait."""
        return self.overall.limited

    def for_domain(self, domain: str) -> RateLimit:
        """Return the gate to a domain."""
        gate = self._domains.get(domain)
        if gate is None:
            each_minute = self._limits.domains.get(domain, self._limits.per_domain_minute)
            gate = self._domains[domain] = RateLimit((each_minute, 60), shared=self._shared)
        return gate

    def seconds_until_free(self, now: float) -> float:
        """Return for how many seconds nothing may leave; endless when a turn has to be taken first."""
        at = self.overall.opens_at(now)
        return inf if at is None else at - now

    def record_send(self, now: float) -> None:
        """Count a message that leaves."""
        self.overall.record_send(now)

    # --- what servers' refusals teach ----------------------------------------------------------

    def is_probe(self, domain: str) -> bool:
        """Return whether what leaves now to this domain shows whether a server accepts again."""
        gate = self._domains.get(domain)
        return self.overall.probe_at is not None or (gate is not None and gate.probe_at is not None)

    def seconds_until_probe(self, now: float) -> float:
        """Return for how many seconds the relay is not even probed."""
        return max((self.overall.probe_at or now) - now, 0.0)

    def record_accepted(self, domain: str, now: datetime, *, probe: bool) -> None:
        """Count a message that no limit on our rate refused."""
        self._refusing.clear()
        names = (ALL_DOMAINS, domain) if domain in self.learned_rates else (ALL_DOMAINS,)
        for name in names:
            count = self._counts.setdefault(name, _RunningTally())
            if count.last is None or (now - count.last > IDLE_AFTER and name not in self.learned_rates):
                count.accepted, count.since = 0, now
            count.accepted, count.last = count.accepted + 1, now
            count.since = count.since or now
            if probe and self._gate(name).probe_at is not None:
                count.recovered = self.needs_sync = True

    def record_throttled(self, domain: str, who: Throttle, reply: str, now: datetime) -> None:
        """Count a refusal for our rate; several domains that refuse together are the relay."""
        if who is Throttle.DOMAIN:
            self._refusing[domain] = now
            recent = [at for at in self._refusing.values() if now - at < REFUSING_DOMAINS_WINDOW]
            name = ALL_DOMAINS if len(recent) >= MIN_REFUSING_DOMAINS else domain
        else:
            name = ALL_DOMAINS
        count = self._counts.setdefault(name, _RunningTally())
        count.refusal, count.busy, count.recovered = reply, who is Throttle.BUSY, False
        self.needs_sync = True

    def take_tallies(self, ahead: timedelta) -> dict[str, Tally]:
        """Take what is to be told, by a clock that is so much ahead of ours."""
        told = {}
        for name, count in self._counts.items():
            if count.refusal or count.recovered or (count.accepted and name in self.learned_rates):
                told[name] = count.tally(ahead)
                self._counts[name] = _RunningTally(last=count.last)
        self.needs_sync = False
        return told

    def apply_learned(self, learned: Mapping[str, LearnedRate], ahead: timedelta) -> None:
        """Keep to these rates from now on; their instants are by a clock so much ahead of ours."""
        for name in {*learned, *self.learned_rates}:
            rate = learned.get(name)
            probe_at = (rate.probe_at - ahead).timestamp() if rate and rate.probe_at else None
            self._gate(name).apply_learned(rate.per_minute if rate else None, probe_at)
            self.has_domain_limits = self.has_domain_limits or name != ALL_DOMAINS
        self.learned_rates = learned

    def _gate(self, name: str) -> RateLimit:
        return self.for_domain(name) if name else self.overall
