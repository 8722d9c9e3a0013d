"""What the operator was told: when each problem was seen first, and the last mail; one row of `settings`."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from service.store.database import Database
from service.store.schema import settings
from service.store.setting_rows import read_setting

STATE, LAST_BACKUP = "operator_state", "last_backup"
"""Names of the rows in `settings`."""


@dataclass(frozen=True, slots=True)
class OperatorState:
    """`seen` are the times at which each problem (key) was seen first, of those that were there last time.

    `mailed_on` is the operator's day of the last mail, None before the first; `is_wrong` is whether that
    mail said that something is wrong.
    """

    seen: Mapping[str, datetime]
    mailed_on: date | None = None
    is_wrong: bool = False


@dataclass(frozen=True, slots=True)
class SqlOperatorState:
    """Reads and writes the state. Two processes that write at once lose a time, never a mail."""

    database: Database

    async def read(self) -> OperatorState:
        """Return the state."""
        stored = await read_setting(self.database, STATE)
        if stored is None:
            return OperatorState({})
        values = json.loads(stored)
        seen = {key: datetime.fromisoformat(at) for key, at in values["seen"].items()}
        day = values["mailed_on"]
        return OperatorState(seen, date.fromisoformat(day) if day else None, values["is_wrong"])

    async def write(self, state: OperatorState) -> None:
        """Store the state, if it differs."""
        values = {
            "seen": {key: at.isoformat() for key, at in sorted(state.seen.items())},
            "mailed_on": state.mailed_on.isoformat() if state.mailed_on else "",
            "is_wrong": state.is_wrong,
        }
        await self._set(STATE, json.dumps(values))

    async def last_backup(self) -> datetime | None:
        """Return when `caveat backup` succeeded last; None if it never did."""
        stored = await read_setting(self.database, LAST_BACKUP)
        return None if stored is None else datetime.fromisoformat(stored)

    async def record_backup(self, now: datetime) -> None:
        """Record that a backup was made."""
        await self._set(LAST_BACKUP, now.isoformat())

    async def _set(self, name: str, value: str) -> None:
        if await read_setting(self.database, name) == value:
            return
        stored = self.database.insert(settings).values(name=name, value=value)
        written = stored.on_conflict_do_update(index_elements=["name"], set_={"value": value})
        async with self.database.write() as connection:
            await connection.execute(written)


def first_seen(state: OperatorState, keys: Collection[str], now: datetime) -> Mapping[str, datetime]:
    """Return when each of the present problems (keys) was seen first: now for a new one."""
    return {key: state.seen.get(key, now) for key in keys}
