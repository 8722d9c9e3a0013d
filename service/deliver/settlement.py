"""Settlement: writes each outcome to the ledger and reports it to rate limits, breaker and metrics."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from service.core.model import (
    Deferred,
    DeliveryState,
    Outcome,
    RefusalCause,
    Refused,
    Sent,
    Throttle,
    Uncertain,
)
from service.core.progress import Progress
from service.deliver import retry
from service.deliver.leases import Clock, LeasedDelivery, Leases
from service.deliver.ledger import Ledger
from service.deliver.limits.circuit_breaker import CircuitBreaker
from service.deliver.limits.issue_refusals import IssueRefusals, RefusalAction, issue_pause_sentence
from service.deliver.limits.rate_limit import RateLimiter
from service.deliver.metrics import DELIVERY_METRICS, THROTTLED, TRANSACTIONAL
from service.deliver.ports import StateChange

log = logging.getLogger("deliver")

MAX_PROBLEMS = 20  # sentences in a report
MAX_THROTTLED_IN_HAND = 5  # refusals of one delivery for our rate before it is deferred in the ledger


@dataclass(slots=True)
class Settlement:
    """Settles the deliveries of one pass. `issues_to_pause` are those that the server refuses entirely."""

    ledger: Ledger
    leases: Leases
    rate_limiter: RateLimiter
    breaker: CircuitBreaker
    issue_refusals: IssueRefusals
    resend_uncertain: bool
    clock: Clock
    progress: Progress
    counts: Counter[DeliveryState] = field(default_factory=Counter)
    problems: dict[str, None] = field(default_factory=dict)
    issues_to_pause: set[str] = field(default_factory=set)
    _done: int = 0

    def refuse_unbuildable(self, leased: LeasedDelivery, reason: str) -> None:
        """Record a delivery that cannot become a message as refused."""
        self.add_problem(f"delivery {leased.delivery.id[:12]} cannot become a message: {reason}")
        DELIVERY_METRICS.count_outcome(refusal := Refused(f"no message: {reason}", RefusalCause.MESSAGE))
        self._write(leased, DeliveryState.REFUSED, refusal.reply)
        self.leases.forget(leased)

    def settle(self, leased: LeasedDelivery, outcome: Outcome) -> None:
        """Write the outcome, or queue the delivery again when only our rate was refused."""
        if isinstance(outcome, Deferred) and outcome.throttle is not None:
            self._throttle(leased, outcome.reply, outcome.throttle)
            return
        self._measure(leased, outcome)
        if outcome.reply[:3].isdigit():
            self.rate_limiter.record_accepted(leased.domain, self.clock(), probe=leased.probe)
        match outcome:
            case Sent(reply):
                self.breaker.record_accepted()
                self.issue_refusals.record_accepted(leased.delivery.issue_id)
                self._write(leased, DeliveryState.SENT, reply)
            case Refused(reply, RefusalCause.POLICY):
                reason = f"the mail server refuses all our mail: {reply}"
                self.breaker.record_refused(reason, self.clock(), recipient=leased.delivery.address)
                self.postpone(leased, reply)
            case Refused(reply, RefusalCause.TARGET):
                self.breaker.record_inconclusive()
                self._write(leased, DeliveryState.REFUSED, reply)
            case Refused(reply, RefusalCause.ADDRESS):
                self.breaker.record_inconclusive()
                self._write(leased, DeliveryState.REFUSED, reply, suppress=True)
            case Refused(reply):
                self.breaker.record_inconclusive()
                self._refuse_message(leased, outcome)
            case Deferred(reply):
                self.breaker.record_inconclusive()
                self.postpone(leased, reply)
            case Uncertain(reply):
                self.breaker.record_inconclusive()
                self._uncertain(leased, reply)
        self.leases.forget(leased)

    def _throttle(self, leased: LeasedDelivery, reply: str, who: Throttle) -> None:
        """Let the delivery wait until the shared rate limits permit it; it does not fail.

        Where one domain refuses for three days, the delivery fails like any other.
        """
        now, leased.throttled = self.clock(), leased.throttled + 1
        self.breaker.record_inconclusive()
        self.rate_limiter.record_throttled(leased.domain, who, reply, now)
        THROTTLED.labels(who.value).inc()
        if not leased.attempted_at and leased.throttled <= MAX_THROTTLED_IN_HAND:
            leased.probe = False
            self.leases.queue.append(leased)
            return
        self._measure(leased, Deferred(reply))
        if who is Throttle.DOMAIN and self._retry_at(leased) is None:
            self.postpone(leased, reply)
        else:
            refusals = leased.delivery.attempts + leased.throttled
            retry_at = retry.retry_throttled_at(leased.delivery.id, refusals, now)
            self._write(leased, DeliveryState.DEFERRED, reply, retry_at)
        self.leases.forget(leased)

    def _refuse_message(self, leased: LeasedDelivery, refusal: Refused) -> None:
        """Decide whether only this message is refused or the whole issue."""
        issue_id, reply = leased.delivery.issue_id, refusal.reply
        action = self.issue_refusals.record_refused(issue_id, leased.delivery.address, refusal)
        if action is RefusalAction.FINAL:
            self._write(leased, DeliveryState.REFUSED, reply)
            return
        self.postpone(leased, reply)
        if action is RefusalAction.PAUSE_ISSUE:
            self.issues_to_pause.add(issue_id)
            self.add_problem(issue_pause_sentence(refusal, issue_id[:8]))
        elif refusal.cause is RefusalCause.SIZE:
            self.add_problem(f"delivery {leased.delivery.id[:12]} is not sent yet: {reply}; it is retried")

    def _measure(self, leased: LeasedDelivery, outcome: Outcome) -> None:
        DELIVERY_METRICS.count_outcome(outcome)
        if leased.attempted_at:
            DELIVERY_METRICS.observe_answer(asyncio.get_running_loop().time() - leased.attempted_at)
        if isinstance(outcome, Sent) and leased.delivery.planned_at:
            DELIVERY_METRICS.observe_age((self.clock() - leased.delivery.planned_at).total_seconds())

    def postpone(self, leased: LeasedDelivery, reply: str) -> None:
        """Defer the delivery to its next retry; record it as refused when there is none."""
        retry_at = self._retry_at(leased)
        if retry_at is None:
            self._write(leased, DeliveryState.REFUSED, f"failed after three days: {reply}")
        else:
            self._write(leased, DeliveryState.DEFERRED, reply, retry_at)

    def _uncertain(self, leased: LeasedDelivery, reply: str) -> None:
        now, delivery = self.clock(), leased.delivery
        first_at = delivery.planned_at or now
        retry_at = retry.retry_uncertain_at(
            delivery.id, delivery.attempts, delivery.uncertain_attempts, first_at=first_at, now=now
        )
        if retry_at is None and self.resend_uncertain:
            self.add_problem(
                f"it is unknown whether delivery {delivery.id[:12]} arrived, after "
                f"{delivery.uncertain_attempts + 1} uncertain attempts; it is held until "
                f"`caveat issue resend {delivery.issue_id[:8]} --uncertain`"
            )
        self._write(leased, DeliveryState.UNCERTAIN, reply, retry_at if self.resend_uncertain else None)

    def _retry_at(self, leased: LeasedDelivery) -> datetime | None:
        now, delivery = self.clock(), leased.delivery
        return retry.retry_at(delivery.id, delivery.attempts, first_at=delivery.planned_at or now, now=now)

    def _write(
        self,
        leased: LeasedDelivery,
        state: DeliveryState,
        reply: str = "",
        retry_at: datetime | None = None,
        *,
        suppress: bool = False,
    ) -> None:
        change = StateChange(leased.delivery, state, self.clock(), reply, retry_at, suppress)
        self.ledger.outcome(leased.token, change)
        if leased.delivery.transactional:
            TRANSACTIONAL.labels(state.value).inc()
            level = logging.INFO if state is DeliveryState.SENT else logging.WARNING
            fields = {"delivery": leased.delivery.id[:12], "result": state.value}
            log.log(level, "transactional_mail_handled", extra=fields)
        self.counts[state] += 1
        self._done += 1
        self.progress(state, self._done, self.leases.leased_count)

    def add_problem(self, problem: str) -> None:
        """Add a sentence to the report, once."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems[problem] = None
