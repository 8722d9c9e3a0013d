"""Export of all subscribers as CSV or JSON Lines, page by page, in a form that can be imported again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from service.core.errors import UnknownName
from service.core.model import Membership, SubscriptionStatus
from service.subscribers.import_formats import COLUMNS, LISTS, NOTHING, escape_formula
from service.subscribers.ports import SubscriberStore

PAGE_SIZE = 2_000  # subscribers per query
OWN_COLUMNS = COLUMNS[COLUMNS.index("schedule") :]  # preferences of the person
EXTRA_COLUMNS = ("paused", "unsubscribed", "suppressed")
"""Columns that an import ignores, so that it does not subscribe people again who unsubscribed."""

Status = SubscriptionStatus
Memberships = Sequence[Membership]


async def export_subscribers(
    store: SubscriberStore, file_format: str = "csv", *, newsletter: str | None = None
) -> AsyncIterator[str]:
    """Yield the lines of the file with their line endings: one per subscriber, oldest first.

    With `newsletter` (an id), only its subscribers. Raises UnknownName for an unknown `file_format`.
    """
    if file_format not in EXPORT_FORMATS:
        raise UnknownName("form", file_format, EXPORT_FORMATS)
    if file_format == "csv":
        yield _csv_line([*COLUMNS, *EXTRA_COLUMNS])
    after: str | None = None
    while page := await store.memberships_page(after, PAGE_SIZE):
        after = page[-1].subscriber.id
        for _, grouped in groupby(page, key=lambda membership: membership.subscriber.id):
            person = list(grouped)
            if newsletter is None or any(m.subscription.newsletter == newsletter for m in person):
                yield EXPORT_FORMATS[file_format](person)


def _as_csv(person: Memberships) -> str:
    subscriber = person[0].subscriber
    cells = [
        subscriber.email,
        subscriber.name,
        subscriber.timezone or "",
        " ".join(_newsletters(person, Status.ACTIVE)),
        *(_cell(name, _own(person, name)) for name in OWN_COLUMNS),
        " ".join(_newsletters(person, Status.PAUSED)),
        " ".join(_newsletters(person, Status.UNSUBSCRIBED)),
        person[0].suppressed or "",
    ]
    return _csv_line([escape_formula(cell) for cell in cells])


def _as_json(person: Memberships) -> str:
    subscriber = person[0].subscriber
    record = {
        "email": subscriber.email,
        "name": subscriber.name,
        "timezone": subscriber.timezone,
        "newsletters": _newsletters(person, Status.ACTIVE),
        **{name: _own(person, name) for name in OWN_COLUMNS},
        "suppressed": person[0].suppressed,
        "subscriptions": [
            {
                "newsletter": membership.subscription.newsletter,
                "status": membership.subscription.status.value,
                "wishes": {
                    k: v for k, v in asdict(membership.subscription.preferences).items() if v is not None
                },
                "next_due_at": membership.subscription.next_due_at.isoformat(),
                "paused_until": membership.pause_end and membership.pause_end.isoformat(),
            }
            for membership in person
        ],
    }
    return json.dumps(record, ensure_ascii=False) + "\n"


EXPORT_FORMATS: dict[str, Callable[[Memberships], str]] = {"csv": _as_csv, "jsonl": _as_json}


def _newsletters(person: Memberships, status: SubscriptionStatus) -> list[str]:
    return [m.subscription.newsletter for m in person if m.subscription.status is status]


def _own(person: Memberships, name: str) -> Any:  # noqa: ANN401 - the type of the preference
    """Return the person's own preference if it is the same for all active subscriptions, else None."""
    own = {
        getattr(m.subscription.preferences, name) for m in person if m.subscription.status is Status.ACTIVE
    }
    return own.pop() if len(own) == 1 else None


def _cell(name: str, value: object) -> str:
    """Return a preference as an import reads it: "" for none, NOTHING for an empty list."""
    if isinstance(value, tuple):
        return LISTS[name].join(value) or NOTHING
    return "" if value is None else str(value)


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
