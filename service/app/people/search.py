"""Search of subscribers for the editors' pages and the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.core.errors import UnknownName
from service.core.model import SubscriptionStatus
from service.core.subscriber_search.listing import BoundedCount, SubscriberFilter, SubscriberPage
from service.store.find_subscribers import SubscriberFinder

if TYPE_CHECKING:
    from service.app.factories.application import Application

__all__ = ["SubscriberFilter", "SubscriberPage", "count_subscribers", "find_subscribers", "subscriber_filter"]

PAGE_SIZE = 50
STATUSES = tuple(status.value for status in SubscriptionStatus)


def subscriber_filter(
    text: str = "", newsletter: str = "", status: str = "", *, suppressed: bool = False
) -> SubscriberFilter:
    """Return the filter of these words. Raises UnknownName for an unknown status."""
    if status and status not in STATUSES:
        raise UnknownName("status", status[:64], STATUSES)
    return SubscriberFilter(text, newsletter, SubscriptionStatus(status) if status else None, suppressed)


async def find_subscribers(
    app: Application, wanted: SubscriberFilter, *, after: int | None = None, limit: int = PAGE_SIZE
) -> SubscriberPage:
    """Return a page of the subscribers that match, newest first; `after` is the `next` of the page before."""
    return await SubscriberFinder(app.database).page(wanted, after=after, limit=limit)


async def count_subscribers(app: Application, wanted: SubscriberFilter) -> BoundedCount:
    """Return the number of subscribers that match, counted up to a limit."""
    return await SubscriberFinder(app.database).count(wanted)
