"""Grouped commits."""

from __future__ import annotations

import asyncio

import pytest

from service.core.errors import StoreError
from service.core.model import DeliveryState
from service.deliver.ledger import Ledger
from service.deliver.ports import StateChange
from tests.builders import NOON
from tests.deliver.fakes import MemoryLedger, some_deliveries


def attempt(delivery) -> StateChange:
    return StateChange(delivery, DeliveryState.ATTEMPTING, NOON)


async def taken(store, by="t") -> None:
    await store.take_batch("smtp", by, NOON, NOON, 500)


async def no_pause(_seconds: float) -> None:
    await asyncio.sleep(0)


async def test_changes_of_all_connections_share_a_commit():
    deliveries = some_deliveries(30)
    store = MemoryLedger.holding(*deliveries)
    await taken(store)
    ledger = Ledger(store, retry_seconds=1)
    assert all(await asyncio.gather(*(ledger.attempt("t", attempt(d)) for d in deliveries)))
    assert len(store.commits) == 1


async def test_the_outcome_of_one_and_the_attempt_of_the_next_share_a_commit():
    one, two = some_deliveries(2)
    store = MemoryLedger.holding(one, two)
    await taken(store)
    ledger = Ledger(store, retry_seconds=1)
    await ledger.attempt("t", attempt(one))
    ledger.outcome("t", StateChange(one, DeliveryState.SENT, NOON))
    await ledger.attempt("t", attempt(two))
    assert [len(commit) for commit in store.commits] == [1, 2]


async def test_an_attempt_with_a_token_that_is_no_longer_held_is_refused():
    (delivery,) = some_deliveries(1)
    store = MemoryLedger.holding(delivery)
    await taken(store, "another worker")
    assert await Ledger(store, retry_seconds=1).attempt("t", attempt(delivery)) is False


async def test_a_database_outage_is_waited_out():
    (delivery,) = some_deliveries(1)
    store = MemoryLedger.holding(delivery)
    await taken(store)
    store.lost = True
    pauses = []

    async def repaired(seconds: float) -> None:
        pauses.append(seconds)
        store.lost = len(pauses) < 3

    assert await Ledger(store, retry_seconds=60, sleep=repaired).attempt("t", attempt(delivery))
    assert pauses == sorted(pauses)
    assert len(pauses) == 3


async def test_a_database_that_stays_unreachable_fails_the_attempt():
    (delivery,) = some_deliveries(1)
    store = MemoryLedger.holding(delivery)
    store.lost = True
    ledger = Ledger(store, retry_seconds=3, sleep=no_pause)
    with pytest.raises(StoreError):
        await ledger.attempt("t", attempt(delivery))
    await ledger.flush()
