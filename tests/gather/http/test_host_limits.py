"""Limits per host, tested without real waiting."""

from __future__ import annotations

import asyncio

import pytest

from service.gather.http import host_limits as turns
from service.gather.http.host_limits import HostLimits


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []

    async def note(seconds: float) -> None:
        slept.append(round(seconds, 1))

    monkeypatch.setattr(turns.asyncio, "sleep", note)
    return slept


async def test_starts_at_one_host_are_spaced(pauses: list[float]):
    order = HostLimits(per_host=4, spacing=10)
    for _ in range(3):
        async with order.slot("a.example"):
            pass

    assert pauses == [10.0, 20.0]


async def test_hosts_do_not_wait_for_each_other_and_private_hosts_not_at_all(pauses: list[float]):
    order = HostLimits(per_host=4, spacing=10)
    for host in ("a.example", "b.example", "c.example"):
        async with order.slot(host):
            pass
    async with order.slot("a.example", spaced=False):
        pass

    assert pauses == []


async def test_the_number_of_simultaneous_requests_is_limited():
    order = HostLimits(per_host=2, spacing=0)
    inside, release = [], asyncio.Event()

    async def one(name: int) -> None:
        async with order.slot("a.example", spaced=False):
            inside.append(name)
            await release.wait()

    tasks = [asyncio.create_task(one(n)) for n in range(5)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert inside == [0, 1]

    release.set()
    await asyncio.gather(*tasks)
    assert inside == [0, 1, 2, 3, 4]


async def test_idle_hosts_are_forgotten():
    order = HostLimits(per_host=1, spacing=0)
    for n in range(2_500):
        async with order.slot(f"{n}.example"):
            pass

    assert len(order._hosts) <= 1_001
