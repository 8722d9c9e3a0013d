"""Settlement: what came of each delivery, written to the ledger and told to those who learn from it."""

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

MAX_PROBLEMS = 20
MAX_THROTTLED_IN_HAND = 5  # times that one delivery is refused for our rate and kept in hand


@dataclass(slots=True)
class Settlement:
    """Settles the deliveries of one pass. `to_pause` are issues that the server refuses as a whole."""

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
        """Refuse a delivery that cannot become a message."""
        self.add_problem(f"delivery {leased.delivery.id[:12]} cannot become a message: {reason}")
        DELIVERY_METRICS.count_outcome(refusal := Refused(f"no message: {reason}", RefusalCause.MESSAGE))
        self._write(leased, DeliveryState.REFUSED, refusal.reply)
        self.leases.forget(leased)

    def settle(self, leased: LeasedDelivery, outcome: Outcome) -> None:
        """Write what came of the delivery, or keep it in hand when only our rate was refused."""
        if isinstance(outcome, Deferred) and outcome.throttle is not None:
            self._throttled(leased, outcome.reply, outcome.throttle)
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
                reason = f"the mail server refuses our mail as such: {reply}"
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
                self._message_refused(leased, outcome)
            case Deferred(reply):
                self.breaker.record_inconclusive()
                self.postpone(leased, reply)
            case Uncertain(reply):
                self.breaker.record_inconclusive()
                self._doubted(leased, reply)
        self.leases.forget(leased)

    def _throttled(self, taken: LeasedDelivery, reply: str, who: Throttle) -> None:
        """Let the delivery wait until the rate that all workers share permits it; it is not given up.

        A domain that says so for three days is given up like any other.
        """
        now, taken.throttled = self.clock(), taken.throttled + 1
        self.breaker.record_inconclusive()
        self.rate_limiter.record_throttled(taken.domain, who, reply, now)
        THROTTLED.labels(who.value).inc()
        if not taken.attempted_at and taken.throttled <= MAX_THROTTLED_IN_HAND:
            taken.probe = False
            self.leases.queue.append(taken)
            return
        self._measure(taken, Deferred(reply))
        if who is Throttle.DOMAIN and self._again_at(taken) is None:
            self.postpone(taken, reply)
        else:
            times = taken.delivery.attempts + taken.throttled
            again = retry.retry_throttled_at(taken.delivery.id, times, now)
            self._write(taken, DeliveryState.DEFERRED, reply, again)
        self.leases.forget(taken)

    def _message_refused(self, taken: LeasedDelivery, refusal: Refused) -> None:
        """Decide whether it is this message that is refused or the whole issue."""
        issue_id, reply = taken.delivery.issue_id, refusal.reply
        ruling = self.issue_refusals.record_refused(issue_id, taken.delivery.address, refusal)
        if ruling is RefusalAction.FINAL:
            self._write(taken, DeliveryState.REFUSED, reply)
            return
        self.postpone(taken, reply)
        if ruling is RefusalAction.PAUSE_ISSUE:
            self.issues_to_pause.add(issue_id)
            self.add_problem(issue_pause_sentence(refusal, issue_id[:8]))
        elif refusal.cause is RefusalCause.SIZE:
            self.add_problem(f"delivery {taken.delivery.id[:12]} is not sent yet: {reply}; it is tried again")

    def _measure(self, taken: LeasedDelivery, outcome: Outcome) -> None:
        DELIVERY_METRICS.count_outcome(outcome)
        if taken.attempted_at:
            DELIVERY_METRICS.observe_answer(asyncio.get_running_loop().time() - taken.attempted_at)
        if isinstance(outcome, Sent) and taken.delivery.planned_at:
            DELIVERY_METRICS.observe_age((self.clock() - taken.delivery.planned_at).total_seconds())

    def postpone(self, leased: LeasedDelivery, reply: str) -> None:
        """Let the delivery be tried again later, or give it up."""
        again = self._again_at(leased)
        if again is None:
            self._write(leased, DeliveryState.REFUSED, f"given up after three days: {reply}")
        else:
            self._write(leased, DeliveryState.DEFERRED, reply, again)

    def _doubted(self, taken: LeasedDelivery, reply: str) -> None:
        now, delivery = self.clock(), taken.delivery
        first_at = delivery.planned_at or now
        again = retry.retry_uncertain_at(
            delivery.id, delivery.attempts, delivery.uncertain_attempts, first_at=first_at, now=now
        )
        if again is None and self.resend_uncertain:
            self.add_problem(
                f"nobody knows whether delivery {delivery.id[:12]} arrived, after "
                f"{delivery.uncertain_attempts + 1} doubts; it rests until "
                f"`caveat issue resend {delivery.issue_id[:8]} --uncertain`"
            )
        self._write(taken, DeliveryState.UNCERTAIN, reply, again if self.resend_uncertain else None)

    def _again_at(self, taken: LeasedDelivery) -> datetime | None:
        now, delivery = self.clock(), taken.delivery
        return retry.retry_at(delivery.id, delivery.attempts, first_at=delivery.planned_at or now, now=now)

    def _write(
        self,
        taken: LeasedDelivery,
        state: DeliveryState,
        reply: str = "",
        again: datetime | None = None,
        *,
        suppress: bool = False,
    ) -> None:
        mark = StateChange(taken.delivery.id, state, self.clock(), reply, again, suppress)
        self.ledger.outcome(taken.token, mark)
        if taken.delivery.transactional:
            TRANSACTIONAL.labels(state.value).inc()
            level = logging.INFO if state is DeliveryState.SENT else logging.WARNING
            log.log(level, "transactional mail: delivery %s is %s", taken.delivery.id[:12], state.value)
        self.counts[state] += 1
        self._done += 1
        self.progress(state, self._done, self.leases.leased_count)

    def add_problem(self, problem: str) -> None:
        """Add a sentence to the report."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems[problem] = None
