"""Sending hold: after a restore that lost rows of the ledger, nothing is sent until a person resumes it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete

from service.core.errors import StoreError
from service.store.database import Database
from service.store.schema import settings
from service.store.setting_rows import read_setting

NAME = "sending_hold"
"""Name of the row in `settings` with the reason."""

HOW_TO_RESUME = (
    "check who would be mailed (caveat plan, caveat issue list), then run: caveat restore --resume"
)


def hold_sending(connection: Connection, reason: str) -> None:
    """Hold all sending, in the open transaction; `reason` is a clause for a person."""
    connection.execute(delete(settings).where(settings.c.name == NAME))
    connection.execute(settings.insert().values(name=NAME, value=reason))


@dataclass(frozen=True, slots=True)
class SendingHold:
    """The sending hold of one database."""

    database: Database

    async def message(self) -> str | None:
        """Return the reason and the remedy in one sentence, or None if sending is not held."""
        reason = await read_setting(self.database, NAME)
        return None if reason is None else f"nothing is sent: {reason}; {HOW_TO_RESUME}"

    async def raise_if_held(self) -> None:
        """Raise StoreError while sending is held."""
        if message := await self.message():
            raise StoreError(message)

    async def release(self) -> bool:
        """Resume sending; return whether it was held."""
        async with self.database.write() as connection:
            released = await connection.execute(delete(settings).where(settings.c.name == NAME))
        return released.rowcount > 0
