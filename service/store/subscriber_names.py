"""Names of subscribers, for an editor's change: unlike an import, it may also empty a name."""

from __future__ import annotations

from sqlalchemy import select, update

from service.core.model import Subscriber
from service.store.database import Database
from service.store.schema import subscribers
from service.store.subscriber_search import index_people


async def store_name(database: Database, person: Subscriber) -> None:
    """Store the name of a known subscriber, "" for none; the search finds them by it."""
    async with database.write() as connection:
        numbers = select(subscribers.c.number).where(subscribers.c.id == person.id)
        number = await connection.scalar(numbers)
        if number is None:
            return
        change = update(subscribers).where(subscribers.c.number == number)
        await connection.execute(change.values(name=person.name))
        await index_people(connection, {number: person})
