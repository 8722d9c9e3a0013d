"""Issues cancelled while workers send them: the server's list of accepted messages decides what was sent."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from service.core.ids import delivery_id
from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.leases import DeliverPolicy
from service.deliver.stage import Deliverer, deliver
from service.store.cancel import SqlCancellation
from service.store.compose import SqlComposeStore
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from service.store.queries import Queries
from service.store.subscribers import SqlSubscriberStore
from tests.builders import NOON
from tests.deliver.fakes import Clock, a_message_builder, a_relay_at, an_issue
from tests.deliver.planning import DAY, plan_issue
from tests.deliver.server import ANY, MailServer, Reply

READERS = 40


async def send(database: Database, server: MailServer, clock: Clock, workers: int = 1) -> None:
    """Send with some workers until nothing is due."""
    store = SqlDeliverStore(database)
    channels = [SmtpChannel(a_relay_at(server.port), a_message_builder()) for _ in range(workers)]
    crew = [Deliverer(store, channel, DeliverPolicy(batch_size=7)) for channel in channels]
    await asyncio.gather(*(deliver(one, now=clock) for one in crew))
    await asyncio.gather(*(channel.close() for channel in channels))


async def cursors(database: Database) -> dict[str, int]:
    """Return each subscriber's cursor, by id."""
    members = await SqlSubscriberStore(database).memberships()
    return {member.subscriber.id: member.subscription.served_through for member in members}


async def plan_the_next_issue(database: Database) -> str:
    """Plan tomorrow's issue for each group; return the id of the one that begins at 0."""
    compose = SqlComposeStore(database)
    for group in await compose.due_groups(NOON + DAY):
        issue = an_issue(
            id=f"{group.served_through:032}",
            edition_key=group.edition_key,
            served_from=group.served_through,
            served_through=9,
            due_at=NOON + DAY,
        )
        await compose.record_issue(group, issue, NOON + 2 * DAY, "smtp")
    return f"{0:032}"


@pytest.mark.parametrize("after", [0, 1, 8, 17, READERS - 1])
async def test_each_reader_gets_the_articles_once_whenever_the_issue_is_cancelled(database, after):
    planned = await plan_issue(database, READERS)
    [issue] = await Queries(database).issues()
    clock = Clock()
    async with MailServer() as server:
        sending = asyncio.create_task(send(database, server, clock, workers=2))
        while len(server.taken) < after and not sending.done():  # noqa: ASYNC110 - the server has no event
            await asyncio.sleep(0)
        counts = await SqlCancellation(database).cancel(issue.id, clock.now)
        await sending
        sent = set(server.ids)
        assert len(server.ids) == len(sent)
        [issue] = await Queries(database).issues()
        assert (issue.books.sent, issue.books.cancelled) == (len(sent), counts.cancelled)
        assert issue.books.closed
        assert issue.books.waiting == issue.books.uncertain == 0
        readers = await cursors(database)
        assert {delivery_id(issue.id, reader, "smtp") for reader in readers} == set(planned)
        left = [reader for reader in readers if delivery_id(issue.id, reader, "smtp") not in sent]
        assert readers == {reader: 0 if reader in left else 7 for reader in readers}

        later = await plan_the_next_issue(database)
        clock.now += DAY
        await send(database, server, clock)
        assert len(server.ids) == len(set(server.ids)) == len(sent) + READERS
        assert {delivery_id(later, reader, "smtp") for reader in left} <= set(server.ids)


async def test_a_deferred_mail_is_cancelled_and_never_sent(database):
    await plan_issue(database, 3)
    [issue] = await Queries(database).issues()
    clock = Clock()
    async with MailServer({"RCPT": {ANY: Reply("450 4.2.0 not now")}}) as server:
        await send(database, server, clock)
    assert (await SqlCancellation(database).cancel(issue.id, clock.now)).returned == 3
    clock.now += timedelta(hours=5)
    async with MailServer() as server:
        await send(database, server, clock)
        assert server.taken == []
    assert set((await cursors(database)).values()) == {0}
