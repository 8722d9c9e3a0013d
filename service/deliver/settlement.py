"""Settlement: what came of each delivery, written to the ledger and told to those who learn from it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from service.core.model import (
    Blame,
    Deferred,
    DeliveryState,
    Outcome,
    Refused,
    Sent,
    Throttle,
    Uncertain,
)
from service.core.progress import Progress
from service.deliver import retry
from service.deliver.leases import Clock, Leases, Taken
from service.deliver.ledger import Ledger
from service.deliver.limits.circuit_breaker import Breaker
from service.deliver.limits.issue_refusals import IssueRefusals, Ruling, whole_issue_refused
from service.deliver.limits.rate_limit import Pace
from service.deliver.metrics import SENDING, THROTTLED, TRANSACTIONAL
from service.deliver.ports import Mark

log = logging.getLogger("deliver")

MOST_PROBLEMS = 20
MOST_THROTTLED = 5  # times that one delivery is refused for our rate and kept in hand


@dataclass(slots=True)
class Settlement:
    """Settles the deliveries of one pass. `to_pause` are issues that the server refuses as a whole."""

    ledger: Ledger
    leases: Leases
    pace: Pace
    breaker: Breaker
    issue_refusals: IssueRefusals
    resend_uncertain: bool
    clock: Clock
    progress: Progress
    counts: Counter[DeliveryState] = field(default_factory=Counter)
    problems: dict[str, None] = field(default_factory=dict)
    to_pause: set[str] = field(default_factory=set)
    _done: int = 0

    def unmade(self, taken: Taken, reason: str) -> None:
        """Refuse a delivery that cannot become a message."""
        self.problem(f"delivery {taken.delivery.id[:12]} cannot become a message: {reason}")
        SENDING.ended(refusal := Refused(f"no message: {reason}", Blame.MESSAGE))
        self._write(taken, DeliveryState.REFUSED, refusal.reply)
        self.leases.finished(taken)

    def settle(self, taken: Taken, outcome: Outcome) -> None:
        """Write what came of the delivery, or keep it in hand when only our rate was refused."""
        if isinstance(outcome, Deferred) and outcome.throttle is not None:
            self._throttled(taken, outcome.reply, outcome.throttle)
            return
        self._measure(taken, outcome)
        if outcome.reply[:3].isdigit():
            self.pace.accepted(taken.domain, self.clock(), probe=taken.probe)
        match outcome:
            case Sent(reply):
                self.breaker.taken()
                self.issue_refusals.accepted(taken.delivery.issue_id)
                self._write(taken, DeliveryState.SENT, reply)
            case Refused(reply, Blame.POLICY):
                reason = f"the mail server refuses our mail as such: {reply}"
                self.breaker.refused(reason, self.clock(), recipient=taken.delivery.address)
                self.postpone(taken, reply)
            case Refused(reply, Blame.ADDRESS):
                self.breaker.undecided()
                self._write(taken, DeliveryState.REFUSED, reply, suppress=True)
            case Refused(reply):
                self.breaker.undecided()
                self._message_refused(taken, outcome)
            case Deferred(reply):
                self.breaker.undecided()
                self.postpone(taken, reply)
            case Uncertain(reply):
                self.breaker.undecided()
                self._doubted(taken, reply)
        self.leases.finished(taken)

    def _throttled(self, taken: Taken, reply: str, who: Throttle) -> None:
        """Let the delivery wait until the rate that all workers share permits it; it is not given up.

        A domain that says so for three days is given up like any other.
        """
        now, taken.throttled = self.clock(), taken.throttled + 1
        self.breaker.undecided()
        self.pace.throttled(taken.domain, who, reply, now)
        THROTTLED.labels(who.value).inc()
        if not taken.attempted_at and taken.throttled <= MOST_THROTTLED:
            taken.probe = False
            self.leases.queue.append(taken)
            return
        self._measure(taken, Deferred(reply))
        if who is Throttle.DOMAIN and self._again_at(taken) is None:
            self.postpone(taken, reply)
        else:
            times = taken.delivery.attempts + taken.throttled
            again = retry.after_throttling(taken.delivery.id, times, now)
            self._write(taken, DeliveryState.DEFERRED, reply, again)
        self.leases.finished(taken)

    def _message_refused(self, taken: Taken, refusal: Refused) -> None:
        """Decide whether it is this message that is refused or the whole issue."""
        issue_id, reply = taken.delivery.issue_id, refusal.reply
        ruling = self.issue_refusals.refused(issue_id, taken.delivery.address, refusal)
        if ruling is Ruling.FINAL:
            self._write(taken, DeliveryState.REFUSED, reply)
            return
        self.postpone(taken, reply)
        if ruling is Ruling.PAUSE_ISSUE:
            self.to_pause.add(issue_id)
            self.problem(whole_issue_refused(refusal, issue_id[:8]))
        elif refusal.blame is Blame.SIZE:
            self.problem(f"delivery {taken.delivery.id[:12]} is not sent yet: {reply}; it is tried again")

    def _measure(self, taken: Taken, outcome: Outcome) -> None:
        SENDING.ended(outcome)
        if taken.attempted_at:
            SENDING.heard(asyncio.get_running_loop().time() - taken.attempted_at)
        if isinstance(outcome, Sent) and taken.delivery.planned_at:
            SENDING.arrived((self.clock() - taken.delivery.planned_at).total_seconds())

    def postpone(self, taken: Taken, reply: str) -> None:
        """Let the delivery be tried again later, or give it up."""
        again = self._again_at(taken)
        if again is None:
            self._write(taken, DeliveryState.REFUSED, f"given up after three days: {reply}")
        else:
            self._write(taken, DeliveryState.DEFERRED, reply, again)

    def _doubted(self, taken: Taken, reply: str) -> None:
        now, delivery = self.clock(), taken.delivery
        first_at = delivery.planned_at or now
        again = retry.after_doubt(delivery.id, delivery.attempts, delivery.doubts, first_at=first_at, now=now)
        if again is None and self.resend_uncertain:
            self.problem(
                f"nobody knows whether delivery {delivery.id[:12]} arrived, after "
                f"{delivery.doubts + 1} doubts; it rests until "
                f"`caveat issue resend {delivery.issue_id[:8]} --uncertain`"
            )
        self._write(taken, DeliveryState.UNCERTAIN, reply, again if self.resend_uncertain else None)

    def _again_at(self, taken: Taken) -> datetime | None:
        now, delivery = self.clock(), taken.delivery
        return retry.next_attempt(
            delivery.id, delivery.attempts, first_at=delivery.planned_at or now, now=now
        )

    def _write(
        self,
        taken: Taken,
        state: DeliveryState,
        reply: str = "",
        again: datetime | None = None,
        *,
        suppress: bool = False,
    ) -> None:
        mark = Mark(taken.delivery.id, state, self.clock(), reply, again, suppress)
        self.ledger.outcome(taken.token, mark)
        if taken.delivery.transactional:
            TRANSACTIONAL.labels(state.value).inc()
            level = logging.INFO if state is DeliveryState.SENT else logging.WARNING
            log.log(level, "transactional mail: delivery %s is %s", taken.delivery.id[:12], state.value)
        self.counts[state] += 1
        self._done += 1
        self.progress(state, self._done, self.leases.taken)

    def problem(self, problem: str) -> None:
        """Add a sentence to the report."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems[problem] = None
