"""Erasure of a person's data from every table.

The row in `subscribers` stays without personal data, because rows of the ledger refer to it. Replies and
bounces may quote the address, and so may reasons made from them: they are deleted as well.
"""

from __future__ import annotations

from sqlalchemy import Connection, String, delete, select, type_coerce, update

from service.core import ids as identity
from service.store.consents import anonymize_consents
from service.store.schema import (
    audit,
    bounces,
    deliveries,
    sends,
    sign_ups,
    subscribers,
    subscriptions,
    suppressions,
    webhook_messages,
)
from service.store.subscriber_search import remove_people
from service.store.transactional import delete_mails, transactional_of
from service.subscribers.ports import ERASED_REASON


def erase(connection: Connection, email: str) -> bool:
    """Erase the person in a transaction that holds `lock_groups`; return whether they were stored.

    SQLite overwrites deleted data with zeros (secure_delete); the write-ahead log keeps old pages until it is
    truncated.
    """
    person = identity.subscriber_id(email)
    number = connection.scalar(select(subscribers.c.number).where(subscribers.c.id == person))
    if number is not None:
        forget(connection, number, person)
    hashed = suppressions.c.address_hash == identity.address_hash(email)
    connection.execute(update(suppressions).where(hashed).values(reason=ERASED_REASON))
    return number is not None


def forget(connection: Connection, number: int, person: str) -> None:
    """Delete the data of the subscriber with this number and id from every table."""
    delete_mails(connection, transactional_of(connection, number))
    address_hash = connection.scalar(select(subscribers.c.address_hash).where(subscribers.c.number == number))
    anonymize_consents(connection, number, address_hash or "")
    for table in (subscriptions, sign_ups, bounces, webhook_messages):
        connection.execute(delete(table).where(table.c.subscriber == number))
    # Without its token, a mail that is being sent now cannot bring its reply, which may name the address.
    own = update(deliveries).where(deliveries.c.subscriber == number)
    connection.execute(own.values(reply=None, token=None))
    _delete_from_sends(connection, person)
    # What an editor did stays; about whom, and the reason in the editor's words, does not.
    said = update(audit).where(audit.c.subject == person)
    connection.execute(said.values(subject="", details={}))
    remove_people(connection, [number])
    empty = dict.fromkeys(("address_hash", "email", "name"), "") | {"id": f"erased-{number}"}
    erased = empty | dict.fromkeys(("timezone", "channel"))
    connection.execute(update(subscribers).where(subscribers.c.number == number).values(erased))


def _delete_from_sends(connection: Connection, person: str) -> None:
    """Delete the person from `left_out` of manual sends."""
    naming = type_coerce(sends.c.left_out, String).contains(person)
    for row in (connection.execute(select(sends.c.id, sends.c.left_out).where(naming))).all():
        others = {key: why for key, why in row.left_out.items() if key != person}
        connection.execute(update(sends).where(sends.c.id == row.id).values(left_out=others))
