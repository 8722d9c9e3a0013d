"""Outbox: leased deliveries, handed to the lanes of a channel one by one, and what came of each."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from service.core.contracts import DeliverStore, Mark, MessageMaker, Progress
from service.core.errors import CaveatError
from service.core.model import (
    Blame,
    Deferred,
    DeliveryState,
    Issue,
    Message,
    Outcome,
    Refused,
    Sent,
    Uncertain,
)
from service.deliver import retry
from service.deliver.accord import Accord
from service.deliver.breaker import Breaker
from service.deliver.issue_refusals import IssueRefusals, Ruling, whole_issue_refused
from service.deliver.leases import LOOK_AGAIN, Clock, Leases, Taken
from service.deliver.ledger import Ledger
from service.deliver.lines import Lines
from service.deliver.metrics import SENDING, TRANSACTIONAL
from service.deliver.pace import Pace

KEPT_ISSUES = 8
MOST_WAITING = 1000
MOST_PROBLEMS = 20

log = logging.getLogger("deliver")


class LeasedOutbox:
    """The outbox as one pass of deliver sees it: batch after batch until nothing is due.

    A message is handed out when the pace allows it and the breaker lets it through. `pause` waits (seconds);
    tests give another one.
    """

    def __init__(
        self,
        store: DeliverStore,
        leases: Leases,
        ledger: Ledger,
        make: MessageMaker,
        *,
        pace: Pace,
        breaker: Breaker,
        accord: Accord,
        issue_refusals: IssueRefusals,
        resend_uncertain: bool,
        clock: Clock,
        stopping: asyncio.Event,
        progress: Progress,
        pause: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._store, self._leases, self._ledger, self._make = store, leases, ledger, make
        self._pace, self._breaker, self._accord = pace, breaker, accord
        self._issue_refusals = issue_refusals
        # Issues to pause; and those that are paused, with the batches that held deliveries of theirs.
        self._to_pause: set[str] = set()
        self._paused: dict[str, frozenset[str]] = {}
        self._resend_uncertain = resend_uncertain
        self._clock, self._stopping, self._progress = clock, stopping, progress
        self._pause = pause or self._pause_or_stop
        self._in_hand: dict[str, Taken] = {}
        # Those whose domain may not be sent to yet.
        self._lines = Lines(pace)
        # What a lane gave back: made already, and the pace has been paid for.
        self._returned: deque[tuple[Taken, Message]] = deque()
        self._issues: OrderedDict[str, Issue] = OrderedDict()
        self._moved = asyncio.Event()
        self._now = asyncio.get_running_loop().time
        self._done = 0
        self.counts: Counter[DeliveryState] = Counter()
        self.problems: dict[str, None] = {}

    # --- what a channel asks -------------------------------------------------------------------

    async def next(self) -> Message | None:
        """Return the next message, or None when nothing is due or the pass is to stop."""
        while not self._stopping.is_set():
            await self._pause_issues()
            await self._leases.take_transactional()
            if message := self.ready():
                return message
            now = self._clock()
            if self._breaker.wants_word(now):
                await self._accord.confer()
                if not self._breaker.is_open(self._clock()):
                    continue
            if self._breaker.is_open(now):
                return None
            first = self._first(now.timestamp())
            if first is None and len(self._lines) < MOST_WAITING and await self._leases.take():
                continue
            if first is not None and first.delivery.issue_id not in self._issues:
                await self._fetch(first)
                continue
            if first is None and not self._lines:
                if not self._in_hand:
                    return None
                await self._lull()
                continue
            in_hand = len(self._leases.queue) + len(self._lines)
            seconds = await self._accord.wait(self._lines, in_hand, ready=first is not None)
            await self._pause(max(seconds, 0.001))
        return None

    def ready(self) -> Message | None:
        """Return a message that may leave at this moment, or None."""
        while not (self._stopping.is_set() or self._to_pause):
            now = self._clock()
            if self._returned and self._breaker.lets_through(now):
                taken, returned = self._returned.popleft()
                self._in_hand[returned.delivery_id] = taken
                return returned
            seconds = now.timestamp()
            first = self._first(seconds)
            if first is None or first.delivery.issue_id not in self._issues:
                return None
            if self._pace.limited and self._pace.wait(seconds):
                return None
            if not self._breaker.lets_through(now):
                return None
            self._pop(seconds)
            if first.token in self._paused.get(first.delivery.issue_id, ()):
                self._breaker.undecided()
                self._leases.finished(first)
                continue
            if message := self._made(first):
                if self._pace.limited:
                    self._pace.leave(seconds)
                return message
        return None

    async def attempt(self, message: Message) -> bool:
        """Make the attempt durable; False when the delivery is not ours any more or must not be sent."""
        taken = self._in_hand[message.delivery_id]
        mark = Mark(message.delivery_id, DeliveryState.ATTEMPTING, self._clock())
        held = await self._ledger.attempt(taken.token, mark)
        if held and self._leases.holds(taken, self._clock()):
            taken.attempted_at = self._now()
            SENDING.attempted()
            return True
        if held:
            # Somebody else may hold it by the time of the write. It was not sent, so it may be tried again.
            self._postpone(taken, "the sender was paused for longer than its lease")
        self._breaker.undecided()
        self._leases.finished(self._out_of_hand(message))
        return False

    def settle(self, message: Message, outcome: Outcome) -> None:
        """Write what came of the message."""
        self._settle(self._out_of_hand(message), outcome)

    def put_back(self, message: Message) -> None:
        """Let another lane have the message."""
        self._breaker.undecided()
        self._returned.append((self._in_hand.pop(message.delivery_id), message))
        self._moved.set()

    # --- inside --------------------------------------------------------------------------------

    def _out_of_hand(self, message: Message) -> Taken:
        """Take the message's delivery out of hand; whoever waits for the last one hears of it."""
        taken = self._in_hand.pop(message.delivery_id)
        if not self._in_hand:
            self._moved.set()
        return taken

    def _first(self, now: float) -> Taken | None:
        """Return the delivery whose turn it is; None when the queue is empty, or holds paced ones alone."""
        queue = self._leases.queue
        if not self._pace.by_domain:
            return queue[0] if queue else None
        while (first := self._lines.first(now)) is None and queue:
            self._lines.join(queue.popleft(), now)
        return first

    def _pop(self, now: float) -> None:
        """Take the first one out."""
        if self._pace.by_domain:
            self._lines.leave(now)
        else:
            self._leases.queue.popleft()

    async def _pause_issues(self) -> None:
        """Pause the issues whose every message the server refuses; their deliveries wait for the operator."""
        while self._to_pause:
            issue_id = self._to_pause.pop()
            await self._ledger.flush()
            self._paused[issue_id] = self._leases.tokens()
            await self._store.pause(issue_id, self._clock())

    async def _lull(self) -> None:
        """Wait a moment for the other lanes: one that is kept waiting must not hold up what comes due.

        Ends when none is at work any more, when one gives a message back, or after a moment.
        """
        self._moved.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), LOOK_AGAIN)

    async def _fetch(self, taken: Taken) -> None:
        """Get the delivery's issue; without one the delivery is refused."""
        issue = await self._store.issue(taken.delivery.issue_id)
        if issue is not None:
            self._issues[issue.id] = issue
            if len(self._issues) > KEPT_ISSUES:
                self._issues.popitem(last=False)
        elif self._first(now := self._clock().timestamp()) is taken:
            self._pop(now)
            self._unmade(taken, "its issue is not in the record")

    def _made(self, taken: Taken) -> Message | None:
        """Return the message; a delivery that cannot become one is refused and costs the others nothing."""
        try:
            message = self._make(self._issues[taken.delivery.issue_id], taken.delivery)
        except Exception as error:
            self._breaker.undecided()
            if not isinstance(error, CaveatError):
                log.exception("delivery %s cannot become a message", taken.delivery.id)
            self._unmade(taken, str(error) or type(error).__name__)
            return None
        self._in_hand[message.delivery_id] = taken
        return message

    def _unmade(self, taken: Taken, reason: str) -> None:
        self._problem(f"delivery {taken.delivery.id[:12]} cannot become a message: {reason}")
        SENDING.ended(refusal := Refused(f"no message: {reason}", Blame.MESSAGE))
        self._write(taken, DeliveryState.REFUSED, refusal.reply)
        self._leases.finished(taken)

    def _settle(self, taken: Taken, outcome: Outcome) -> None:
        self._measure(taken, outcome)
        match outcome:
            case Sent(reply):
                self._breaker.taken()
                self._issue_refusals.accepted(taken.delivery.issue_id)
                self._write(taken, DeliveryState.SENT, reply)
            case Refused(reply, Blame.POLICY):
                reason = f"the mail server refuses our mail as such: {reply}"
                self._breaker.refused(reason, self._clock(), recipient=taken.delivery.address)
                self._postpone(taken, reply)
            case Refused(reply, Blame.ADDRESS):
                self._breaker.undecided()
                self._write(taken, DeliveryState.REFUSED, reply, suppress=True)
            case Refused(reply):
                self._breaker.undecided()
                self._message_refused(taken, outcome)
            case Deferred(reply):
                self._breaker.undecided()
                self._postpone(taken, reply)
            case Uncertain(reply):
                self._breaker.undecided()
                self._doubted(taken, reply)
        self._leases.finished(taken)

    def _message_refused(self, taken: Taken, refusal: Refused) -> None:
        """Decide whether it is this message that is refused or the whole issue."""
        issue_id, reply = taken.delivery.issue_id, refusal.reply
        ruling = self._issue_refusals.refused(issue_id, taken.delivery.address, refusal)
        if ruling is Ruling.FINAL:
            self._write(taken, DeliveryState.REFUSED, reply)
            return
        self._postpone(taken, reply)
        if ruling is Ruling.PAUSE_ISSUE:
            self._to_pause.add(issue_id)
            self._problem(whole_issue_refused(refusal, issue_id[:8]))
        elif refusal.blame is Blame.SIZE:
            self._problem(f"delivery {taken.delivery.id[:12]} is not sent yet: {reply}; it is tried again")

    def _measure(self, taken: Taken, outcome: Outcome) -> None:
        SENDING.ended(outcome)
        if taken.attempted_at:
            SENDING.heard(self._now() - taken.attempted_at)
        if isinstance(outcome, Sent) and taken.delivery.planned_at:
            SENDING.arrived((self._clock() - taken.delivery.planned_at).total_seconds())

    def _postpone(self, taken: Taken, reply: str) -> None:
        again = self._again_at(taken)
        if again is None:
            self._write(taken, DeliveryState.REFUSED, f"given up after three days: {reply}")
        else:
            self._write(taken, DeliveryState.DEFERRED, reply, again)

    def _doubted(self, taken: Taken, reply: str) -> None:
        now, delivery = self._clock(), taken.delivery
        first_at = delivery.planned_at or now
        again = retry.after_doubt(delivery.id, delivery.attempts, delivery.doubts, first_at=first_at, now=now)
        if again is None and self._resend_uncertain:
            self._problem(
                f"nobody knows whether delivery {delivery.id[:12]} arrived, after "
                f"{delivery.doubts + 1} doubts; it rests until "
                f"`caveat issue resend {delivery.issue_id[:8]} --uncertain`"
            )
        self._write(taken, DeliveryState.UNCERTAIN, reply, again if self._resend_uncertain else None)

    def _again_at(self, taken: Taken) -> datetime | None:
        now, delivery = self._clock(), taken.delivery
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
        mark = Mark(taken.delivery.id, state, self._clock(), reply, again, suppress)
        self._ledger.outcome(taken.token, mark)
        if taken.delivery.transactional:
            TRANSACTIONAL.labels(state.value).inc()
            level = logging.INFO if state is DeliveryState.SENT else logging.WARNING
            log.log(level, "transactional mail: delivery %s is %s", taken.delivery.id[:12], state.value)
        self.counts[state] += 1
        self._done += 1
        self._progress(state, self._done, self._leases.taken)

    def _problem(self, problem: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems[problem] = None

    async def _pause_or_stop(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
