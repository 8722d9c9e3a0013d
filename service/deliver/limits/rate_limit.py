"""Rate limits: how fast messages may be sent, overall and to each domain (pure; the caller gives the time).

Messages are spread evenly rather than sent in bursts: 60 a minute means one a second. The configured limits
apply together with those learned from a server's refusals (adaptive_rate.py).

Workers that share a limit take turns. A turn is a stretch of the limit's time that belongs to one worker: one
moment for a message every `step` seconds. A message is sent at its moment or up to `late` seconds after it; a
missed moment is lost. So the messages that all workers send within any `period` have their moments within
`period + late`; with a step of `(period + late) / messages` they are never more than `messages`. The turn of
a worker that dies passes unused.
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
"""The key of the relay's own rate among the rates by recipient domain."""

MIN_REFUSING_DOMAINS = 3
REFUSING_DOMAINS_WINDOW = timedelta(minutes=1)
"""Refusals for our rate by this number of domains in this time, with none accepted, are the relay's own."""

TURN_SECONDS = 1.0
"""Length of a turn for more than one message; also how far ahead a turn is taken."""

PROBE_TURN_SECONDS = 2.0
"""Time without other messages after a probe: enough for its reply, which all workers then know."""

SMOOTHING_MESSAGES = 20
"""Period of a learned rate, in messages: short enough for small bursts, long enough to miss few moments."""

MAX_LATENESS_SHARE = 0.05
"""Longest delay after a moment, as a share of the limit's period; this share of the limit stays unused."""


class RateLimit:
    """One limit. Times are seconds by the worker's own clock; `limits` are (messages, period in seconds)."""

    def __init__(self, *limits: tuple[float, float], shared: bool = False) -> None:
        self._configured = [(messages, period) for messages, period in limits if messages > 0]
        self._shared = shared
        self._set_limits(self._configured)
        # When the next probe may be sent, while the server refuses for our rate; the limits rest until then.
        self.probe_at: float | None = None
        self._free_at = 0.0
        # The current turn: the moment of its next message, the messages left, and their longest delay.
        self._moment = self._step = self._max_delay = 0.0
        self._messages_left = self._requested = 0
        # How long the request for the last turn took: the uncertainty of its moments.
        self._uncertainty = 0.0

    def _set_limits(self, limits: list[tuple[float, float]]) -> None:
        self._limits = limits
        self._spacing = max((period / messages for messages, period in limits), default=0.0)

    def apply_learned(self, per_minute: float | None, probe_at: float | None) -> None:
        """Apply a learned rate together with the configured limits, or send only probes."""
        learned = []
        if per_minute is not None:
            period = min(max(SMOOTHING_MESSAGES * 60 / per_minute, 1.0), 60.0)
            learned = [(per_minute * period / 60, period)]
        self._set_limits(self._configured + learned)
        if (probe_at is None) != (self.probe_at is None):
            # A turn that was taken for the other state is useless.
            self._messages_left, self._free_at = 0, 0.0
        self.probe_at = probe_at

    @property
    def limited(self) -> bool:
        """Whether messages may have to wait."""
        return bool(self._limits) or self.probe_at is not None

    @property
    def _in_turns(self) -> bool:
        return self._shared and self.limited

    def opens_at(self, now: float) -> float | None:
        """Return when the next message may be sent; None when a turn has to be taken first."""
        if not self._in_turns:
            return max(self._free_at, self.probe_at or now, now)
        while self._messages_left:
            at = max(self._moment + self._uncertainty, self._free_at, now)
            if at <= self._moment + self._max_delay:
                return at
            self._next_moment()
        return None

    def record_send(self, now: float) -> None:
        """Count a message that is sent."""
        spacing = self._spacing if self.probe_at is None else PROBE_TURN_SECONDS
        self._free_at = max(self._free_at, now) + spacing
        if self._messages_left:
            self._next_moment()

    def request_turn(self, messages: int) -> float:
        """Return the length in seconds of a turn for these messages, or for as many as fit."""
        if self.probe_at is not None:
            self._max_delay = self._step = PROBE_TURN_SECONDS
            self._requested = 1
            return PROBE_TURN_SECONDS
        self._max_delay = max(
            MAX_LATENESS_SHARE * min(period for _, period in self._limits), 2 * self._uncertainty
        )
        self._step = max((period + self._max_delay) / most for most, period in self._limits)
        self._requested = max(1, min(messages, int(TURN_SECONDS / self._step)))
        return self._requested * self._step

    def grant_turn(self, begins_in: float, requested_at: float, now: float) -> None:
        """Begin the requested turn `begins_in` seconds after a time between `requested_at` and `now`."""
        self._moment, self._uncertainty, self._messages_left = (
            requested_at + begins_in,
            now - requested_at,
            self._requested,
        )

    def _next_moment(self) -> None:
        self._moment += self._step
        self._messages_left -= 1


