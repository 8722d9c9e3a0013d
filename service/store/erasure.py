"""Erasure: what goes when somebody is to be forgotten, in every table that knows them.

Their row stays, as nobody's, because the ledger's lines count it. Servers' replies and bounces quote the
address, and so do the reasons made of them: those go as well.
"""

from __future__ import annotations

from sqlalchemy import Connection, String, delete, select, type_coerce, update

from service.core import ids as identity
from service.store.schema import (
    bounces,
    deliveries,
    sends,
    sign_ups,
    subscribers,
    subscriptions,
    suppressions,
)
from service.store.transactional import forget_mails, transactional_of
from service.subscribers.ports import ERASED_REASON


def erase(connection: Connection, email: str) -> bool:
    """Forget the person in a transaction that holds `lock_readers`; return whether there was one.

    SQLite overwrites what is deleted with zeros (secure_delete); the write-ahead log keeps the old pages
    until it is emptied.
    """
    person = identity.subscriber_id(email)
    number = connection.scalar(select(subscribers.c.number).where(subscribers.c.id == person))
    if number is not None:
        forget(connection, number, person)
    hashed = suppressions.c.address_hash == identity.address_hash(email)
    connection.execute(update(suppressions).where(hashed).values(reason=ERASED_REASON))
    return number is not None


def forget(connection: Connection, number: int, person: str) -> None:
    """Take out of every table what it holds about the person of this number and id."""
    forget_mails(connection, transactional_of(connection, number))
    for table in (subscriptions, sign_ups, bounces):
        connection.execute(delete(table).where(table.c.subscriber == number))
    connection.execute(update(deliveries).where(deliveries.c.subscriber == number).values(reply=None))
    _leave_sends(connection, person)
    nobody = dict.fromkeys(("address_hash", "email", "name"), "") | {"id": f"erased-{number}"}
    gone = nobody | dict.fromkeys(("timezone", "channel"))
    connection.execute(update(subscribers).where(subscribers.c.number == number).values(gone))


def _leave_sends(connection: Connection, person: str) -> None:
    """Take the person out of those whom sends by hand left out, each with the reason."""
    naming = type_coerce(sends.c.left_out, String).contains(person)
    for row in (connection.execute(select(sends.c.id, sends.c.left_out).where(naming))).all():
        others = {key: why for key, why in row.left_out.items() if key != person}
        connection.execute(update(sends).where(sends.c.id == row.id).values(left_out=others))
