"""Transactional mail and sign-ups: planned, confirmed, deleted after their time.

A transactional mail is an issue of its own kind with one delivery, planned in the transaction that makes it
necessary. So the ledger handles it like any other delivery: leases, attempts, retries, limits, pauses,
metrics. No token is stored: links are placeholders, filled in when the message is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, literal, select, update
from typing_extensions import override

from service.core.errors import UsageError
from service.core.model import Consent, ConsentWay, DesiredSubscription, Issue, SignUpRequest, Subscriber
from service.core.model import DeliveryState as State
from service.core.read_models import TransactionalCounts
from service.store.columns import Instant
from service.store.connection import StoreConnection
from service.store.consents import SqlConsentStore, save_text
from service.store.database import Database
from service.store.dialect import is_in, lock_groups
from service.store.invitations import use_invitation
from service.store.mappers import issue_values, subscriber_values
from service.store.schema import (
    TRANSACTIONAL,
    TRANSACTIONAL_OUTBOX,
    bounces,
    consent_texts,
    deliveries,
    issues,
    sign_ups,
    subscribers,
    subscriptions,
)
from service.store.subscriber_search import index_people, purge, remove_people
from service.store.subscriptions import ChangeSource, SubscriptionWriter
from service.subscribers.ports import SignUpStore

MAIL_RETENTION = timedelta(days=7)
"""Time after which a transactional mail is deleted: a bounce can come after 5 days (RFC 5321, 4.5.4.1)."""

MAX_PRUNED = 500  # mails and sign-ups in one transaction, so that other writers do not wait long


@dataclass(frozen=True, slots=True)
class SqlSignUpStore(SignUpStore):
    """SignUpStore on the tables sign_ups, issues and deliveries."""

    database: Database

    @override
    async def request(self, sign_up: Sequence[SignUpRequest], mail: Issue, channel: str) -> bool:
        async with self.database.write() as connection:
            await lock_groups(connection)
            number = await self._number(connection, sign_up[0].subscriber)
            for one in sign_up:
                again = {
                    "timezone": one.timezone,
                    "last_at": one.first_at,
                    "schedule": one.schedule,
                    "consent_text": await save_text(self.database, connection, one.consent),
                    "invitation": one.invitation,
                }
                row = {"subscriber": number, "newsletter": one.newsletter, "first_at": one.first_at} | again
                key = (sign_ups.c.subscriber, sign_ups.c.newsletter)
                stored = self.database.insert(sign_ups).on_conflict_do_update(index_elements=key, set_=again)
                await connection.execute(stored, row)
            if await connection.scalar(select(exists().where(_waiting(number, mail)))):
                return False
            return await self._plan(connection, mail, number, channel)

    @override
    async def find(self, subscriber_id: str, newsletter: str) -> SignUpRequest | None:
        query = (
            select(
                *(sign_ups, subscribers.c.id, subscribers.c.email, subscribers.c.name),
                *(consent_texts.c.text.label("shown"), consent_texts.c.language),
            )
            .join(subscribers, subscribers.c.number == sign_ups.c.subscriber)
            .outerjoin(consent_texts, consent_texts.c.id == sign_ups.c.consent_text)
            .where(subscribers.c.id == subscriber_id, sign_ups.c.newsletter == newsletter)
        )
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        way = ConsentWay.INVITATION if row.invitation else ConsentWay.FORM
        return SignUpRequest(
            Subscriber(row.id, row.email, row.name),
            row.newsletter,
            row.timezone,
            row.first_at,
            row.schedule,
            Consent(way, row.shown or "", row.language or ""),
            row.invitation,
        )

    async def waiting(self, subscriber_id: str) -> Sequence[SignUpRequest]:
        """Return the stored sign-ups of a subscriber (id)."""
        query = (
            select(sign_ups.c.newsletter)
            .join(subscribers, subscribers.c.number == sign_ups.c.subscriber)
            .where(subscribers.c.id == subscriber_id)
            .order_by(sign_ups.c.newsletter)
        )
        async with self.database.read() as connection:
            names = (await connection.scalars(query)).all()
        found = [await self.find(subscriber_id, name) for name in names]
        return [one for one in found if one is not None]

    @override
    async def confirm(
        self,
        placement: DesiredSubscription,
        now: datetime,
        *,
        starts_after: datetime,
        welcome: Issue,
        channel: str,
        consent: Consent,
        invitation: str | None = None,
    ) -> bool:
        async with self.database.write() as connection:
            await lock_groups(connection)
            source = ChangeSource.IMPORT
            writer = SubscriptionWriter(self.database, connection, source, now, starts_after, consent)
            await writer.write([placement])
            if writer.counts["added"] + writer.counts["changed"] == 0:
                return False
            if invitation is not None and not await use_invitation(connection, invitation, now):
                raise UsageError("this invitation is not valid any more; ask for a new one")
            number = await self._number(connection, placement.subscriber)
            await self._plan(connection, welcome, number, channel)
        return True

    @override
    async def record_consent(
        self, subscriber_id: str, newsletter: str, consent: Consent, now: datetime
    ) -> None:
        await SqlConsentStore(self.database).record(subscriber_id, newsletter, consent, now)

    @override
    async def plan_mail(self, mail: Issue, subscriber: Subscriber, channel: str) -> bool:
        async with self.database.write() as connection:
            await lock_groups(connection)
            return await self._plan(connection, mail, await self._number(connection, subscriber), channel)

    async def counts(self, since: datetime) -> TransactionalCounts:
        """Return the number of transactional mails planned after `since`, by state."""
        counting = (
            select(deliveries.c.state, func.count(), func.min(issues.c.created_at, type_=Instant))
            .join(issues, issues.c.number == deliveries.c.issue)
            .where(TRANSACTIONAL, issues.c.created_at > since)
            .group_by(deliveries.c.state)
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(counting)).all()
        waiting = (State.PLANNED, State.ATTEMPTING, State.DEFERRED)
        counted = {State(state): (count, oldest) for state, count, oldest in rows}
        return TransactionalCounts(
            waiting=sum(counted[state][0] for state in waiting if state in counted),
            oldest=min((counted[state][1] for state in waiting if state in counted), default=None),
            **{
                state.value: counted.get(state, (0, None))[0]
                for state in (State.SENT, State.REFUSED, State.UNCERTAIN, State.SUPPRESSED)
            },
        )

    async def prune(self, now: datetime, link_lifetime: timedelta) -> int:
        """Delete expired sign-ups, old mails, and people who never confirmed; return how many rows.

        `link_lifetime` is the validity of a confirmation link.
        """
        async with self.database.write() as connection:
            await lock_groups(connection)
            expired_rows = select(sign_ups.c.subscriber, sign_ups.c.newsletter).where(
                sign_ups.c.last_at < now - link_lifetime
            )
            expired = (await connection.execute(expired_rows.limit(MAX_PRUNED))).all()
            for subscriber, newsletter in expired:
                same = and_(sign_ups.c.subscriber == subscriber, sign_ups.c.newsletter == newsletter)
                await connection.execute(delete(sign_ups).where(same))
            await _refuse_expired(connection, now, now - link_lifetime)
            mails = await _delete_old_mails(connection, now - MAIL_RETENTION)
            people = {*mails, *(subscriber for subscriber, _ in expired)}
            removed = await _delete_unconfirmed(connection, people)
        if removed:
            await purge(self.database)
        return len(expired) + len(mails) + removed

    async def _number(self, connection: StoreConnection, subscriber: Subscriber) -> int:
        """Return the subscriber's number; an unknown subscriber is stored, without a subscription."""
        stored = self.database.insert(subscribers).on_conflict_do_nothing()
        added = await connection.execute(stored, subscriber_values(subscriber))
        found = select(subscribers.c.number).where(subscribers.c.id == subscriber.id)
        number = int((await connection.execute(found)).scalar_one())
        if added.rowcount:
            await index_people(connection, {number: subscriber})
        return number

    async def _plan(self, connection: StoreConnection, mail: Issue, subscriber: int, channel: str) -> bool:
        stored = self.database.insert(issues).on_conflict_do_nothing()
        planned = await connection.execute(stored, issue_values(mail, channel) | {"readers": 1})
        if planned.rowcount == 0:
            return False
        columns = (issues.c.number, literal(subscriber), literal("planned"), literal(0))
        at = literal(mail.created_at, Instant)
        row = select(*columns, at, literal(value=True)).where(issues.c.id == mail.id)
        names = ["issue", "subscriber", "state", "attempts", "due_at", "transactional"]
        await connection.execute(deliveries.insert().from_select(names, row))
        return True


