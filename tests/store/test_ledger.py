"""The ledger against a plain model of it: whatever workers do, in whatever order, both say the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.core import ids as identity
from service.core.model import DeliveryState as State
from service.core.model import SubscriptionStatus
from service.deliver.ports import ResendPolicy, StateChange
from service.store.schema import deliveries
from tests.builders import NOON, a_subscriber, an_edition
from tests.store.stores import DAY, MINUTE, Stores, a_desired_subscription, an_issue

OUTCOMES = (State.SENT, State.REFUSED, State.DEFERRED, State.UNCERTAIN)
UNFINISHED = (State.PLANNED, State.DEFERRED)
READERS = 3

_examples = count()


@dataclass
class Line:
    """One delivery as the model knows it; `due_at` is also the end of the lease of one that is held."""

    state: State = State.PLANNED
    due_at: datetime | None = NOON
    token: str | None = None
    attempts: int = 0
    doubts: int = 0


@dataclass
class Model:
    """The rules of the ledger, written down as plainly as they can be."""

    lines: dict[str, Line]
    barred: set[str] = field(default_factory=set)

    def doubt(self, now: datetime) -> int:
        over = [
            line
            for line in self.lines.values()
            if line.state is State.ATTEMPTING and line.due_at and line.due_at <= now
        ]
        for line in over:
            line.state, line.due_at, line.doubts = State.UNCERTAIN, now, line.doubts + 1
        return len(over)

    def due(self, now: datetime) -> set[str]:
        return {
            key
            for key, line in self.lines.items()
            if line.state in UNFINISHED and line.due_at and line.due_at <= now
        }

    def settle(self, now: datetime, again: ResendPolicy | None) -> int:
        turned = self.doubt(now)
        for line in self.lines.values():
            if line.state is not State.UNCERTAIN or (line.due_at and line.due_at > now):
                continue
            if again and line.doubts < again.max_uncertain_attempts and again.planned_after < NOON:
                line.state, line.due_at = State.DEFERRED, now
            else:
                line.due_at = None
        return turned

    def mark(self, token: str, mark: StateChange) -> bool:
        line = self.lines[mark.delivery_id]
        if line.token != token:
            return False
        if mark.state is not State.ATTEMPTING:
            line.attempts += line.state in UNFINISHED
            line.doubts += mark.state is State.UNCERTAIN and line.state is not State.UNCERTAIN
            again = mark.next_attempt_at if mark.state in (State.DEFERRED, State.UNCERTAIN) else None
            line.state, line.due_at, line.token = mark.state, again, None
            return True
        if line.state is State.UNCERTAIN or line.due_at is None or line.due_at <= mark.at:
            return False
        if mark.delivery_id in self.barred:
            line.state, line.due_at, line.token = State.SUPPRESSED, None, None
            return False
        line.attempts += line.state is not State.ATTEMPTING
        line.state = State.ATTEMPTING
        return True


AGES = st.sampled_from((0, 0, 0, 0, 1, 2))
SOME = st.sampled_from(([0, 1, 2], [0, 1, 2], [0], [1, 2]))
OUTCOME = st.tuples(st.just("outcome"), AGES, SOME, st.sampled_from(OUTCOMES), st.sampled_from((None, 1, 2)))
TAKE = st.tuples(st.just("take"), st.sampled_from((1, READERS, READERS)))
ATTEMPT = st.tuples(st.just("attempt"), AGES, SOME)
WAIT = st.tuples(st.just("wait"), st.sampled_from((20, 60, 60)))
AGAIN = (
    None,
    ResendPolicy(100, NOON - DAY),
    ResendPolicy(100, NOON - DAY),
    ResendPolicy(2, NOON - DAY),
    ResendPolicy(100, NOON),
)
SETTLE = st.tuples(st.just("settle"), st.sampled_from(AGAIN))
BOTH = st.tuples(st.just("both"), AGES, SOME, SOME)
EXTEND, RELEASE = st.tuples(st.just("extend"), AGES), st.tuples(st.just("release"), AGES)
SUPPRESS = st.tuples(st.just("suppress"), st.integers(0, READERS - 1))
LEAVE = st.tuples(st.just("leave"), st.integers(0, READERS - 1))
STEPS = st.one_of(
    TAKE, TAKE, ATTEMPT, ATTEMPT, WAIT, WAIT, OUTCOME, OUTCOME, SETTLE, BOTH, EXTEND, RELEASE, SUPPRESS, LEAVE
)


@dataclass
class Run:
    """One example under way: the real ledger, the model, and a clock that both are told."""

    stores: Stores
    channel: str
    issue_id: str
    people: list[str]
    model: Model
    now: datetime = NOON
    tokens: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [identity.delivery_id(self.issue_id, person, self.channel) for person in self.people]

    async def step(self, name: str, *rest: object) -> None:
        await getattr(self, name)(*rest)
        lines = await self.stores.queries.deliveries(self.issue_id)
        real = {line.id: (line.state, line.due_at, line.attempts) for line in lines}
        expected = {k: (line.state, line.due_at, line.attempts) for k, line in self.model.lines.items()}
        assert real == expected
        [issue] = await self.stores.queries.issues_by_prefix(self.issue_id)
        assert issue.books.closed

    async def take(self, limit: int) -> None:
        token = f"{self.channel}-{len(self.tokens)}"
        self.model.doubt(self.now)
        due = self.model.due(self.now)
        free = due - self.model.barred
        batch = await self.stores.deliver.take_batch(self.channel, token, self.now, self.now + MINUTE, limit)
        taken = {delivery.id for delivery in batch.deliveries}
        self.tokens.append(token)
        assert taken <= free
        assert bool(taken) == bool(free)
        assert len(taken) <= limit
        for delivery in batch.deliveries:
            line = self.model.lines[delivery.id]
            assert (delivery.attempts, delivery.uncertain_attempts) == (line.attempts, line.doubts)
            line.due_at, line.token = self.now + MINUTE, token
        found = await self.stores.queries.deliveries(self.issue_id, states=[State.SUPPRESSED])
        passed_over = {line.id for line in found} & due
        assert passed_over <= self.model.barred
        assert len(passed_over) == batch.suppressed
        for key in passed_over:
            line = self.model.lines[key]
            line.state, line.due_at, line.token = State.SUPPRESSED, None, None

    async def write(self, token: str, marks: list[StateChange]) -> None:
        written = await self.stores.deliver.record_changes(token, marks)
        assert written == {mark.delivery_id for mark in marks if self.model.mark(token, mark)}

    def token(self, age: int) -> str:
        """Return the token of the last batch but `age`: its worker may have been given up long ago."""
        return self.tokens[-1 - age] if age < len(self.tokens) else "nobody's"

    async def attempt(self, age: int, some: list[int]) -> None:
        marks = [StateChange(self.ids[n], State.ATTEMPTING, self.now) for n in dict.fromkeys(some)]
        await self.write(self.token(age), marks)

    async def outcome(self, age: int, some: list[int], state: State, minutes: int | None) -> None:
        again = None if minutes is None else self.now + minutes * MINUTE
        if state is State.DEFERRED:
            again = again or self.now
        marks = [StateChange(self.ids[n], state, self.now, "so it was", again) for n in dict.fromkeys(some)]
        await self.write(self.token(age), marks)

    async def both(self, age: int, first: list[int], then: list[int]) -> None:
        """Write attempts and outcomes in one commit, some of them of the same deliveries."""
        marks = [StateChange(self.ids[n], State.ATTEMPTING, self.now) for n in dict.fromkeys(first)]
        marks += [StateChange(self.ids[n], State.SENT, self.now) for n in dict.fromkeys(then)]
        held = self.token(age)
        written = await self.stores.deliver.record_changes(held, marks)
        expected = [mark.delivery_id for mark in marks if self.model.mark(held, mark)]
        assert written == set(expected)

    async def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    async def settle(self, again: ResendPolicy | None) -> None:
        turned = await self.stores.deliver.settle_uncertain(self.now, again)
        assert turned == self.model.settle(self.now, again)

    async def extend(self, age: int) -> None:
        held = self.token(age)
        await self.stores.deliver.extend(held, self.now + 2 * MINUTE)
        for line in self.model.lines.values():
            if line.token == held and line.state is not State.UNCERTAIN:
                line.due_at = self.now + 2 * MINUTE

    async def release(self, age: int) -> None:
        held = self.token(age)
        await self.stores.deliver.release(held)
        for line in self.model.lines.values():
            if line.token == held and line.state in UNFINISHED:
                line.due_at, line.token = NOON, None

    async def suppress(self, n: int) -> None:
        person = await self.stores.subscribers.memberships(subscriber_id=self.people[n])
        await self.stores.subscribers.suppress(person[0].subscriber.email, "complaint", self.now)
        self.model.barred.add(self.ids[n])

    async def leave(self, n: int) -> None:
        await self.stores.subscribers.set_status(
            self.people[n], None, SubscriptionStatus.UNSUBSCRIBED, self.now
        )
        self.model.barred.add(self.ids[n])


async def a_run(stores: Stores) -> Run:
    """Plan an issue of its own for people of its own, in an empty ledger."""
    number = next(_examples)
    async with stores.database.write() as connection:
        await connection.execute(deliveries.delete())
    edition = an_edition(f"letter{number}")
    names = [f"reader{number}x{n}" for n in range(READERS)]
    placements = [a_desired_subscription(name, edition) for name in names]
    await stores.subscribers.add_subscriptions(placements, NOON, starts_after=NOON - DAY)
    [group] = await stores.compose.groups_of(edition.newsletter, None)
    issue, channel = an_issue(group), f"channel{number}"
    await stores.compose.record_issue(group, issue, NOON + DAY, channel)
    people = [a_subscriber(f"{name}@example.org").id for name in names]
    ids = [identity.delivery_id(issue.id, person, channel) for person in people]
    return Run(stores, channel, issue.id, people, Model({key: Line() for key in ids}))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=15, max_size=30))
async def test_the_ledger_does_what_the_model_does(stores: Stores, steps: list[tuple[str, ...]]):
    run = await a_run(stores)
    for name, *rest in steps:
        await run.step(name, *rest)
