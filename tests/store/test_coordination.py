"""What workers share: turns that never overlap, and one halt for all."""

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
HALT = SendingPause("the mail server refuses our mail as such: 550 5.7.1 no", NOON, NOON + MINUTE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def records(database: Database, clock: Clock) -> SqlCoordination:
    return SqlCoordination(database, clock)


# --- learned rates -----------------------------------------------------------------------------


async def test_a_learned_rate_is_replaced_only_as_it_was_read(records: SqlCoordination, clock: Clock):
    first = LearnedRate(
        None, None, NOON, NOON, refused_at=NOON, probe_at=NOON + SECOND, reply="450 no", version=1
    )
    assert await records.save_rate("relay", "", first, 0)
    assert not await records.save_rate("relay", "", first, 0)
    second = replace(first, per_minute=19.5, ceiling=20.5, accepted=7, busy=True, version=2)
    assert await records.save_rate("relay", "", second, 1)
    assert not await records.save_rate("relay", "", replace(first, reply="late"), 1)
    assert await records.save_rate("relay", "slow.example", first, 0)
    assert await records.save_rate("other relay", "", first, 0)
    assert await records.learned_rates("relay") == ({"": second, "slow.example": first}, clock())
    assert not await records.save_rate("relay", "", None, 1)
    assert await records.save_rate("relay", "", None, 2)
    assert await records.learned_rates("relay") == ({"slow.example": first}, clock())


async def test_a_rate_that_nothing_is_sent_by_is_forgotten(records: SqlCoordination, clock: Clock):
    rate = LearnedRate(20, 20, NOON, NOON, version=1)
    assert await records.save_rate("relay", "", rate, 0)
    clock.now += RATE_RETENTION + SECOND
    assert await records.save_rate("other relay", "", replace(rate, at=clock()), 0)
    assert (await records.learned_rates("relay"))[0] == {}


# --- turns -------------------------------------------------------------------------------------


async def test_turns_follow_each_other_and_none_is_given_far_ahead(records: SqlCoordination, clock: Clock):
    assert await records.take_turns({"relay": 0.7}, 1) == {"relay": 0.0}
    assert await records.take_turns({"relay": 0.7}, 1) == {"relay": 0.7}
    assert await records.take_turns({"relay": 0.7}, 1) == {"relay": 1.4}
    assert await records.take_turns({"relay": 0.7}, 1) == {"relay": 1.4}
    clock.now += SECOND
    assert await records.take_turns({"relay": 0.7}, 1) == {"relay": 0.4}


async def test_a_turn_that_nobody_used_passes_by_itself(records: SqlCoordination, clock: Clock):
    await records.take_turns({"relay": 0.7}, 1)
    clock.now += SECOND
    assert await records.take_turns({"relay": 0.7}, 1) == {"relay": 0.0}


async def test_each_limit_has_a_time_of_its_own(records: SqlCoordination):
    assert await records.take_turns({"relay": 2, "relay slow.example": 60}, 1) == {
        "relay": 0.0,
        "relay slow.example": 0.0,
    }
    begins = await records.take_turns({"relay slow.example": 60, "relay": 1, "relay quick.example": 0.1}, 1)
    assert begins == {"relay": 2.0, "relay slow.example": 60.0, "relay quick.example": 0.0}


async def test_no_two_turns_overlap_whoever_takes_them(records: SqlCoordination, database_url: str):
    other = await Database.open(database_url)
    crew = (records, replace(records, database=other))
    taken = await asyncio.gather(
        *(
            one.take_turns({f"relay {n}.example": 0.01 for n in range(9)}, 99)
            for one in crew
            for _ in range(20)
        )
    )
    await other.close()
    for n in range(9):
        begins = sorted(turn[f"relay {n}.example"] for turn in taken)
        assert begins == [place / 100 for place in range(40)]


async def test_limits_that_nobody_asks_for_are_forgotten(records: SqlCoordination, clock: Clock):
    await records.take_turns({"relay smith.example": 1}, 1)
    clock.now += HOUR
    await records.take_turns({"relay": 1}, 1)
    async with records.database.read() as connection:
        assert list((await connection.execute(select(turns.c.name))).scalars()) == ["relay"]


async def test_turns_go_by_the_databases_own_clock(database: Database):
    # An hour, so that however slow this machine is, the second turn cannot begin at once.
    records = SqlCoordination(database)
    assert await records.take_turns({"relay": 3600}, 1) == {"relay": 0.0}
    begins = await records.take_turns({"relay": 3600}, 1)
    assert 0 < begins["relay"] <= 3601


# --- a halt ------------------------------------------------------------------------------------


async def test_one_worker_begins_a_halt_and_all_hear_of_it(records: SqlCoordination):
    assert await records.sending_pause("relay") is None
    others = (replace(HALT, since=NOON + n * SECOND) for n in range(8))
    begun = await asyncio.gather(*(records.begin_pause("relay", halt) for halt in others))
    assert begun.count(True) == 1
    halt = await records.sending_pause("relay")
    assert halt is not None
    assert halt.reason == HALT.reason
    assert await records.sending_pause("elsewhere") is None


async def test_a_halt_follows_one_that_is_over(records: SqlCoordination):
    await records.begin_pause("relay", HALT)
    longer = SendingPause("still no", HALT.until, HALT.until + HOUR, consecutive=2)
    assert await records.begin_pause("relay", longer)
    assert await records.sending_pause("relay") == longer


async def test_a_halt_ends_for_all_but_not_by_somebody_who_means_an_earlier_one(records: SqlCoordination):
    await records.begin_pause("relay", HALT)
    assert not await records.end_pause("relay", NOON - SECOND)
    assert await records.end_pause("relay", NOON)
    assert await records.sending_pause("relay") is None
    assert not await records.end_pause("relay")


async def test_when_a_halt_is_over_one_worker_tries_for_all(records: SqlCoordination):
    await records.begin_pause("relay", HALT)
    assert not await records.claim_trial("relay", NOON, NOON + HOUR)
    tries = await asyncio.gather(
        *(records.claim_trial("relay", HALT.until, HALT.until + MINUTE) for _ in range(8))
    )
    assert tries.count(True) == 1
    # It was not heard of again.
    assert await records.claim_trial("relay", HALT.until + MINUTE, HALT.until + HOUR)
