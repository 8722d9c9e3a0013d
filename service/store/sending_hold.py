"""Sending hold: nothing is sent after a restore that lost what was sent since, until a person resumes it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from service.core.errors import StoreError
from service.store.database import Database
from service.store.schema import settings

NAME = "sending_hold"
"""The row of `settings` that holds the reason."""

HOW_TO_RESUME = "look who would be mailed (caveat plan, caveat issue list), then say: caveat restore --resume"


def hold_sending(connection: Connection, reason: str) -> None:
    """Hold all sending in the open transaction; `reason` is a clause for a person."""
    connection.execute(delete(settings).where(settings.c.name == NAME))
    connection.execute(settings.insert().values(name=NAME, value=reason))


@dataclass(frozen=True, slots=True)
class SendingHold:
    """The hold of one database."""

    database: Database

    async def message(self) -> str | None:
        """Return why nothing is sent and how to go on, or None when nothing is held."""
        async with self.database.read() as connection:
            reason = await connection.scalar(select(settings.c.value).where(settings.c.name == NAME))
        return None if reason is None else f"nothing is sent: {reason}; {HOW_TO_RESUME}"

    async def raise_if_held(self) -> None:
        """Raise StoreError while sending is held."""
        if said := await self.message():
            raise StoreError(said)

    async def release(self) -> bool:
        """Let sending go on; return whether it was held."""
        async with self.database.write() as connection:
            lifted = await connection.execute(delete(settings).where(settings.c.name == NAME))
        return lifted.rowcount > 0
