"""Members of groups who get no mail, because their address is suppressed.

Suppressed addresses are few: an index finds them among the subscribers, so that nobody else is read.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, func, select

from service.store.connection import StoreConnection
from service.store.dialect import is_in
from service.store.schema import subscriber_search, subscribers, subscriptions, suppressions
from service.store.subscriber_search import hash_key


async def suppressed_by_group(
    connection: StoreConnection, *conditions: ColumnElement[bool]
) -> Mapping[int, int]:
    """Return the number of suppressed subscriptions with these conditions, by group (number); no zeros."""
    hashes = (await connection.execute(select(suppressions.c.address_hash))).scalars().all()
    if not hashes:
        return {}
    keys = {hash_key(hashed) for hashed in hashes}
    counting = (
        select(subscriptions.c.group_number, func.count())
        .select_from(subscriber_search)
        .join(subscribers, subscribers.c.number == subscriber_search.c.subscriber)
        .join(suppressions, suppressions.c.address_hash == subscribers.c.address_hash)
        .join(subscriptions, subscriptions.c.subscriber == subscribers.c.number)
        .where(is_in(connection, subscriber_search.c.hash_key, keys), *conditions)
        .group_by(subscriptions.c.group_number)
    )
    rows = (await connection.execute(counting)).all()
    return {row[0]: row[1] for row in rows}