def _waiting(subscriber: int, mail: Issue) -> ColumnElement[bool]:
    """Return the condition that an equal mail for the same newsletter waits for an attempt."""
    same = select(issues.c.number).where(
        TRANSACTIONAL, issues.c.occurrence == mail.kind.value, issues.c.newsletter == mail.newsletter
    )
    return and_(TRANSACTIONAL_OUTBOX, deliveries.c.subscriber == subscriber, deliveries.c.issue.in_(same))


async def _refuse_expired(connection: StoreConnection, now: datetime, before: datetime) -> None:
    """Refuse mails that were not sent before their link expired, for example in a long sending pause."""
    late = select(issues.c.number).where(TRANSACTIONAL, issues.c.created_at < before)
    waiting = and_(TRANSACTIONAL_OUTBOX, deliveries.c.issue.in_(late), deliveries.c.token.is_(None))
    refused = {"state": State.REFUSED, "due_at": None, "at": now, "reply": "not sent before its link expired"}
    await connection.execute(update(deliveries).where(waiting).values(refused))


async def _delete_old_mails(connection: StoreConnection, before: datetime) -> list[int]:
    """Delete the finished transactional mails from before then; return the subscriber (number) of each."""
    finished = deliveries.c.state.not_in((State.PLANNED, State.DEFERRED))
    old = (
        select(deliveries.c.issue, deliveries.c.subscriber)
        .join(issues, issues.c.number == deliveries.c.issue)
        .where(TRANSACTIONAL, issues.c.created_at < before, deliveries.c.token.is_(None), finished)
        .limit(MAX_PRUNED)
    )
    found = (await connection.execute(old)).all()
    await connection.run_sync(delete_mails, [row.issue for row in found])
    return [row.subscriber for row in found]


