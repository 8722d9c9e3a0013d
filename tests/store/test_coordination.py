"""Coordination of workers: turns that never overlap, and one sending pause for all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from service.deliver.ports import LearnedRate, SendingPause
from service.store.coordination import SqlCoordination
from service.store.database import Database
from service.store.learned_rates import RATE_RETENTION
from service.store.schema import turns
from tests.builders import NOON
from tests.deliver.fakes import Clock
from tests.store.stores import HOUR, MINUTE

SECOND = timedelta(seconds=1)
PAUSE = SendingPause("the mail server refuses our mail as such: 550 5.7.1 no", NOON, NOON + MINUTE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def coordination(database: Database, clock: Clock) -> SqlCoordination:
    return SqlCoordination(database, clock)


# --- learned rates -----------------------------------------------------------------------------


async def test_a_learned_rate_is_replaced_only_if_its_version_is_unchanged(
    coordination: SqlCoordination, clock: Clock
):
    first = LearnedRate(
        None, None, NOON, NOON, refused_at=NOON, probe_at=NOON + SECOND, reply="450 no", version=1
    )
    assert await coordination.save_rate("relay", "", first, 0)
    assert not await coordination.save_rate("relay", "", first, 0)
    second = replace(first, per_minute=19.5, ceiling=20.5, accepted=7, busy=True, version=2)
    assert await coordination.save_rate("relay", "", second, 1)
    assert not await coordination.save_rate("relay", "", replace(first, reply="late"), 1)
    assert await coordination.save_rate("relay", "slow.example", first, 0)
    assert await coordination.save_rate("other relay", "", first, 0)
    assert await coordination.learned_rates("relay") == ({"": second, "slow.example": first}, clock())
    assert not await coordination.save_rate("relay", "", None, 1)
    assert await coordination.save_rate("relay", "", None, 2)
    assert await coordination.learned_rates("relay") == ({"slow.example": first}, clock())


async def test_an_unused_learned_rate_is_deleted_after_its_retention(
    coordination: SqlCoordination, clock: Clock
):
    rate = LearnedRate(20, 20, NOON, NOON, version=1)
    assert await coordination.save_rate("relay", "", rate, 0)
    clock.now += RATE_RETENTION + SECOND
    assert await coordination.save_rate("other relay", "", replace(rate, at=clock()), 0)
    assert (await coordination.learned_rates("relay"))[0] == {}


# --- turns -------------------------------------------------------------------------------------


async def test_turns_follow_each_other_up_to_a_limit_ahead(coordination: SqlCoordination, clock: Clock):
    assert await coordination.take_turns({"relay": 0.7}, 1) == {"relay": 0.0}
    assert await coordination.take_turns({"relay": 0.7}, 1) == {"relay": 0.7}
    assert await coordination.take_turns({"relay": 0.7}, 1) == {"relay": 1.4}
    assert await coordination.take_turns({"relay": 0.7}, 1) == {"relay": 1.4}
    clock.now += SECOND
    assert await coordination.take_turns({"relay": 0.7}, 1) == {"relay": 0.4}


async def test_an_unused_turn_expires(coordination: SqlCoordination, clock: Clock):
    await coordination.take_turns({"relay": 0.7}, 1)
    clock.now += SECOND
    assert await coordination.take_turns({"relay": 0.7}, 1) == {"relay": 0.0}


async def test_each_limit_has_its_own_turns(coordination: SqlCoordination):
    assert await coordination.take_turns({"relay": 2, "relay slow.example": 60}, 1) == {
        "relay": 0.0,
        "relay slow.example": 0.0,
    }
    starts = await coordination.take_turns(
        {"relay slow.example": 60, "relay": 1, "relay quick.example": 0.1}, 1
    )
    assert starts == {"relay": 2.0, "relay slow.example": 60.0, "relay quick.example": 0.0}


async def test_turns_of_two_workers_never_overlap(coordination: SqlCoordination, database_url: str):
    other = await Database.open(database_url)
    workers = (coordination, replace(coordination, database=other))
    taken = await asyncio.gather(
        *(
            worker.take_turns({f"relay {n}.example": 0.01 for n in range(9)}, 99)
            for worker in workers
            for _ in range(20)
        )
    )
    await other.close()
    for n in range(9):
        starts = sorted(turn[f"relay {n}.example"] for turn in taken)
        assert starts == [turn_number / 100 for turn_number in range(40)]


async def test_unused_limits_are_deleted(coordination: SqlCoordination, clock: Clock):
    await coordination.take_turns({"relay smith.example": 1}, 1)
    clock.now += HOUR
    await coordination.take_turns({"relay": 1}, 1)
    async with coordination.database.read() as connection:
        assert list((await connection.execute(select(turns.c.name))).scalars()) == ["relay"]


async def test_turns_use_the_clock_of_the_database(database: Database):
    # With an interval of an hour, the second turn cannot begin at once even on a slow machine.
    coordination = SqlCoordination(database)
    assert await coordination.take_turns({"relay": 3600}, 1) == {"relay": 0.0}
    starts = await coordination.take_turns({"relay": 3600}, 1)
    assert 0 < starts["relay"] <= 3601


# --- sending pause -----------------------------------------------------------------------------


async def test_one_worker_begins_a_pause_and_all_workers_see_it(coordination: SqlCoordination):
    assert await coordination.sending_pause("relay") is None
    pauses = (replace(PAUSE, since=NOON + n * SECOND) for n in range(8))
    begun = await asyncio.gather(*(coordination.begin_pause("relay", pause) for pause in pauses))
    assert begun.count(True) == 1
    pause = await coordination.sending_pause("relay")
    assert pause is not None
    assert pause.reason == PAUSE.reason
    assert await coordination.sending_pause("elsewhere") is None


async def test_a_new_pause_can_follow_an_expired_one(coordination: SqlCoordination):
    await coordination.begin_pause("relay", PAUSE)
    longer = SendingPause("still no", PAUSE.until, PAUSE.until + HOUR, consecutive=2)
    assert await coordination.begin_pause("relay", longer)
    assert await coordination.sending_pause("relay") == longer


async def test_a_pause_ends_for_all_workers_unless_the_caller_names_an_earlier_one(
    coordination: SqlCoordination,
):
    await coordination.begin_pause("relay", PAUSE)
    assert not await coordination.end_pause("relay", NOON - SECOND)
    assert await coordination.end_pause("relay", NOON)
    assert await coordination.sending_pause("relay") is None
    assert not await coordination.end_pause("relay")


async def test_after_a_pause_one_worker_claims_the_trial(coordination: SqlCoordination):
    await coordination.begin_pause("relay", PAUSE)
    assert not await coordination.claim_trial("relay", NOON, NOON + HOUR)
    claims = await asyncio.gather(
        *(coordination.claim_trial("relay", PAUSE.until, PAUSE.until + MINUTE) for _ in range(8))
    )
    assert claims.count(True) == 1
    # The trial had no result, so it can be claimed again.
    assert await coordination.claim_trial("relay", PAUSE.until + MINUTE, PAUSE.until + HOUR)
