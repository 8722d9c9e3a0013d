"""Bounces: which of them suppress an address."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text

from service.core import ids as identity
from service.core.read_models import Suppression
from service.store.bounces import MAX_SOFT_BOUNCES, SqlBounceStore
from service.store.database import Database
from service.store.sqlite_ledger import PREFIX_CHARACTERS
from service.store.subscribers import SqlSubscriberStore
from tests.builders import NOON
from tests.deliver.planning import plan_issue


async def suppressed(database: Database) -> int:
    async with database.read() as connection:
        return await connection.scalar(text("SELECT count(*) FROM suppressions")) or 0


async def address_of(database: Database, delivery: str) -> str:
    [found] = await SqlSubscriberStore(database).memberships(subscriber_id=delivery[PREFIX_CHARACTERS:])
    return found.subscriber.email


async def record_bounce(database: Database, delivery: str, *, hard: bool, at: datetime = NOON) -> bool:
    return await SqlBounceStore(database).record_bounce(delivery, hard=hard, reason="5.1.1 unknown", now=at)


async def test_a_hard_bounce_suppresses_the_address(database):
    first, _ = await plan_issue(database, 2)
    assert await record_bounce(database, first, hard=True)
    assert await suppressed(database) == 1


async def test_a_soft_bounce_counts_once_for_an_issue(database):
    (delivery,) = await plan_issue(database, 1)
    for _ in range(MAX_SOFT_BOUNCES + 1):
        assert await record_bounce(database, delivery, hard=False)
    assert await suppressed(database) == 0


async def test_repeated_soft_bounces_suppress_the_address(database):
    for number in range(MAX_SOFT_BOUNCES):
        assert await suppressed(database) == 0
        at = NOON + timedelta(days=number)
        (delivery,) = await plan_issue(database, 1, at=at)
        assert await record_bounce(database, delivery, hard=False, at=at)
    assert await suppressed(database) == 1


async def test_old_bounces_do_not_count(database):
    for number in range(MAX_SOFT_BOUNCES + 2):
        at = NOON + timedelta(days=10 * number)
        (delivery,) = await plan_issue(database, 1, at=at)
        assert await record_bounce(database, delivery, hard=False, at=at)
    assert await suppressed(database) == 0


async def test_a_bounce_of_an_unknown_delivery_changes_nothing(database):
    await plan_issue(database, 1)
    unknown = identity.delivery_id("x" * 32, "y" * 32, "smtp")
    assert not await record_bounce(database, unknown, hard=True)
    assert await suppressed(database) == 0


async def test_a_suppression_has_its_reason_and_time(database):
    first, second = await plan_issue(database, 2)
    records, people = SqlBounceStore(database), SqlSubscriberStore(database)
    email = await address_of(database, first)
    assert await people.suppression(email) is None
    await record_bounce(database, first, hard=False)
    await record_bounce(database, second, hard=True)
    assert await people.suppression(email) is None
    [line] = await records.bounces_of(email)
    assert (line.at, line.hard, line.reason) == (NOON, False, "5.1.1 unknown")

    other = await address_of(database, second)
    assert await people.suppression(other.upper()) == Suppression("5.1.1 unknown", NOON)
    assert [line.hard for line in await records.bounces_of(other)] == [True]


async def test_unsuppressing_an_address_resets_its_bounces(database):
    for number in range(MAX_SOFT_BOUNCES):
        (delivery,) = await plan_issue(database, 1, at=NOON + timedelta(days=number))
        await record_bounce(database, delivery, hard=False)
    email = await address_of(database, delivery)
    assert await SqlSubscriberStore(database).unsuppress(email)
    assert await SqlBounceStore(database).bounces_of(email) == []
    (delivery,) = await plan_issue(database, 1, at=NOON + timedelta(days=9))
    await record_bounce(database, delivery, hard=False)
    assert await suppressed(database) == 0