def delete_mails(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete these transactional mails (numbers of issues), with their deliveries and bounces."""
    for table in (bounces, deliveries):
        connection.execute(delete(table).where(is_in(connection, table.c.issue, numbers)))
    connection.execute(delete(issues).where(TRANSACTIONAL, is_in(connection, issues.c.number, numbers)))


async def _delete_unconfirmed(connection: StoreConnection, numbers: set[int]) -> int:
    """Delete those of these subscribers that no other table refers to: they never confirmed a sign-up."""
    named = [
        exists().where(table.c.subscriber == subscribers.c.number)
        for table in (subscriptions, sign_ups, deliveries, bounces)
    ]
    which = and_(is_in(connection, subscribers.c.number, numbers), *(~one for one in named))
    unknown = (await connection.execute(select(subscribers.c.number).where(which))).scalars().all()
    await connection.run_sync(remove_people, unknown)
    these = is_in(connection, subscribers.c.number, unknown)
    return (await connection.execute(delete(subscribers).where(these))).rowcount


def transactional_of(connection: Connection, subscriber: int) -> Sequence[int]:
    """Return the numbers of the subscriber's transactional mails."""
    theirs = and_(deliveries.c.subscriber == subscriber, deliveries.c.transactional)
    return connection.scalars(select(deliveries.c.issue).where(theirs)).all()
