"""Accord: a worker keeps to what all workers share: turns at a relay's limits, and a halt of all sending.

A word with the record is due once a second, and for each turn where a limit is set, not for each message;
where nothing is shared it costs nothing. While the record is out of reach nothing is sent.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from math import inf
from typing import TypeVar

from service.core.errors import StoreError
from service.deliver import metrics
from service.deliver.leases import Clock
from service.deliver.limits.adaptive_rate import Tally, updated_rate
from service.deliver.limits.circuit_breaker import CircuitBreaker
from service.deliver.limits.domain_queues import DomainQueues
from service.deliver.limits.rate_limit import TURN_SECONDS, RateLimit, RateLimiter
from service.deliver.limits.rate_reports import log_rate_change
from service.deliver.ports import CoordinationStore, LearnedRate, SendingPause

TRIAL_LEASE = timedelta(minutes=2)
"""For how long the worker who tries again keeps the others from it."""

FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS = 0.2, 5.0
MAX_QUEUES_AT_ONCE = 64
"""So many lines are given a turn at once: what is not sent in time is lost to them."""

_Result = TypeVar("_Result")

log = logging.getLogger("deliver")


class WorkerCoordination:
    """What one worker says to the others, and hears. `store` is None where nothing is shared.

    `patience` is for how many seconds a lost record is awaited; `pause` waits, tests give another one.
    """

    def __init__(
        self,
        store: CoordinationStore | None,
        relay: str,
        rate_limiter: RateLimiter,
        breaker: CircuitBreaker,
        clock: Clock,
        *,
        retry_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store, self._relay, self._pace, self._breaker = store, relay, rate_limiter, breaker
        self._clock, self._patience, self._pause = clock, retry_seconds, sleep
        self._at_it = asyncio.Lock()

    # --- a halt --------------------------------------------------------------------------------

    async def sync(self) -> None:
        """Say what the others do not know yet, hear whether sending halts, and who tries again after that.

        Raises StoreError when the record stays out of reach.
        """
        async with self._at_it:
            if not (self._breaker.needs_sync(self._clock()) or self._pace.needs_sync):
                return
            await self._share_rates()
            await self._tell()
            if self._store is not None:
                store = self._store
                halt = await self._patiently(lambda: store.sending_pause(self._relay))
                self._breaker.apply_shared(halt, now := self._clock())
                if self._breaker.needs_trial(now) and await self._patiently(
                    lambda: store.claim_trial(self._relay, now, now + TRIAL_LEASE)
                ):
                    self._breaker.grant_trial()

    async def _share_rates(self) -> None:
        """Tell what servers said to our rate, and keep to what all workers know of it."""
        store, pace, own_now = self._store, self._pace, self._clock()
        if store is None:
            learned, now = dict(pace.learned_rates), own_now
        else:
            known, now = await self._patiently(lambda: store.learned_rates(self._relay))
            learned = dict(known)
        ahead = now - own_now
        for domain, tally in pace.take_tallies(ahead).items():
            rate = await self._taught(domain, learned.pop(domain, None), tally, now)
            if rate is not None:
                learned[domain] = rate
        pace.apply_learned(learned, ahead)

    async def _taught(
        self, domain: str, known: LearnedRate | None, tally: Tally, now: datetime
    ) -> LearnedRate | None:
        """Return what is known of a domain's rate after this tally, once the record has it."""
        store = self._store
        while True:
            rate, version = updated_rate(known, tally, now), known.version if known else 0
            if store is None or await self._patiently(
                functools.partial(store.save_rate, self._relay, domain, rate, version)
            ):
                break
            # Another worker was faster.
            others, now = await self._patiently(lambda: store.learned_rates(self._relay))
            known = others.get(domain)
        log_rate_change(self._relay, domain, known, rate)
        return rate

    async def _tell(self) -> None:
        """Let the record have what is unsaid; who begins a halt tells the operator, nobody else does."""
        said, store, first = self._breaker.unreported, self._store, True
        if said is not None and store is not None:
            if isinstance(said, SendingPause):
                first = await self._patiently(lambda: store.begin_pause(self._relay, said))
            else:
                await self._patiently(lambda: store.end_pause(self._relay, said.pause.since))
        if isinstance(said, SendingPause) and first and (alert := self._breaker.alert(said.since)):
            log.error("%s", alert)
            metrics.SENDING_PAUSED.set(1)
        if self._breaker.unreported is said:
            self._breaker.unreported = None

    # --- turns ---------------------------------------------------------------------------------

    async def seconds_until_free(self, queues: DomainQueues, in_hand: int, *, ready: bool) -> float:
        """Return for how many seconds nothing can leave, once the turns that are needed are asked for.

        `ready`: a delivery could leave if only the pace in all allowed it; else those in `lines` wait for
        their domains. `in_hand` is how many deliveries there are. Raises StoreError as `confer` does.
        """
        async with self._at_it:
            free_in = inf
            if ready and self._pace.seconds_until_free(self._clock().timestamp()) == inf:
                free_in, _ = await self._take({self._relay: (self._pace.overall, in_hand)})
            elif not ready and (stuck := queues.waiting_for_turn(MAX_QUEUES_AT_ONCE)):
                names = {f"{self._relay} {domain}": domain for domain in stuck}
                free_in, given = await self._take(
                    {name: (self._pace.for_domain(domain), stuck[domain]) for name, domain in names.items()}
                )
                for name in given:
                    queues.resume(names[name], self._clock().timestamp())
            now = self._clock().timestamp()
            return min(free_in, self._pace.seconds_until_free(now) if ready else queues.opens_at() - now)

    async def _take(self, wanted: Mapping[str, tuple[RateLimit, int]]) -> tuple[float, list[str]]:
        """Take turns for so many messages at these gates, as far as they are free by now.

        Return in how many seconds the first of the others can be asked for, and the names of those given.
        """
        if self._store is None:
            return inf, []
        store, asked_at = self._store, self._clock().timestamp()
        later = [gate.probe_at for gate, _ in wanted.values() if gate.probe_at and gate.probe_at > asked_at]
        wanted = {name: pair for name, pair in wanted.items() if (pair[0].probe_at or 0) <= asked_at}
        probes_in = min(later, default=inf) - asked_at
        if not wanted:
            return probes_in, []
        lengths = {name: gate.request_turn(count) for name, (gate, count) in wanted.items()}
        begins_in = await self._patiently(lambda: store.take_turns(lengths, TURN_SECONDS))
        now = self._clock().timestamp()
        given = [name for name, seconds in begins_in.items() if seconds <= TURN_SECONDS]
        for name in given:
            wanted[name][0].grant_turn(begins_in[name], asked_at, now)
        return min(
            [probes_in, *(begins_in[name] - TURN_SECONDS for name in wanted if name not in given)]
        ), given

    async def _patiently(self, ask: Callable[[], Awaitable[_Result]]) -> _Result:
        waited, pause = 0.0, FIRST_RETRY_SECONDS
        while True:
            try:
                return await ask()
            except StoreError as error:
                if waited >= self._patience:
                    raise
                log.warning("nothing is sent while the record is out of reach, trying again: %s", error)
                await self._pause(pause)
                waited, pause = waited + pause, min(pause * 2, MAX_RETRY_SECONDS)
