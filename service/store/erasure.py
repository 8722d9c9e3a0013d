"""Erasure: what goes when somebody is to be forgotten, in every table that knows them.

Their row stays, as nobody's, because the ledger's lines count it. Servers' replies and bounces quote the
address, and so do the reasons made of them: those go as well.
"""

from __future__ import annotations

from sqlalchemy import String, delete, select, text, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core import identity
from service.core.contracts import ERASED
from service.store.schema import bounces, deliveries, sends, subscribers, subscriptions, suppressions
from service.store.sql import lock_readers


async def erase(connection: AsyncConnection, email: str) -> bool:
    """Forget the person in the open transaction; return whether there was one."""
    if connection.dialect.name == "sqlite":
        # Else the bytes stay in the file until something is written over them.
        await connection.execute(text("PRAGMA secure_delete = ON"))
    await lock_readers(connection)
    person = identity.subscriber_id(email)
    number = await connection.scalar(select(subscribers.c.number).where(subscribers.c.id == person))
    hashed = suppressions.c.address_hash == identity.address_hash(email)
    await connection.execute(update(suppressions).where(hashed).values(reason=ERASED))
    if number is None:
        return False
    for table in (subscriptions, bounces):
        await connection.execute(delete(table).where(table.c.subscriber == number))
    await connection.execute(update(deliveries).where(deliveries.c.subscriber == number).values(reply=None))
    await _leave_sends(connection, person)
    nobody = {"id": f"erased-{number}", "address_hash": "", "email": "", "name": "", "timezone": None}
    await connection.execute(update(subscribers).where(subscribers.c.number == number).values(nobody))
    return True


async def _leave_sends(connection: AsyncConnection, person: str) -> None:
    """Take the person out of those whom sends by hand left out, each with the reason."""
    naming = type_coerce(sends.c.left_out, String).contains(person)
    for row in (await connection.execute(select(sends.c.id, sends.c.left_out).where(naming))).all():
        others = {key: why for key, why in row.left_out.items() if key != person}
        await connection.execute(update(sends).where(sends.c.id == row.id).values(left_out=others))
