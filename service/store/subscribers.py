"""Declared feeds, subscriptions, their statuses, and suppressions.

A subscription has two statuses: `choice` is the subscriber's own, `status` is the effective one. They differ
while the roster has ended the subscription; after it declares it again, `choice` becomes effective.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Update, and_, case, delete, literal, select, true, update
from typing_extensions import override

from service.core import ids as identity
from service.core.model import (
    Consent,
    ConsentWay,
    DesiredSubscription,
    Feed,
    FeedState,
    Membership,
    Subscriber,
    Subscription,
)
from service.core.model import SubscriptionStatus as Status
from service.core.read_models import Suppression
from service.store import groups as group_rows
from service.store import pauses
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import Query, is_in, lock_groups
from service.store.erasure import erase
from service.store.mappers import (
    EDITION,
    Row,
    Values,
    edition_of,
    feed_of,
    feed_values,
    poll_values,
    preferences_of,
)
from service.store.roster_state import SqlRosterState
from service.store.schema import (
    bounces,
    editions,
    feeds,
    groups,
    settings,
    subscribers,
    subscriptions,
    suppressions,
)
from service.store.subscriber_search import purge
from service.store.subscriptions import ChangeSource, SubscriptionWriter, current_group
from service.store.webhook_events import plan_unsubscribed
from service.subscribers.ports import SubscriberStore, SyncCounts

PERSON = ("id", "email", "name", "timezone", "channel")


@dataclass(frozen=True, slots=True)
class SqlSubscriberStore(SubscriberStore):
    """SubscriberStore on the tables feeds, subscribers, subscriptions and suppressions."""

    database: Database

    @property
    @override
    def roster_state(self) -> SqlRosterState:
        return SqlRosterState(self.database)

    @override
    async def save_feeds(self, declared: Sequence[Feed], now: datetime) -> SyncCounts:
        by_id = {feed.id: feed for feed in declared}
        wanted = {key: feed_values(feed) for key, feed in by_id.items()}
        async with self.database.write() as connection:
            known = {row["id"]: row for row in (await connection.execute(select(feeds))).mappings()}
            added = [key for key in wanted if key not in known]
            changed = [key for key in wanted if key in known and _differs(known[key], wanted[key])]
            ended = [key for key, row in known.items() if row["active"] and key not in wanted]
            for key in added:
                unpolled = poll_values(FeedState(by_id[key]))
                await connection.execute(feeds.insert().values(**wanted[key], **unpolled, active=True))
            for key in changed:
                again = {} if known[key]["active"] else {"active": True, "gone_at": None}
                await connection.execute(
                    update(feeds).where(feeds.c.id == key).values(**wanted[key], **again)
                )
            if ended:
                await connection.execute(update(feeds).where(feeds.c.id.in_(ended)).values(active=False))
        return SyncCounts(len(added), len(changed), len(ended), len(wanted) - len(added) - len(changed))

    @override
    async def save_roster_subscriptions(
        self, placements: Sequence[DesiredSubscription], now: datetime, *, starts_after: datetime
    ) -> SyncCounts:
        async with self.database.write() as connection:
            await lock_groups(connection)
            writer = SubscriptionWriter(self.database, connection, ChangeSource.ROSTER, now, starts_after)
            await writer.write(placements)
            ended = await _end_others(connection, placements, now)
        counts = writer.counts
        return SyncCounts(counts["added"], counts["changed"], ended, counts["kept"])

    @override
    async def add_subscriptions(
        self,
        placements: Sequence[DesiredSubscription],
        now: datetime,
        *,
        starts_after: datetime,
        consent: Consent | ConsentWay = ConsentWay.IMPORT,
    ) -> SyncCounts:
        async with self.database.write() as connection:
            await lock_groups(connection)
            given = Consent(consent) if isinstance(consent, ConsentWay) else consent
            source = ChangeSource.IMPORT
            writer = SubscriptionWriter(self.database, connection, source, now, starts_after, given)
            await writer.write(placements)
        counts = writer.counts
        return SyncCounts(counts["added"], counts["changed"], 0, counts["kept"])

    @override
    async def save_preferences(self, placement: DesiredSubscription, now: datetime) -> None:
        async with self.database.write() as connection:
            await lock_groups(connection)
            await SubscriptionWriter(self.database, connection, ChangeSource.PERSON, now).write([placement])

    @override
    async def memberships(
        self, *, newsletter: str | None = None, email: str | None = None, subscriber_id: str | None = None
    ) -> Sequence[Membership]:
        query = _memberships().order_by(subscribers.c.email, subscriptions.c.newsletter)
        if newsletter is not None:
            query = query.where(subscriptions.c.newsletter == newsletter)
        if email is not None:
            query = query.where(subscribers.c.id == identity.subscriber_id(email))
        if subscriber_id is not None:
            query = query.where(subscribers.c.id == subscriber_id)
        async with self.database.read() as connection:
            return [_membership_of(row) for row in (await connection.execute(query)).mappings()]

    @override
    async def memberships_of(self, subscriber_ids: Collection[str]) -> Sequence[Membership]:
        async with self.database.read() as connection:
            query = _memberships().where(is_in(connection, subscribers.c.id, subscriber_ids))
            rows = await connection.execute(query.order_by(subscriptions.c.newsletter))
            return [_membership_of(row) for row in rows.mappings()]

    @override
    async def memberships_page(self, after: str | None, limit: int) -> Sequence[Membership]:
        people = select(subscriptions.c.subscriber).distinct().order_by(subscriptions.c.subscriber)
        if after is not None:
            last = select(subscribers.c.number).where(subscribers.c.id == after)
            people = people.where(subscriptions.c.subscriber > last.scalar_subquery())
        page = people.limit(limit).subquery()
        query = (
            _memberships()
            .where(subscriptions.c.subscriber.in_(select(page.c.subscriber)))
            .order_by(subscriptions.c.subscriber, subscriptions.c.newsletter)
        )
        async with self.database.read() as connection:
            return [_membership_of(row) for row in (await connection.execute(query)).mappings()]

    @override
    async def known_subscribers(self, ids: Collection[str]) -> set[str]:
        async with self.database.read() as connection:
            known = select(subscribers.c.id).where(is_in(connection, subscribers.c.id, ids))
            return set((await connection.execute(known)).scalars())

    @override
    async def set_status(
        self, subscriber_id: str, newsletter: str | None, status: Status, now: datetime
    ) -> int:
        whose = _of(subscriber_id, newsletter)
        async with self.database.write() as connection:
            if status is Status.ACTIVE or await pauses.is_any(connection, whose):
                await lock_groups(connection)
                await pauses.forget_dates(connection, whose, now)
            if status is Status.ACTIVE:
                await _catch_up(connection, subscriber_id, newsletter, now)
            if status is Status.UNSUBSCRIBED:
                await plan_unsubscribed(connection, whose, now)
            change = _status_change(subscriber_id, newsletter, status)
            return (await connection.execute(change.values(changed_at=now))).rowcount

    @override
    async def pause_until(self, subscriber_id: str, newsletter: str | None, day: date, now: datetime) -> int:
        whose = _of(subscriber_id, newsletter)
        if newsletter is None:
            whose = and_(whose, subscriptions.c.choice != Status.UNSUBSCRIBED)
        async with self.database.write() as connection:
            await lock_groups(connection)
            return await pauses.begin(connection, whose, day, now)

    @override
    async def suppress(self, email: str, reason: str, now: datetime) -> None:
        row = {"address_hash": identity.address_hash(email), "reason": reason, "at": now}
        async with self.database.write() as connection:
            await connection.execute(self.database.insert(suppressions).values(row).on_conflict_do_nothing())

    @override
    async def erase(self, email: str) -> bool:
        async with self.database.write() as connection:
            await lock_groups(connection)
            known = await connection.run_sync(erase, email)
        await purge(self.database)
        await self.database.truncate_log()
        return known

    @override
    async def suppression(self, email: str) -> Suppression | None:
        query = select(suppressions.c.reason, suppressions.c.at).where(
            suppressions.c.address_hash == identity.address_hash(email)
        )
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Suppression(row.reason, row.at)

    @override
    async def unsuppress(self, email: str) -> bool:
        lifted = delete(suppressions).where(suppressions.c.address_hash == identity.address_hash(email))
        person = select(subscribers.c.number).where(subscribers.c.id == identity.subscriber_id(email))
        async with self.database.write() as connection:
            if (await connection.execute(lifted)).rowcount == 0:
                return False
            await connection.execute(delete(bounces).where(bounces.c.subscriber == person.scalar_subquery()))
            return True

    @override
    async def signing_key(self) -> bytes:
        key = select(settings.c.value).where(settings.c.name == "signing_key")
        async with self.database.read() as connection:
            return bytes.fromhex((await connection.execute(key)).scalar_one())


def _differs(row: Row, wanted: Values) -> bool:
    return feed_of(row) != feed_of(wanted) or not row["active"]


async def _end_others(
    connection: StoreConnection, placements: Sequence[DesiredSubscription], now: datetime
) -> int:
    """End the subscriptions that the roster no longer declares; return how many were active or paused."""
    declared = {(placement.subscriber.id, placement.newsletter) for placement in placements}
    query = (
        select(
            subscribers.c.id, subscriptions.c.newsletter, subscriptions.c.subscriber, subscriptions.c.status
        )
        .join(subscribers, subscribers.c.number == subscriptions.c.subscriber)
        .where(subscriptions.c.declared)
    )
    gone = [row for row in await connection.execute(query) if (row.id, row.newsletter) not in declared]
    # UNSUBSCRIBED stays: the subscription must not become active when the roster declares it again.
    ends = case((subscriptions.c.status == Status.UNSUBSCRIBED, Status.UNSUBSCRIBED), else_=Status.ENDED)
    for row in gone:
        await connection.execute(
            update(subscriptions)
            .where(subscriptions.c.subscriber == row.subscriber, subscriptions.c.newsletter == row.newsletter)
            .values(status=ends, declared=False, changed_at=now)
        )
    return sum(row.status in (Status.ACTIVE, Status.PAUSED) for row in gone)


def _of(subscriber_id: str, newsletter: str | None) -> ColumnElement[bool]:
    person = select(subscribers.c.number).where(subscribers.c.id == subscriber_id).scalar_subquery()
    named = true() if newsletter is None else subscriptions.c.newsletter == newsletter
    return and_(subscriptions.c.subscriber == person, named)


def _status_change(subscriber_id: str, newsletter: str | None, status: Status) -> Update:
    """Return the UPDATE of the subscriptions that the new status changes."""
    change = update(subscriptions).where(_of(subscriber_id, newsletter))
    if status is Status.ENDED:
        running = subscriptions.c.status.in_((Status.ACTIVE, Status.PAUSED))
        return change.where(running).values(status=status, declared=False)
    if newsletter is None and status is not Status.UNSUBSCRIBED:
        change = change.where(subscriptions.c.choice != Status.UNSUBSCRIBED)
    ended = subscriptions.c.status == Status.ENDED
    effective = (
        literal(status) if status is Status.UNSUBSCRIBED else case((ended, Status.ENDED), else_=status)
    )
    return change.where(subscriptions.c.choice != status).values(choice=status, status=effective)


async def _catch_up(
    connection: StoreConnection, subscriber_id: str, newsletter: str | None, now: datetime
) -> None:
    """Move subscriptions that become active again to a group whose due time is in the future."""
    query = (
        select(subscriptions, groups.c.edition_key, groups.c.told_through, groups.c.next_due_at)
        .join(groups, groups.c.number == subscriptions.c.group_number)
        .where(
            _of(subscriber_id, newsletter),
            subscriptions.c.status != Status.ACTIVE,
            groups.c.next_due_at <= now,
        )
    )
    for row in (await connection.execute(query)).mappings().all():
        number = await current_group(connection, dict(row), now)
        await connection.execute(
            update(subscriptions)
            .where(
                subscriptions.c.subscriber == row["subscriber"],
                subscriptions.c.newsletter == row["newsletter"],
            )
            .values(group_number=number)
        )
        await group_rows.remove_if_empty(connection, [row["group_number"]])


def _memberships() -> Query:
    return (
        select(
            subscriptions,
            groups.c.edition_key,
            groups.c.told_through,
            groups.c.next_due_at,
            *(editions.c[name].label(f"of_{name}") for name in EDITION),
            *(subscribers.c[name].label(f"person_{name}") for name in PERSON),
            suppressions.c.reason,
        )
        .join(groups, groups.c.number == subscriptions.c.group_number)
        .join(editions, editions.c.key == groups.c.edition_key)
        .join(subscribers, subscribers.c.number == subscriptions.c.subscriber)
        .outerjoin(suppressions, suppressions.c.address_hash == subscribers.c.address_hash)
    )


def _membership_of(row: Row) -> Membership:
    return Membership(
        subscriber=Subscriber(**{name: row[f"person_{name}"] for name in PERSON}),
        subscription=Subscription(
            subscriber_id=row["person_id"],
            newsletter=row["newsletter"],
            preferences=preferences_of(row["wishes"]),
            edition_key=row["edition_key"],
            next_due_at=row["next_due_at"],
            served_through=row["told_through"],
            status=Status(row["status"]),
            paused_until=row["paused_until"],
        ),
        edition=edition_of({name: row[f"of_{name}"] for name in EDITION}),
        suppressed=row["reason"],
        declared=row["declared"],
        chosen=row["chosen"],
    )
