"""Search for recipients of a newsletter by a part of their address or name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from service.core.model import SubscriptionStatus
from service.core.subscriber_search.listing import SubscriberFilter
from service.store.find_subscribers import SubscriberFinder

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_FOUND = 20  # shown below the form


async def find_recipients(app: Application, newsletter: str, text: str) -> Sequence[str]:
    """Return the addresses of the newest subscribers of the newsletter (id) that the text is part of."""
    wanted = SubscriberFilter(text=text, newsletter=newsletter, status=SubscriptionStatus.ACTIVE)
    page = await SubscriberFinder(app.database).page(wanted, limit=MAX_FOUND)
    return [one.email for one in page.people]
