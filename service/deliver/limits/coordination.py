"""Worker coordination: rate limits, learned rates and sending pauses that the workers of a relay share.

The database is queried once a second, and once a turn where there is a limit, not for each message; never
where nothing is shared. While it is out of reach nothing is sent.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from math import inf
from typing import TypeVar

from service.deliver import metrics
from service.deliver.leases import Clock
from service.deliver.limits.adaptive_rate import Tally, updated_rate
from service.deliver.limits.circuit_breaker import CircuitBreaker
from service.deliver.limits.domain_queues import DomainQueues
from service.deliver.limits.rate_limit import TURN_SECONDS, RateLimit, RateLimiter
from service.deliver.limits.rate_reports import log_rate_change
from service.deliver.ports import CoordinationStore, LearnedRate, SendingPause
from service.deliver.store_retry import Sleep, retry_store

TRIAL_LEASE = timedelta(minutes=2)
"""Time that a worker has for the trial message after a pause, before another worker may send one."""

MAX_QUEUES_AT_ONCE = 64  # domain queues that take a turn at once; moments that they miss are lost

_Result = TypeVar("_Result")

log = logging.getLogger("deliver")


class WorkerCoordination:
    """Shares one worker's rates and pauses with the others. `store` is None where nothing is shared.

    A database that is out of reach is retried for `retry_seconds`. `sleep` waits (seconds); tests replace it.
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
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._store, self._relay, self._rate_limiter, self._breaker = store, relay, rate_limiter, breaker
        self._clock, self._retry_seconds, self._sleep = clock, retry_seconds, sleep
        self._lock = asyncio.Lock()

    # --- sending pauses and learned rates ------------------------------------------------------

    async def sync(self) -> None:
        """Write what this worker learned, read what the others did, and claim the trial after a pause.

        Raises StoreError when the database stays out of reach.
        """
        async with self._lock:
            if not (self._breaker.needs_sync(self._clock()) or self._rate_limiter.needs_sync):
                return
            await self._share_rates()
            await self._share_pause()
            if self._store is not None:
                store = self._store
                pause = await self._retry(lambda: store.sending_pause(self._relay))
                self._breaker.apply_shared(pause, now := self._clock())
                if self._breaker.needs_trial(now) and await self._retry(
                    lambda: store.claim_trial(self._relay, now, now + TRIAL_LEASE)
                ):
                    self._breaker.grant_trial()

    async def _share_rates(self) -> None:
        """Write the tallies of this worker, and apply the rates that all workers learned."""
        store, limiter, own_now = self._store, self._rate_limiter, self._clock()
        if store is None:
            learned, now = dict(limiter.learned_rates), own_now
        else:
            known, now = await self._retry(lambda: store.learned_rates(self._relay))
            learned = dict(known)
        ahead = now - own_now
        for domain, tally in limiter.take_tallies(ahead).items():
            rate = await self._store_rate(domain, learned.pop(domain, None), tally, now)
            if rate is not None:
                learned[domain] = rate
        limiter.apply_learned(learned, ahead)

    async def _store_rate(
        self, domain: str, known: LearnedRate | None, tally: Tally, now: datetime
    ) -> LearnedRate | None:
        """Return a domain's rate after this tally, once it is stored; None when there is no limit."""
        store = self._store
        while True:
            rate, version = updated_rate(known, tally, now), known.version if known else 0
            if store is None or await self._retry(
                functools.partial(store.save_rate, self._relay, domain, rate, version)
            ):
                break
            # Another worker has stored a newer version.
            others, now = await self._retry(lambda: store.learned_rates(self._relay))
            known = others.get(domain)
        log_rate_change(self._relay, domain, known, rate)
        return rate

    async def _share_pause(self) -> None:
        """Store a pause that began or ended; the worker that begins a pause is the only one to log it."""
        news, store, first = self._breaker.unreported, self._store, True
        if news is not None and store is not None:
            if isinstance(news, SendingPause):
                first = await self._retry(lambda: store.begin_pause(self._relay, news))
            else:
                await self._retry(lambda: store.end_pause(self._relay, news.pause.since))
        if isinstance(news, SendingPause) and first and (alert := self._breaker.alert(news.since)):
            log.error("sending_paused", extra={"relay": self._relay, "reason": alert})
            metrics.SENDING_PAUSED.set(1)
        if self._breaker.unreported is news:
            self._breaker.unreported = None

    # --- turns ---------------------------------------------------------------------------------

    async def seconds_until_free(self, queues: DomainQueues, waiting: int, *, ready: bool) -> float:
        """Take the turns that are needed; return the seconds until a message may be sent.

        `ready`: only the overall limit holds a delivery back; otherwise the deliveries in `queues` wait for
        their domains. `waiting` is the number of deliveries. Raises StoreError as `sync` does.
        """
        async with self._lock:
            free_in = inf
            if ready and self._rate_limiter.seconds_until_free(self._clock().timestamp()) == inf:
                free_in, _ = await self._take_turns({self._relay: (self._rate_limiter.overall, waiting)})
            elif not ready and (blocked := queues.waiting_for_turn(MAX_QUEUES_AT_ONCE)):
                names = {f"{self._relay} {domain}": domain for domain in blocked}
                free_in, taken = await self._take_turns(
                    {
                        name: (self._rate_limiter.for_domain(domain), blocked[domain])
                        for name, domain in names.items()
                    }
                )
                for name in taken:
                    queues.resume(names[name], self._clock().timestamp())
            now = self._clock().timestamp()
            return min(
                free_in, self._rate_limiter.seconds_until_free(now) if ready else queues.opens_at() - now
            )

    async def _take_turns(self, wanted: Mapping[str, tuple[RateLimit, int]]) -> tuple[float, list[str]]:
        """Take turns for a number of messages each, where a turn is free by now.

        Return the seconds until the first other turn can be taken, and the names of the limits with a turn.
        """
        if self._store is None:
            return inf, []
        store, requested_at = self._store, self._clock().timestamp()
        later = [
            limit.probe_at for limit, _ in wanted.values() if limit.probe_at and limit.probe_at > requested_at
        ]
        wanted = {name: pair for name, pair in wanted.items() if (pair[0].probe_at or 0) <= requested_at}
        probes_in = min(later, default=inf) - requested_at
        if not wanted:
            return probes_in, []
        lengths = {name: limit.request_turn(count) for name, (limit, count) in wanted.items()}
        begins_in = await self._retry(lambda: store.take_turns(lengths, TURN_SECONDS))
        now = self._clock().timestamp()
        taken = [name for name, seconds in begins_in.items() if seconds <= TURN_SECONDS]
        for name in taken:
            wanted[name][0].grant_turn(begins_in[name], requested_at, now)
        return min(
            [probes_in, *(begins_in[name] - TURN_SECONDS for name in wanted if name not in taken)]
        ), taken

    async def _retry(self, operation: Callable[[], Awaitable[_Result]]) -> _Result:
        return await retry_store(operation, seconds=self._retry_seconds, sleep=self._sleep)
