"""Consents: how and when each subscription came about, and the text that the person saw.

No IP address is stored: the confirmed mail proves who agreed. An erasure keeps the rows, with a hash of the
address instead of the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from service.core import ids as identity
from service.core.model import Consent, ConsentRecord, ConsentWay
from service.store.bulk_insert import insert_rows
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.schema import consent_texts, consents, subscribers


@dataclass(frozen=True, slots=True)
class SqlConsentStore:
    """Reads consents, and records one for a person who subscribes again."""

    database: Database

    async def consents_of(self, subscriber_id: str) -> Sequence[ConsentRecord]:
        """Return the consents of a subscriber (id), oldest first."""
        query = (
            select(consents, consent_texts.c.text.label("shown"), consent_texts.c.language)
            .join(subscribers, subscribers.c.number == consents.c.subscriber)
            .outerjoin(consent_texts, consent_texts.c.id == consents.c.text)
            .where(subscribers.c.id == subscriber_id)
            .order_by(consents.c.at, consents.c.number)
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            ConsentRecord(
                row.newsletter,
                row.at,
                Consent(ConsentWay(row.way), row.shown or "", row.language or ""),
            )
            for row in rows
        ]

    async def record(self, subscriber_id: str, newsletter: str, consent: Consent, now: datetime) -> None:
        """Record a consent of a stored subscriber (id)."""
        number = select(subscribers.c.number).where(subscribers.c.id == subscriber_id)
        async with self.database.write() as connection:
            found = await connection.scalar(number)
            if found is not None:
                await record_consents(self.database, connection, [(found, newsletter)], consent, now)


async def record_consents(
    database: Database,
    connection: StoreConnection,
    subscriptions: Sequence[tuple[int, str]],
    consent: Consent,
    now: datetime,
) -> None:
    """Record the consent of each subscription: number of the subscriber, id of the newsletter."""
    if not subscriptions:
        return
    text = await save_text(database, connection, consent)
    common = {"at": now, "way": consent.way.value, "text": text}
    rows = [
        {"subscriber": subscriber, "newsletter": newsletter} | common
        for subscriber, newsletter in subscriptions
    ]
    await connection.run_sync(insert_rows, consents, rows)


async def save_text(database: Database, connection: StoreConnection, consent: Consent) -> str | None:
    """Store the text that a person saw, once for all; return its id, None without a text."""
    if not consent.text:
        return None
    key = identity.content_id("consent", consent.language, consent.text)
    row = {"id": key, "language": consent.language, "text": consent.text}
    await connection.execute(database.insert(consent_texts).values(row).on_conflict_do_nothing())
    return key


def anonymize_consents(connection: Connection, subscriber: int, address_hash: str) -> None:
    """Replace the person (number) in their consents by a hash of the address."""
    theirs = update(consents).where(consents.c.subscriber == subscriber)
    connection.execute(theirs.values(subscriber=None, address_hash=address_hash))
