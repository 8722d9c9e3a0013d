"""Deliveries as listings show them: with their issue and subscriber."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, select

from service.core.model import DeliveryState as State
from service.core.read_models import DeliveryDetails
from service.store.dialect import Query
from service.store.mappers import Row
from service.store.schema import UNDELIVERED, deliveries, issues, subscribers

UNDELIVERED_STATES = frozenset(
    (State.DEFERRED, State.REFUSED, State.SUPPRESSED, State.UNCERTAIN, State.CANCELLED)
)
"""The states of the condition UNDELIVERED."""


def delivery_query() -> Query:
    """Return the query for deliveries with their issue and subscriber."""
    return (
        select(
            deliveries,
            issues.c.id.label("issue_id"),
            issues.c.due_at.label("issue_due_at"),
            *issues.c["newsletter", "occurrence", "delivery_prefix", "created_at"],
            subscribers.c.id.label("subscriber_id"),
            *subscribers.c["email", "name"],
        )
        .join(issues, issues.c.number == deliveries.c.issue)
        .join(subscribers, subscribers.c.number == deliveries.c.subscriber)
    )


def delivery_details(row: Row) -> DeliveryDetails:
    """Return a row of `delivery_query` as a value."""
    return DeliveryDetails(
        id=row["delivery_prefix"] + row["subscriber_id"],
        issue_id=row["issue_id"],
        newsletter=row["newsletter"],
        occurrence=row["occurrence"],
        issue_due_at=row["issue_due_at"],
        subscriber_id=row["subscriber_id"],
        address=row["email"],
        name=row["name"],
        state=State(row["state"]),
        attempts=row["attempts"],
        at=row["at"] or row["created_at"],
        due_at=row["due_at"],
        reply=row["reply"] or "",
    )


def in_states(states: Collection[State]) -> ColumnElement[bool]:
    """Return the condition that a delivery is in one of these states."""
    chosen = deliveries.c.state.in_(states)
    # SQLite uses a partial index only for a query with literally the index's condition.
    return and_(chosen, UNDELIVERED) if UNDELIVERED_STATES.issuperset(states) else chosen
