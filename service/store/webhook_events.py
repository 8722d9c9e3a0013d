"""Events for webhooks, recorded in the transaction of the event: a crash loses neither or both.

A webhook of the configuration gets one row per event. Without webhooks each statement finds none to insert.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, String, select, type_coerce

from service.core.ids import content_id
from service.core.model import SubscriptionStatus as Status
from service.core.model import WebhookEvent, WebhookMessageState
from service.deliver.ports import StateChange
from service.store.columns import to_millis
from service.store.connection import StoreConnection
from service.store.dialect import Query, insert_into
from service.store.schema import subscribers, subscriptions, webhook_messages, webhooks

PREFIX_CHARACTERS = 16  # of a delivery's id: the part, as in sqlite_ledger

_PLAN_REFUSED = """
    INSERT INTO webhook_messages
        (id, webhook, event, subscriber, created_at, data, state, attempts, next_attempt_at)
    SELECT 'msg_' || {event} || substr(webhooks.id, 1, 8), webhooks.id, 'delivery.refused',
        subscribers.number, {at}, {data}, 'waiting', 0, {at}
    FROM webhooks, issues, subscribers
    WHERE webhooks.active AND webhooks.events LIKE '%"delivery.refused"%'
        AND issues.delivery_prefix = {prefix} AND issues.edition_key <> '' AND subscribers.id = {person}
    ON CONFLICT DO NOTHING
"""
_DATA = "'issue', issues.id, 'newsletter', issues.newsletter, 'subscriber', subscribers.id"

PLAN_REFUSED_SQLITE = _PLAN_REFUSED.format(
    event="?1", at="?2", prefix="?3", person="?4", data=f"json_object({_DATA})"
)
PLAN_REFUSED_POSTGRES = _PLAN_REFUSED.format(
    event="$1::text", at="$2::bigint", prefix="$3", person="$4", data=f"json_build_object({_DATA})::text"
)
"""Records a refused delivery for each webhook that is called for it; the values are `refused_values`."""


def refused_values(change: StateChange) -> tuple[str, int, str, str]:
    """Return the values of the statement for a refused delivery."""
    at, delivery = to_millis(change.at), change.delivery_id
    event = content_id("refused", delivery, str(at))[:24]
    return event, at, delivery[:PREFIX_CHARACTERS], delivery[PREFIX_CHARACTERS:]


async def plan_unsubscribed(connection: StoreConnection, which: ColumnElement[bool], now: datetime) -> None:
    """Record for each webhook that these subscriptions end by their subscriber's choice."""
    query = (
        select(subscriptions.c.newsletter, subscribers.c.id, subscribers.c.number)
        .join(subscribers, subscribers.c.number == subscriptions.c.subscriber)
        .where(which, subscriptions.c.choice != Status.UNSUBSCRIBED)
    )
    called = (await connection.scalars(called_for(WebhookEvent.UNSUBSCRIBED))).all()
    for row in (await connection.execute(query)).all() if called else ():
        event = content_id("unsubscribed", row.id, row.newsletter, str(to_millis(now)))
        data = {"subscriber": row.id, "newsletter": row.newsletter}
        for webhook in called:
            await insert_message(
                connection, webhook, WebhookEvent.UNSUBSCRIBED, event, data, now=now, subscriber=row.number
            )


def called_for(event: WebhookEvent) -> Query:
    """Return the query for the ids of the webhooks that are called for an event."""
    names = type_coerce(webhooks.c.events, String).contains(f'"{event.value}"')
    return select(webhooks.c.id).where(webhooks.c.active, names)


async def insert_message(
    connection: StoreConnection,
    webhook: str,
    event: WebhookEvent,
    event_id: str,
    data: Mapping[str, object],
    *,
    now: datetime,
    subscriber: int | None = None,
) -> bool:
    """Record an event for a webhook; return False if it was recorded before."""
    values = {
        "id": f"msg_{event_id[:24]}{webhook[:8]}",
        "webhook": webhook,
        "event": event.value,
        "subscriber": subscriber,
        "created_at": now,
        "data": dict(data),
        "state": WebhookMessageState.WAITING.value,
        "attempts": 0,
        "next_attempt_at": now,
    }
    new = insert_into(connection, webhook_messages).values(values).on_conflict_do_nothing()
    return bool((await connection.execute(new)).rowcount)
