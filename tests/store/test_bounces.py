"""Which addresses a bounce is the end of."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text

from service.core import identity
from service.store.bounces import MOST_SOFT, BounceRecords
from service.store.database import Database
from tests.builders import NOON
from tests.deliver.planned import plan


async def suppressed(database: Database) -> int:
    async with database.read() as connection:
        return await connection.scalar(text("SELECT count(*) FROM suppressions")) or 0


async def came_back(database: Database, delivery: str, *, hard: bool, at: datetime = NOON) -> bool:
    return await BounceRecords(database).record_bounce(delivery, hard=hard, reason="5.1.1 unknown", now=at)


async def test_a_hard_bounce_suppresses_the_address(database):
    first, _ = await plan(database, 2)
    assert await came_back(database, first, hard=True)
    assert await suppressed(database) == 1


async def test_a_soft_bounce_counts_once_for_an_issue(database):
    (delivery,) = await plan(database, 1)
    for _ in range(MOST_SOFT + 1):
        assert await came_back(database, delivery, hard=False)
    assert await suppressed(database) == 0


async def test_issues_that_come_back_again_and_again_are_the_end_of_an_address(database):
    for number in range(MOST_SOFT):
        assert await suppressed(database) == 0
        at = NOON + timedelta(days=number)
        (delivery,) = await plan(database, 1, at=at)
        assert await came_back(database, delivery, hard=False, at=at)
    assert await suppressed(database) == 1


async def test_bounces_of_long_ago_are_forgotten(database):
    for number in range(MOST_SOFT + 2):
        at = NOON + timedelta(days=10 * number)
        (delivery,) = await plan(database, 1, at=at)
        assert await came_back(database, delivery, hard=False, at=at)
    assert await suppressed(database) == 0


async def test_a_delivery_that_we_do_not_know_changes_nothing(database):
    await plan(database, 1)
    unknown = identity.delivery_id("x" * 32, "y" * 32, "smtp")
    assert not await came_back(database, unknown, hard=True)
    assert await suppressed(database) == 0
