"""Export of all subscribers as CSV or JSON Lines, page by page, in a form that can be imported again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from typing import Any

from service.core.errors import UnknownName
from service.core.model import Membership, Preferences, SubscriptionStatus
from service.subscribers.import_formats import COLUMNS, LISTS, NOTHING, escape_formula
from service.subscribers.ports import SubscriberStore
from service.subscribers.preferences_json import COLUMN, as_object

PAGE_SIZE = 2_000  # subscribers per query
OWN_COLUMNS = COLUMNS[COLUMNS.index("schedule") : COLUMNS.index(COLUMN)]  # preferences of the person
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
    subscriber, differing = person[0].subscriber, _differing(person)
    cells = [
        subscriber.email,
        subscriber.name,
        _zone(person) or "",
        " ".join(_newsletters(person, Status.ACTIVE)),
        *(_cell(name, _own(person, name)) for name in OWN_COLUMNS),
        json.dumps(differing, ensure_ascii=False) if differing else "",
        " ".join(map(_paused, (m for m in person if m.subscription.status is Status.PAUSED))),
        " ".join(_newsletters(person, Status.UNSUBSCRIBED)),
        person[0].suppressed or "",
    ]
    return _csv_line([escape_formula(cell) for cell in cells])


def _as_json(person: Memberships) -> str:
    subscriber = person[0].subscriber
    record = {
        "email": subscriber.email,
        "name": subscriber.name,
        "timezone": _zone(person),
        "newsletters": _newsletters(person, Status.ACTIVE),
        **{name: _own(person, name) for name in OWN_COLUMNS},
        COLUMN: _differing(person),
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


def _paused(membership: Membership) -> str:
    """Return `morning`, or with the end of the pause `morning(until 2026-12-24)`."""
    end = membership.pause_end
    return membership.subscription.newsletter + (f"(until {end:%Y-%m-%d})" if end else "")


def _zone(person: Memberships) -> str | None:
    """Return the person's time zone, or the one that they chose for all newsletters; None for none."""
    zone: str | None = person[0].subscriber.timezone or _own(person, "timezone")
    return zone


def _differing(person: Memberships) -> dict[str, dict[str, Any]] | None:
    """Return all preferences by newsletter; None if the columns for all newsletters say the same."""
    zone, shared = _zone(person), Preferences(**{name: _own(person, name) for name in OWN_COLUMNS})
    own = {
        m.subscription.newsletter: m.subscription.preferences
        for m in person
        if m.subscription.status is Status.ACTIVE
    }
    is_shared = all(
        replace(one, timezone=None) == shared and one.timezone in (None, zone) and _fits_cells(one)
        for one in own.values()
    )
    return None if is_shared else as_object(own)


def _fits_cells(preferences: Preferences) -> bool:
    """Return whether an import reads the same phrases from a cell."""
    phrases = (*(preferences.follow or ()), *(preferences.mute or ()))
    return not any("," in phrase or ";" in phrase or phrase == NOTHING for phrase in phrases)


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
