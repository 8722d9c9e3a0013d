"""My data: everything that is stored about a person, as one document (GDPR, articles 15 and 20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from service.core.ids import subscriber_id
from service.core.model import Membership
from service.store.bounces import SqlBounceStore
from service.store.consents import SqlConsentStore
from service.store.database import Database
from service.store.queries import Queries
from service.store.subscribers import SqlSubscriberStore
from service.store.transactional import SqlSignUpStore

MAX_DELIVERIES = 100_000
"""Mails that the document lists; a person who gets one an hour has them after eleven years."""

Document = dict[str, Any]


async def data_of(database: Database, email: str) -> Document:
    """Return what is stored about the person with this address; empty lists where there is nothing.

    Every value is a string, a number, true, false, null, a list or an object, so `json.dumps` writes it.
    """
    person = subscriber_id(email)
    people = SqlSubscriberStore(database)
    memberships = await people.memberships(subscriber_id=person)
    suppression = await people.suppression(email)
    return {
        "person": _plain(memberships[0].subscriber) if memberships else {"id": person, "email": email},
        "subscriptions": [_subscription(membership) for membership in memberships],
        "consents": [
            {"newsletter": one.newsletter, "at": _plain(one.at), **_plain(one.consent)}
            for one in await SqlConsentStore(database).consents_of(person)
        ],
        "sign_ups": _listed(await SqlSignUpStore(database).waiting(person)),
        "mails": _listed(await Queries(database).deliveries_to(person, limit=MAX_DELIVERIES)),
        "bounces": _listed(await SqlBounceStore(database).bounces_of(email)),
        "suppression": None if suppression is None else _plain(suppression),
    }


def _subscription(membership: Membership) -> Document:
    subscription = membership.subscription
    return {
        "newsletter": subscription.newsletter,
        "status": subscription.status.value,
        "paused_until": _plain(subscription.paused_until),
        "next_due_at": _plain(subscription.next_due_at),
        "named_in_the_configuration": membership.declared,
        "chosen_by_the_person": membership.chosen,
        "preferences": _plain(membership.edition),
    }


def _listed(values: Sequence[object]) -> list[Any]:
    return [_plain(value) for value in values]


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of a dataclass
    """Return the value as JSON has it; times as ISO 8601."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (tuple, list, set, frozenset)):
        return [_plain(one) for one in value]
    return value
