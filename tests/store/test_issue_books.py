"""The stored numbers of finished issues: never other numbers than the ledger's."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from service.core.model import DeliveryState as State
from service.core.model import Issue
from service.core.read_models import IssueDetails
from service.deliver.ports import ResendPolicy
from service.store import issue_books
from service.store.database import Database
from service.store.issue_books import IssueBooks
from service.store.schema import deliveries
from service.store.schema import issue_books as books_table
from tests.builders import NOON
from tests.store.stores import DAY, Stores, an_issue


@pytest.fixture
def books(database: Database) -> IssueBooks:
    return IssueBooks(database)


async def sent_issue(stores: Stores, *names: str, last: State = State.REFUSED) -> Issue:
    """Send an issue to these people; the last of them ends in the state `last`."""
    await stores.subscribe(*names)
    group = await stores.due_group(NOON)
    issue = an_issue(group)
    await stores.compose.record_issue(group, issue, NOON + DAY, "file")
    batch = await stores.take_batch("worker")
    await stores.record_state("worker", batch.deliveries, State.ATTEMPTING)
    await stores.record_state("worker", batch.deliveries[:-1], State.SENT)
    await stores.record_state("worker", batch.deliveries[-1:], last)
    return issue


async def details(stores: Stores, issue: Issue) -> IssueDetails:
    [found] = await stores.queries.issues_by_prefix(issue.id)
    return found


async def stored(stores: Stores) -> int:
    async with stores.database.read() as connection:
        return len((await connection.execute(select(books_table))).all())


async def test_a_finished_issue_is_counted_once(stores, books):
    issue = await sent_issue(stores, "amina", "ben", "chloe")
    before = (await details(stores, issue)).books
    assert await books.store_finished() == 1
    assert await books.store_finished() == 0
    after = (await details(stores, issue)).books
    assert before == after
    assert (after.due, after.sent, after.refused, after.closed) == (3, 2, 1, True)


@pytest.mark.parametrize("state", [State.ATTEMPTING, State.DEFERRED])
async def test_an_issue_with_a_delivery_that_is_not_finished_is_not_stored(stores, books, state):
    await sent_issue(stores, "amina", "ben", last=state)
    assert await books.store_finished() == 0


async def test_a_resend_is_counted_again(stores, books):
    issue = await sent_issue(stores, "amina", "ben")
    await books.store_finished()
    await stores.deliver.resend(issue.id, [State.REFUSED], NOON)
    assert (await details(stores, issue)).books.waiting == 1
    assert await books.store_finished() == 0
    batch = await stores.take_batch("worker")
    await stores.record_state("worker", batch.deliveries, State.ATTEMPTING)
    await stores.record_state("worker", batch.deliveries, State.SENT)
    assert (await details(stores, issue)).books.sent == 2
    assert await books.store_finished() == 1
    assert (await details(stores, issue)).books.sent == 2


async def test_an_uncertain_delivery_that_is_sent_again_is_counted_again(stores, books):
    issue = await sent_issue(stores, "amina", "ben", last=State.UNCERTAIN)
    assert await books.store_finished() == 1
    assert (await details(stores, issue)).books.uncertain == 1
    await stores.deliver.settle_uncertain(NOON, ResendPolicy(3, NOON - DAY))
    found = (await details(stores, issue)).books
    assert (found.uncertain, found.waiting, found.closed) == (0, 1, True)


async def test_every_finished_state_is_stored(stores, books):
    issue = await sent_issue(stores, *(f"reader{number}" for number in range(len(issue_books.ENDED))))
    async with stores.database.write() as connection:
        people = (await connection.scalars(select(deliveries.c.subscriber))).all()
        for person, state in zip(people, issue_books.ENDED, strict=True):
            this = update(deliveries).where(deliveries.c.subscriber == person)
            await connection.execute(this.values(state=state, due_at=None))
    await books.store_finished()
    found = (await details(stores, issue)).books
    assert all(getattr(found, state.value) == 1 for state in issue_books.ENDED)
    assert found.closed


async def test_the_numbers_of_mails_by_day(stores, books):
    await sent_issue(stores, "amina", "ben", "chloe")
    await books.store_finished()
    days = [NOON - 2 * DAY, NOON - DAY, NOON, NOON + DAY]
    assert await books.by_day(days) == [(0, 0, 0), (0, 0, 0), (2, 1, 0)]
