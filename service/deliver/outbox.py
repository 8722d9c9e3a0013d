"""Outbox: deliveries that this worker leased, handed to the lanes of a channel one by one."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from service.core.contracts import DeliverStore, Mark, MessageMaker, Progress
from service.core.errors import CaveatError
from service.core.model import (
    Blame,
    Deferred,
    Delivery,
    DeliveryState,
    Issue,
    Message,
    Outcome,
    Refused,
    Sent,
    Uncertain,
)
from service.deliver import retry
from service.deliver.ledger import Ledger

Clock = Callable[[], datetime]

KEPT_ISSUES = 8

log = structlog.get_logger("deliver")


@dataclass(frozen=True, slots=True)
class Terms:
    """How many deliveries are taken at once, for how long, and whether uncertain ones are sent again."""

    batch: int = 500
    lease: timedelta = timedelta(seconds=60)
    resend_uncertain: bool = True


@dataclass(frozen=True, slots=True)
class _Taken:
    """A delivery in hand, with the token of the batch that it came in."""

    delivery: Delivery
    token: str


class LeasedOutbox:
    """The outbox as one pass of deliver sees it; takes batch after batch until nothing is due.

    Every batch has a token of its own. A lease is prolonged while the pass is alive; a pass that was paused
    for longer than its lease does not send.
    """

    def __init__(
        self,
        store: DeliverStore,
        ledger: Ledger,
        make: MessageMaker,
        *,
        channel: str,
        terms: Terms,
        clock: Clock,
        new_token: Callable[[], str],
        stopping: asyncio.Event,
        progress: Progress,
    ) -> None:
        self._store, self._ledger, self._make = store, ledger, make
        self._channel, self._terms, self._clock = channel, terms, clock
        self._new_token, self._stopping, self._progress = new_token, stopping, progress
        self._queue: deque[_Taken] = deque()
        self._in_hand: dict[str, _Taken] = {}
        self._leases: dict[str, datetime] = {}
        self._issues: OrderedDict[str, Issue] = OrderedDict()
        self._taking = asyncio.Lock()
        self._seen, self._dry = 0, False
        self.counts: Counter[DeliveryState] = Counter()
        self.problems: dict[str, None] = {}

    # --- what a channel asks -------------------------------------------------------------------

    async def next(self) -> Message | None:
        """Return the next message, or None when nothing is due or the pass is to stop."""
        while not self._stopping.is_set():
            if not self._queue and not await self._take():
                return None
            if self._queue:
                taken = self._queue.popleft()
                issue = self._issues.get(taken.delivery.issue_id) or await self._fetch(taken.delivery)
                if message := self._made(taken, issue):
                    return message
        return None

    def ready(self) -> Message | None:
        """Return a message that is in hand already, or None."""
        while self._queue and not self._stopping.is_set():
            issue = self._issues.get(self._queue[0].delivery.issue_id)
            if issue is None:
                return None
            if message := self._made(self._queue.popleft(), issue):
                return message
        return None

    async def attempt(self, message: Message) -> bool:
        """Make the attempt durable; False when the delivery is not ours any more or must not be sent."""
        taken = self._in_hand[message.delivery_id]
        mark = Mark(message.delivery_id, DeliveryState.ATTEMPTING, self._clock())
        held = await self._ledger.write(taken.token, mark)
        if held and self._clock() < self._leases[taken.token]:
            return True
        if held:
            # Somebody else may hold it by the time of the write. It was not sent, so it may be tried again.
            self._postpone(taken, "the sender was paused for longer than its lease")
        del self._in_hand[message.delivery_id]
        return False

    def settle(self, message: Message, outcome: Outcome) -> None:
        """Write what came of the message."""
        self._settle(self._in_hand.pop(message.delivery_id), outcome)

    def put_back(self, message: Message) -> None:
        """Let another lane have the message."""
        self._queue.appendleft(self._in_hand.pop(message.delivery_id))

    # --- what the stage asks -------------------------------------------------------------------

    async def hold(self) -> None:
        """Prolong the leases for ever; cancelled when the pass is over."""
        while True:
            await asyncio.sleep(self._terms.lease.total_seconds() / 3)
            await self.extend()

    async def extend(self) -> None:
        """Prolong the leases of what is not finished, unless they ran out."""
        now = self._clock()
        unfinished = {taken.token for taken in (*self._queue, *self._in_hand.values())}
        for token in [token for token in self._leases if token not in unfinished]:
            del self._leases[token]
        for token, until in list(self._leases.items()):
            if now < until:
                try:
                    await self._store.extend(token, now + self._terms.lease)
                except CaveatError as error:
                    log.warning("the lease could not be prolonged", reason=str(error))
                else:
                    self._leases[token] = now + self._terms.lease

    async def give_back(self) -> None:
        """Wait for the last marks, then release what was not attempted."""
        await self._ledger.flush()
        for token in self._leases:
            await self._store.release(token)
        self._queue.clear()

    # --- inside --------------------------------------------------------------------------------

    async def _take(self) -> bool:
        """Take a batch; return False when nothing is due."""
        async with self._taking:
            if self._queue or self._dry:
                return bool(self._queue)
            now, token = self._clock(), self._new_token()
            lease_until = now + self._terms.lease
            batch = await self._store.take_batch(self._channel, token, now, lease_until, self._terms.batch)
            self.counts[DeliveryState.SUPPRESSED] += batch.suppressed
            if not batch.deliveries:
                self._dry = True
                return False
            self._leases[token] = lease_until
            self._queue.extend(_Taken(delivery, token) for delivery in batch.deliveries)
            self._seen += len(batch.deliveries)
            return True

    async def _fetch(self, delivery: Delivery) -> Issue | None:
        issue = await self._store.issue(delivery.issue_id)
        if issue is not None:
            self._issues[issue.id] = issue
            if len(self._issues) > KEPT_ISSUES:
                self._issues.popitem(last=False)
        return issue

    def _made(self, taken: _Taken, issue: Issue | None) -> Message | None:
        """Return the message; a delivery that cannot become one is refused and costs the others nothing."""
        try:
            message = self._make(_present(issue), taken.delivery)
        except Exception as error:  # noqa: BLE001 - one broken delivery must not cost the others their mail
            reason = str(error) or type(error).__name__
            self._problem(f"delivery {taken.delivery.id[:12]} cannot become a message: {reason}")
            self._settle(taken, Refused(f"no message: {reason}", Blame.MESSAGE))
            return None
        self._in_hand[message.delivery_id] = taken
        return message

    def _settle(self, taken: _Taken, outcome: Outcome) -> None:
        match outcome:
            case Sent(reply):
                self._write(taken, DeliveryState.SENT, reply)
            case Refused(reply, Blame.ADDRESS):
                self._write(taken, DeliveryState.REFUSED, reply, suppress=True)
            case Refused(reply, Blame.MESSAGE):
                self._write(taken, DeliveryState.REFUSED, reply)
            case Refused(reply, Blame.POLICY):
                self._problem(f"the mail server refuses our mail as such: {reply}")
                self._postpone(taken, reply)
            case Deferred(reply):
                self._postpone(taken, reply)
            case Uncertain(reply):
                again = self._again_at(taken) if self._terms.resend_uncertain else None
                self._write(taken, DeliveryState.UNCERTAIN, reply, again)

    def _postpone(self, taken: _Taken, reply: str) -> None:
        again = self._again_at(taken)
        if again is None:
            self._write(taken, DeliveryState.REFUSED, f"given up after three days: {reply}")
        else:
            self._write(taken, DeliveryState.DEFERRED, reply, again)

    def _again_at(self, taken: _Taken) -> datetime | None:
        now, delivery = self._clock(), taken.delivery
        return retry.next_attempt(
            delivery.id, delivery.attempts, first_at=delivery.planned_at or now, now=now
        )

    def _write(
        self,
        taken: _Taken,
        state: DeliveryState,
        reply: str = "",
        again: datetime | None = None,
        *,
        suppress: bool = False,
    ) -> None:
        mark = Mark(taken.delivery.id, state, self._clock(), reply, again, suppress)
        self._ledger.write(taken.token, mark)
        self.counts[state] += 1
        self._progress(state.value, sum(self.counts.values()), self._seen)

    def _problem(self, problem: str) -> None:
        if len(self.problems) < 20:
            self.problems[problem] = None


def _present(issue: Issue | None) -> Issue:
    if issue is None:
        raise CaveatError("its issue is not in the record")
    return issue
