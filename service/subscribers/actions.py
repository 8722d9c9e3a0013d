"""Actions of subscribers: they win over the roster, and repeating one changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from service.core.errors import UsageError
from service.core.model import SubscriptionStatus
from service.subscribers.ports import ERASED_REASON, UNSUBSCRIBED_REASON, SubscriberStore

Status = SubscriptionStatus

MAX_PAUSE = timedelta(days=366)  # whoever wants to be away for longer pauses without a date


async def unsubscribe(
    store: SubscriberStore, subscriber_id: str, newsletter: str | None, now: datetime
) -> int:
    """End one subscription, or all of them with None; return how many changed.

    With None the address is suppressed as well, so that no roster and no import subscribes it again.
    """
    changed = await store.set_status(subscriber_id, newsletter, Status.UNSUBSCRIBED, now)
    if newsletter is None:
        for address in await _addresses(store, subscriber_id):
            await store.suppress(address, UNSUBSCRIBED_REASON, now)
    return changed


async def pause(
    store: SubscriberStore,
    subscriber_id: str,
    newsletter: str | None,
    now: datetime,
    until: date | None = None,
) -> int:
    """Pause one subscription, or all active ones with None; return how many changed.

    With `until`, the first issue comes at the first due time from that day on, in the subscription's time
    zone. Raises UsageError for a day that is not after today there, or more than MAX_PAUSE ahead.
    """
    if until is None:
        return await store.set_status(subscriber_id, newsletter, Status.PAUSED, now)
    for membership in await store.memberships(subscriber_id=subscriber_id):
        if newsletter in (None, membership.subscription.newsletter):
            require_future_day(until, now, membership.edition.timezone)
    if newsletter is not None:
        await _lift_own(store, subscriber_id, newsletter, now)
    return await store.pause_until(subscriber_id, newsletter, until, now)


def require_future_day(day: date, now: datetime, timezone: str) -> None:
    """Raise UsageError for a day that is not after today in the time zone, or more than MAX_PAUSE ahead."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    if not today < day <= today + MAX_PAUSE:
        raise UsageError(
            f"a pause until {day} is not possible; choose a day from tomorrow on, at most a year ahead"
        )


async def resume(store: SubscriberStore, subscriber_id: str, newsletter: str | None, now: datetime) -> int:
    """Resume one subscription, or all paused ones with None; return how many changed.

    Naming a newsletter also lifts the suppression of a subscriber who unsubscribed from everything; one with
    any other reason (a bounce, a complaint) stays.
    """
    if newsletter is not None:
        await _lift_own(store, subscriber_id, newsletter, now)
    return await store.set_status(subscriber_id, newsletter, Status.ACTIVE, now)


async def erase(store: SubscriberStore, email: str, now: datetime) -> bool:
    """Erase a subscriber's personal data (GDPR, article 17); return whether there was such a subscriber.

    A hash of the address stays suppressed, so that no roster and no import mails it again.
    """
    await store.suppress(email, ERASED_REASON, now)
    return await store.erase(email)


async def _addresses(store: SubscriberStore, subscriber_id: str) -> Sequence[str]:
    found = await store.memberships(subscriber_id=subscriber_id)
    return list({membership.subscriber.email: None for membership in found})


async def _lift_own(store: SubscriberStore, subscriber_id: str, newsletter: str, now: datetime) -> None:
    """Lift the suppression for one newsletter; the other subscriptions become unsubscribed one by one."""
    found = await store.memberships(subscriber_id=subscriber_id)
    suppressed = [m for m in found if m.suppressed == UNSUBSCRIBED_REASON]
    if not suppressed:
        return
    for membership in suppressed:
        if membership.subscription.newsletter != newsletter:
            await store.set_status(
                subscriber_id, membership.subscription.newsletter, Status.UNSUBSCRIBED, now
            )
    await store.unsuppress(suppressed[0].subscriber.email)
