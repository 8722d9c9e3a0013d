"""The death of a process at any of its write transactions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Connection

from service.store.connection import StoreConnection
from service.store.database import Database

WRITE, RUN_WRITE, RUN_RAW = Database.write, Database.run_write, Database.run_raw


class Killed(BaseException):
    """The end of the process."""


async def killed_at(
    step: int, work: Callable[[], Awaitable[object]], monkeypatch: pytest.MonkeyPatch, *, committed: bool
) -> bool:
    """Do the work until its n-th write transaction, which is committed or not; return whether it came so far.

    Every later transaction fails too: a dead process tidies nothing up.
    """
    steps, dead = count(1), False

    @asynccontextmanager
    async def counted() -> AsyncIterator[None]:
        nonlocal dead
        is_last = next(steps) >= step
        if dead or (is_last and not committed):
            dead = True
            raise Killed
        yield
        if is_last:
            dead = True
            raise Killed

    @asynccontextmanager
    async def write(database: Database) -> AsyncIterator[StoreConnection]:
        async with counted(), WRITE(database) as connection:
            yield connection

    async def run_write(database: Database, work: Callable[[Connection], Any]) -> Any:
        async with counted():
            return await RUN_WRITE(database, work)

    async def run_raw(database: Database, work: Callable[[Any], Any]) -> Any:
        async with counted():
            return await RUN_RAW(database, work)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", write)
        patch.setattr(Database, "run_write", run_write)
        patch.setattr(Database, "run_raw", run_raw)
        try:
            await work()
        except BaseException:  # Killed, or a group of it
            if not dead:
                raise
    return dead
