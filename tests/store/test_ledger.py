"""The ledger against a plain model of it: after any steps of workers, in any order, both agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service.core import ids as identity
from service.core.model import Delivery, SubscriptionStatus
from service.core.model import DeliveryState as State
from service.deliver.ports import ResendPolicy, StateChange
from service.store.schema import deliveries, subscribers
from tests.builders import NOON, a_subscriber, an_edition
from tests.store.stores import DAY, MINUTE, Stores, a_desired_subscription, an_issue

OUTCOMES = (State.SENT, State.REFUSED, State.DEFERRED, State.UNCERTAIN)
UNFINISHED = (State.PLANNED, State.DEFERRED)
READERS = 3

_examples = count()


@dataclass
class ModelDelivery:
    """A delivery of the model; while it is leased, `due_at` is the end of the lease."""

    state: State = State.PLANNED
    due_at: datetime | None = NOON
    token: str | None = None
    attempts: int = 0
    uncertain_attempts: int = 0


@dataclass
class Model:
    """The rules of the ledger, in the plainest form."""

    deliveries: dict[str, ModelDelivery]
    suppressed: set[str] = field(default_factory=set)

    def expire_leases(self, now: datetime) -> int:
        expired = [
            delivery
            for delivery in self.deliveries.values()
            if delivery.state is State.ATTEMPTING and delivery.due_at and delivery.due_at <= now
        ]
        for delivery in expired:
            delivery.state, delivery.due_at, delivery.uncertain_attempts = (
                State.UNCERTAIN,
                now,
                delivery.uncertain_attempts + 1,
            )
        return len(expired)

    def due(self, now: datetime) -> set[str]:
        return {
            key
            for key, delivery in self.deliveries.items()
            if delivery.state in UNFINISHED and delivery.due_at and delivery.due_at <= now
        }

    def settle(self, now: datetime, again: ResendPolicy | None) -> int:
        uncertain = self.expire_leases(now)
        for delivery in self.deliveries.values():
            if delivery.state is not State.UNCERTAIN or (delivery.due_at and delivery.due_at > now):
                continue
            if (
                again
                and delivery.uncertain_attempts < again.max_uncertain_attempts
                and again.planned_after < NOON
            ):
                delivery.state, delivery.due_at = State.DEFERRED, now
            else:
                delivery.due_at = None
        return uncertain

    def apply(self, token: str, change: StateChange) -> bool:
        delivery = self.deliveries[change.delivery_id]
        if delivery.token != token:
            return False
        if change.state is not State.ATTEMPTING:
            delivery.attempts += delivery.state in UNFINISHED
            delivery.uncertain_attempts += (
                change.state is State.UNCERTAIN and delivery.state is not State.UNCERTAIN
            )
            again = change.next_attempt_at if change.state in (State.DEFERRED, State.UNCERTAIN) else None
            delivery.state, delivery.due_at, delivery.token = change.state, again, None
            return True
        if delivery.state is State.UNCERTAIN or delivery.due_at is None or delivery.due_at <= change.at:
            return False
        if change.delivery_id in self.suppressed:
            delivery.state, delivery.due_at, delivery.token = State.SUPPRESSED, None, None
            return False
        delivery.attempts += delivery.state is not State.ATTEMPTING
        delivery.state = State.ATTEMPTING
        return True


AGES = st.sampled_from((0, 0, 0, 0, 1, 2))
SOME = st.sampled_from(([0, 1, 2], [0, 1, 2], [0], [1, 2]))
OUTCOME = st.tuples(st.just("outcome"), AGES, SOME, st.sampled_from(OUTCOMES), st.sampled_from((None, 1, 2)))
TAKE = st.tuples(st.just("take"), st.sampled_from((1, READERS, READERS)))
ATTEMPT = st.tuples(st.just("attempt"), AGES, SOME)
WAIT = st.tuples(st.just("wait"), st.sampled_from((20, 60, 60)))
RESEND_POLICIES = (
    None,
    ResendPolicy(100, NOON - DAY),
    ResendPolicy(100, NOON - DAY),
    ResendPolicy(2, NOON - DAY),
    ResendPolicy(100, NOON),
)
SETTLE = st.tuples(st.just("settle"), st.sampled_from(RESEND_POLICIES))
BOTH = st.tuples(st.just("both"), AGES, SOME, SOME)
EXTEND, RELEASE = st.tuples(st.just("extend"), AGES), st.tuples(st.just("release"), AGES)
SUPPRESS = st.tuples(st.just("suppress"), st.integers(0, READERS - 1))
LEAVE = st.tuples(st.just("leave"), st.integers(0, READERS - 1))
STEPS = st.one_of(
    TAKE, TAKE, ATTEMPT, ATTEMPT, WAIT, WAIT, OUTCOME, OUTCOME, SETTLE, BOTH, EXTEND, RELEASE, SUPPRESS, LEAVE
)


@dataclass
class Example:
    """A running example: the real ledger, the model, and the clock of both."""

    stores: Stores
    channel: str
    issue_id: str
    subscriber_ids: list[str]
    rows: list[tuple[int, int]]
    model: Model
    now: datetime = NOON
    tokens: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [identity.delivery_id(self.issue_id, person, self.channel) for person in self.subscriber_ids]

    def change(self, n: int, *values: object) -> StateChange:
        """Return a change of the delivery to the subscriber with this index."""
        person = self.subscriber_ids[n]
        address = f"reader{n}@example.org"
        delivery = Delivery(self.ids[n], self.issue_id, person, self.channel, address, "", row=self.rows[n])
        return StateChange(delivery, *values)

    async def step(self, name: str, *rest: object) -> None:
        await getattr(self, name)(*rest)
        deliveries = await self.stores.queries.deliveries(self.issue_id)
        real = {delivery.id: (delivery.state, delivery.due_at, delivery.attempts) for delivery in deliveries}
        expected = {
            k: (delivery.state, delivery.due_at, delivery.attempts)
            for k, delivery in self.model.deliveries.items()
        }
        assert real == expected
        [issue] = await self.stores.queries.issues_by_prefix(self.issue_id)
        assert issue.books.closed

    async def take(self, limit: int) -> None:
        token = f"{self.channel}-{len(self.tokens)}"
        self.model.expire_leases(self.now)
        due = self.model.due(self.now)
        free = due - self.model.suppressed
        batch = await self.stores.deliver.take_batch(self.channel, token, self.now, self.now + MINUTE, limit)
        taken = {delivery.id for delivery in batch.deliveries}
        self.tokens.append(token)
        assert taken <= free
        assert bool(taken) == bool(free)
        assert len(taken) <= limit
        for delivery in batch.deliveries:
            expected = self.model.deliveries[delivery.id]
            assert (delivery.attempts, delivery.uncertain_attempts) == (
                expected.attempts,
                expected.uncertain_attempts,
            )
            expected.due_at, expected.token = self.now + MINUTE, token
        found = await self.stores.queries.deliveries(self.issue_id, states=[State.SUPPRESSED])
        passed_over = {delivery.id for delivery in found} & due
        assert passed_over <= self.model.suppressed
        assert len(passed_over) == batch.suppressed
        for key in passed_over:
            delivery = self.model.deliveries[key]
            delivery.state, delivery.due_at, delivery.token = State.SUPPRESSED, None, None

    async def write(self, token: str, changes: list[StateChange]) -> None:
        written = await self.stores.deliver.record_changes(token, changes)
        assert written == {change.delivery_id for change in changes if self.model.apply(token, change)}

    def token(self, age: int) -> str:
        """Return the token of the last batch but `age`, whose lease may have expired long ago."""
        return self.tokens[-1 - age] if age < len(self.tokens) else "unknown"

    async def attempt(self, age: int, some: list[int]) -> None:
        changes = [self.change(n, State.ATTEMPTING, self.now) for n in dict.fromkeys(some)]
        await self.write(self.token(age), changes)

    async def outcome(self, age: int, some: list[int], state: State, minutes: int | None) -> None:
        again = None if minutes is None else self.now + minutes * MINUTE
        if state is State.DEFERRED:
            again = again or self.now
        changes = [self.change(n, state, self.now, "so it was", again) for n in dict.fromkeys(some)]
        await self.write(self.token(age), changes)

    async def both(self, age: int, first: list[int], then: list[int]) -> None:
        """Write attempts and outcomes in one commit, some of them of the same deliveries."""
        changes = [self.change(n, State.ATTEMPTING, self.now) for n in dict.fromkeys(first)]
        changes += [self.change(n, State.SENT, self.now) for n in dict.fromkeys(then)]
        held = self.token(age)
        written = await self.stores.deliver.record_changes(held, changes)
        expected = [change.delivery_id for change in changes if self.model.apply(held, change)]
        assert written == set(expected)

    async def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    async def settle(self, again: ResendPolicy | None) -> None:
        uncertain = await self.stores.deliver.settle_uncertain(self.now, again)
        assert uncertain == self.model.settle(self.now, again)

    async def extend(self, age: int) -> None:
        held = self.token(age)
        await self.stores.deliver.extend(held, self.now + 2 * MINUTE)
        for delivery in self.model.deliveries.values():
            if delivery.token == held and delivery.state is not State.UNCERTAIN:
                delivery.due_at = self.now + 2 * MINUTE

    async def release(self, age: int) -> None:
        held = self.token(age)
        await self.stores.deliver.release(held)
        for delivery in self.model.deliveries.values():
            if delivery.token == held and delivery.state in UNFINISHED:
                delivery.due_at, delivery.token = NOON, None

    async def suppress(self, n: int) -> None:
        person = await self.stores.subscribers.memberships(subscriber_id=self.subscriber_ids[n])
        await self.stores.subscribers.suppress(person[0].subscriber.email, "complaint", self.now)
        self.model.suppressed.add(self.ids[n])

    async def leave(self, n: int) -> None:
        await self.stores.subscribers.set_status(
            self.subscriber_ids[n], None, SubscriptionStatus.UNSUBSCRIBED, self.now
        )
        self.model.suppressed.add(self.ids[n])


async def an_example(stores: Stores) -> Example:
    """Plan a new issue for new subscribers, in an empty ledger."""
    number = next(_examples)
    async with stores.database.write() as connection:
        await connection.execute(deliveries.delete())
    edition = an_edition(f"letter{number}")
    names = [f"reader{number}x{n}" for n in range(READERS)]
    desired = [a_desired_subscription(name, edition) for name in names]
    await stores.subscribers.add_subscriptions(desired, NOON, starts_after=NOON - DAY)
    [group] = await stores.compose.groups_of(edition.newsletter, None)
    issue, channel = an_issue(group), f"channel{number}"
    await stores.compose.record_issue(group, issue, NOON + DAY, channel)
    subscriber_ids = [a_subscriber(f"{name}@example.org").id for name in names]
    ids = [identity.delivery_id(issue.id, person, channel) for person in subscriber_ids]
    rows = await rows_of(stores, subscriber_ids)
    model = Model({key: ModelDelivery() for key in ids})
    return Example(stores, channel, issue.id, subscriber_ids, rows, model)


async def rows_of(stores: Stores, subscriber_ids: Sequence[str]) -> list[tuple[int, int]]:
    """Return the keys of these subscribers' deliveries in the ledger."""
    query = select(subscribers.c.id, deliveries.c.issue, deliveries.c.subscriber).join(
        subscribers, subscribers.c.number == deliveries.c.subscriber
    )
    async with stores.database.read() as connection:
        rows = {person: (issue, number) for person, issue, number in (await connection.execute(query)).all()}
    return [rows[person] for person in subscriber_ids]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=15, max_size=30))
async def test_the_ledger_does_what_the_model_does(stores: Stores, steps: list[tuple[str, ...]]):
    example = await an_example(stores)
    for name, *rest in steps:
        await example.step(name, *rest)
