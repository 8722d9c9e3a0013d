"""Ledger: writes attempts before they are made and outcomes after them, in grouped durable commits.

Changes that arrive during a commit join the next one, and a commit waits a moment for as many attempts as the
last ones carried. So one commit carries the outcomes of the last messages and the attempts of the next ones
for all connections, and costs a message a millisecond or two.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import NamedTuple

from service.core.errors import StoreError
from service.deliver.ports import DeliverStore, OnWritten, StateChange
from service.deliver.store_retry import Sleep, retry_store

GROUP_COMMIT_SECONDS = 0.002  # longest wait of a commit for the attempts of other connections


class _PendingChange(NamedTuple):
    token: str
    change: StateChange
    on_written: OnWritten | None  # None for outcomes, which nobody waits for


class Ledger:
    """Writes state changes for one pass of deliver.

    A database that is out of reach is retried for `retry_seconds`. `sleep` waits (seconds); tests replace it.
    """

    def __init__(self, store: DeliverStore, *, retry_seconds: float, sleep: Sleep = asyncio.sleep) -> None:
        self._store, self._retry_seconds, self._sleep = store, retry_seconds, sleep
        self._waiting: list[_PendingChange] = []
        self._writing: asyncio.Task[None] | None = None
        self._has_failed = False  # a later commit does not wait again
        # Expected attempts in a commit, by the last commits. A single connection never waits.
        self._expected_attempts = 1
        self._attempts = 0
        self._group_complete: asyncio.Future[None] | None = None

    def attempt(self, token: str, change: StateChange) -> asyncio.Future[bool]:
        """Put an attempt in the next commit; the future's result: whether the token still held the delivery.

        The future raises StoreError when the database stays out of reach for longer than `retry_seconds`.
        """
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def on_written(held: bool | Exception) -> None:
            if written.done():
                return
            if isinstance(held, Exception):
                written.set_exception(held)
            else:
                written.set_result(held)

        self.attempt_then(token, change, on_written)
        return written

    def attempt_then(self, token: str, change: StateChange, on_written: OnWritten) -> None:
        """Put an attempt in the next commit, and call `on_written` after it; it must not raise."""
        self._attempts += 1
        if self._attempts >= self._expected_attempts and self._group_complete is not None:
            _finish(self._group_complete)
        self._add(_PendingChange(token, change, on_written))

    def outcome(self, token: str, change: StateChange) -> None:
        """Put an outcome in the next commit, which leaves it out if the token lost the delivery."""
        self._add(_PendingChange(token, change, None))

    def _add(self, entry: _PendingChange) -> None:
        self._waiting.append(entry)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())

    async def flush(self) -> None:
        """Wait until every change so far is durable, or its commit has failed."""
        while self._writing is not None:
            await asyncio.shield(self._writing)

    async def _write_all(self) -> None:
        # One turn of the event loop first: connections woken by the same event share a commit.
        await asyncio.sleep(0)
        while self._waiting:
            await self._wait_for_group()
            entries, self._waiting, self._attempts = self._waiting, [], 0
            for token in dict.fromkeys(entry.token for entry in entries):
                await self._commit(token, [entry for entry in entries if entry.token == token])
        self._writing = None

    async def _wait_for_group(self) -> None:
        """Wait for the attempts of the other connections, for GROUP_COMMIT_SECONDS at most."""
        if self._attempts < self._expected_attempts:
            loop = asyncio.get_running_loop()
            self._group_complete = loop.create_future()
            timer = loop.call_later(GROUP_COMMIT_SECONDS, _finish, self._group_complete)
            try:
                await self._group_complete
            finally:
                timer.cancel()
                self._group_complete = None
        self._expected_attempts = max(self._attempts, self._expected_attempts - 1, 1)

    async def _commit(self, token: str, entries: list[_PendingChange]) -> None:
        try:
            written = await self._record(token, [entry.change for entry in entries])
        except Exception as error:  # noqa: BLE001 - whatever it is, the senders that await the commit must get it
            for entry in entries:
                if entry.on_written is not None:
                    entry.on_written(error)
            return
        for entry in entries:
            if entry.on_written is not None:
                entry.on_written(entry.change.delivery_id in written)

    async def _record(self, token: str, changes: list[StateChange]) -> set[str]:
        record = partial(self._store.record_changes, token, changes)
        try:
            return await retry_store(
                record, seconds=0.0 if self._has_failed else self._retry_seconds, sleep=self._sleep
            )
        except StoreError:
            self._has_failed = True
            raise


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
