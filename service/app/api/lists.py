"""Lists of the API: pages of issues and articles, and a send with the state of its deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.core.model import Books, DeliveryState, ManualSend
from service.store.api_pages import ApiPages

if TYPE_CHECKING:
    from service.app.factories.application import Application

WAITING = (DeliveryState.PLANNED, DeliveryState.ATTEMPTING, DeliveryState.DEFERRED)


@dataclass(frozen=True, slots=True)
class RecordedSend:
    """A manual send and its deliveries so far."""

    send: ManualSend
    books: Books


def pages(app: Application) -> ApiPages:
    """Return the queries for pages of lists."""
    return ApiPages(app.database)


async def recorded_send(app: Application, send_id: str) -> RecordedSend | None:
    """Return a manual send with the counts of its deliveries; None for an unknown id."""
    found = await pages(app).send(send_id)
    if found is None:
        return None
    counts = await app.queries.delivery_counts(found.issues)
    ended = {state.value: counts[state] for state in DeliveryState if state not in WAITING}
    waiting = sum(counts[state] for state in WAITING)
    return RecordedSend(found, Books(due=found.deliveries, waiting=waiting, **ended))