@dataclass(slots=True)
class _RunningTally:
    """A tally that still grows; `last` is the time of the last accepted message."""

    accepted: int = 0
    since: datetime | None = None
    last: datetime | None = None
    refusal: str = ""
    recovered: bool = False
    busy: bool = False

    def tally(self, ahead: timedelta) -> Tally:
        """Return the tally, its time by a clock that is `ahead` of ours."""
        since = self.since + ahead if self.since else None
        return Tally(self.accepted, since, self.refusal, self.recovered, self.busy)


class RateLimiter:
    """All rate limits of a relay. `shared`: in turns with other workers; otherwise of this process only."""

    def __init__(self, limits: RateLimits = NO_LIMITS, *, shared: bool = False) -> None:
        self._limits, self._shared = limits, shared
        self.overall = RateLimit((limits.per_second, 1), (limits.per_minute, 60), shared=shared)
        self.has_domain_limits = bool(limits.per_domain_minute or limits.domains)
        self._domains: dict[str, RateLimit] = {}
        # Learned rates by domain (ALL_DOMAINS: the relay's own), and the tallies that are not shared yet.
        self.learned_rates: Mapping[str, LearnedRate] = {}
        self._counts: dict[str, _RunningTally] = {ALL_DOMAINS: _RunningTally()}
        self._refusing: dict[str, datetime] = {}
        self.needs_sync = False

    @property
    def limited(self) -> bool:
        """Whether all messages may have to wait."""
        return self.overall.limited

    def for_domain(self, domain: str) -> RateLimit:
        """Return the limit of a domain."""
        limit = self._domains.get(domain)
        if limit is None:
            each_minute = self._limits.domains.get(domain, self._limits.per_domain_minute)
            limit = self._domains[domain] = RateLimit((each_minute, 60), shared=self._shared)
        return limit

    def seconds_until_free(self, now: float) -> float:
        """Return the seconds until a message may be sent; infinite when a turn has to be taken first."""
        at = self.overall.opens_at(now)
        return inf if at is None else at - now

    def record_send(self, now: float) -> None:
        """Count a message that is sent."""
        self.overall.record_send(now)

    # --- rates learned from refusals -----------------------------------------------------------

    def is_probe(self, domain: str) -> bool:
        """Return whether a message sent now to this domain is a probe, which shows if the server accepts."""
        limit = self._domains.get(domain)
        return self.overall.probe_at is not None or (limit is not None and limit.probe_at is not None)

    def seconds_until_probe(self, now: float) -> float:
        """Return the seconds until the relay may be probed."""
        return max((self.overall.probe_at or now) - now, 0.0)

    def record_accepted(self, domain: str, now: datetime, *, probe: bool) -> None:
        """Count a message that was not refused for our rate."""
        self._refusing.clear()
        names = (ALL_DOMAINS, domain) if domain in self.learned_rates else (ALL_DOMAINS,)
        for name in names:
            count = self._counts.setdefault(name, _RunningTally())
            if count.last is None or (now - count.last > IDLE_AFTER and name not in self.learned_rates):
                count.accepted, count.since = 0, now
            count.accepted, count.last = count.accepted + 1, now
            count.since = count.since or now
            if probe and self._limit_of(name).probe_at is not None:
                count.recovered = self.needs_sync = True

    def record_throttled(self, domain: str, who: Throttle, reply: str, now: datetime) -> None:
        """Count a refusal for our rate; one by several domains together counts as the relay's."""
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
        """Return and clear the tallies to share, their times by a clock that is `ahead` of ours."""
        tallies = {}
        for name, count in self._counts.items():
            if count.refusal or count.recovered or (count.accepted and name in self.learned_rates):
                tallies[name] = count.tally(ahead)
                self._counts[name] = _RunningTally(last=count.last)
        self.needs_sync = False
        return tallies

    def apply_learned(self, learned: Mapping[str, LearnedRate], ahead: timedelta) -> None:
        """Apply these rates from now on; their times are by a clock that is `ahead` of ours."""
        for name in {*learned, *self.learned_rates}:
            rate = learned.get(name)
            probe_at = (rate.probe_at - ahead).timestamp() if rate and rate.probe_at else None
            self._limit_of(name).apply_learned(rate.per_minute if rate else None, probe_at)
            self.has_domain_limits = self.has_domain_limits or name != ALL_DOMAINS
        self.learned_rates = learned

    def _limit_of(self, name: str) -> RateLimit:
        return self.for_domain(name) if name else self.overall
