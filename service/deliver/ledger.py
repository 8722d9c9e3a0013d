"""Ledger: attempts before they are made and outcomes after, in grouped durable commits.

Whoever marks something while a commit is under way joins the next, and a commit waits a moment for as many
attempts as the last ones carried. So one commit carries the outcomes of the last messages and the attempts of
the next for all lanes, at the price of a millisecond or two.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from service.core.errors import StoreError
from service.deliver.ports import DeliverStore, StateChange

FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS = 0.2, 5.0
GROUP_COMMIT_SECONDS = 0.002

log = logging.getLogger("deliver")

Sleep = Callable[[float], Awaitable[None]]


class _PendingChange(NamedTuple):
    token: str
    mark: StateChange
    written: asyncio.Future[bool] | None  # None: nobody waits to hear


class Ledger:
    """Writes marks for one pass of deliver. `patience` is for how many seconds a lost database is awaited.

    `pause` waits (seconds); tests give another one.
    """

    def __init__(self, store: DeliverStore, *, retry_seconds: float, sleep: Sleep = asyncio.sleep) -> None:
        self._store, self._patience, self._pause = store, retry_seconds, sleep
        self._waiting: list[_PendingChange] = []
        self._writing: asyncio.Task[None] | None = None
        self._given_up = False
        # How many lanes there seem to be: what the last commits carried. One lane alone never waits.
        self._company = 1
        self._attempts = 0
        self._gathered: asyncio.Future[None] | None = None

    def attempt(self, token: str, change: StateChange) -> asyncio.Future[bool]:
        """Put an attempt in the next commit; the future tells whether the token still held the delivery.

        The future fails with StoreError when the database stays away for longer than `patience`.
        """
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._attempts += 1
        if self._attempts >= self._company and self._gathered is not None:
            _finish(self._gathered)
        self._add(_PendingChange(token, change, written))
        return written

    def outcome(self, token: str, change: StateChange) -> None:
        """Put an outcome in the next commit; one that the token does not hold any more is left out."""
        self._add(_PendingChange(token, change, None))

    def _add(self, entry: _PendingChange) -> None:
        self._waiting.append(entry)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())

    async def flush(self) -> None:
        """Wait until every mark so far is durable, or known not to be."""
        while self._writing is not None:
            await asyncio.shield(self._writing)

    async def _write_all(self) -> None:
        # One turn of the loop first: lanes that are woken by the same event mark in the same commit.
        await asyncio.sleep(0)
        while self._waiting:
            await self._gather()
            entries, self._waiting, self._attempts = self._waiting, [], 0
            for token in dict.fromkeys(entry.token for entry in entries):
                await self._commit(token, [entry for entry in entries if entry.token == token])
        self._writing = None

    async def _gather(self) -> None:
        """Wait for the other lanes, but not for long."""
        if self._attempts < self._company:
            loop = asyncio.get_running_loop()
            self._gathered = loop.create_future()
            timer = loop.call_later(GROUP_COMMIT_SECONDS, _finish, self._gathered)
            try:
                await self._gathered
            finally:
                timer.cancel()
                self._gathered = None
        self._company = max(self._attempts, self._company - 1, 1)

    async def _commit(self, token: str, entries: list[_PendingChange]) -> None:
        try:
            written = await self._recorded(token, [entry.mark for entry in entries])
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait for the commit must hear of it
            for entry in entries:
                if entry.written is not None and not entry.written.done():
                    entry.written.set_exception(error)
            return
        for entry in entries:
            if entry.written is not None and not entry.written.done():
                entry.written.set_result(entry.mark.delivery_id in written)

    async def _recorded(self, token: str, marks: list[StateChange]) -> set[str]:
        waited, pause = (self._patience if self._given_up else 0.0), FIRST_RETRY_SECONDS
        while True:
            try:
                return await self._store.record_changes(token, marks)
            except StoreError as error:
                if waited >= self._patience:
                    self._given_up = True
                    raise
                log.warning("%d marks wait for the ledger, trying again: %s", len(marks), error)
                await self._pause(pause)
                waited, pause = waited + pause, min(pause * 2, MAX_RETRY_SECONDS)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
