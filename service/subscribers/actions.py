"""Choices: what a person decides for themselves; it wins over the roster, and saying it twice is harmless."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from service.core.model import SubscriptionStatus
from service.subscribers.ports import ERASED_REASON, UNSUBSCRIBED_REASON, SubscriberStore

Status = SubscriptionStatus


async def unsubscribe(
    store: SubscriberStore, subscriber_id: str, newsletter: str | None, now: datetime
) -> int:
    """End one newsletter for the person, or all of them with None; return how many that changed.

    With None the address is suppressed as well, so that no roster and no import brings them new ones.
    """
    changed = await store.set_status(subscriber_id, newsletter, Status.UNSUBSCRIBED, now)
    if newsletter is None:
        for address in await _addresses(store, subscriber_id):
            await store.suppress(address, UNSUBSCRIBED_REASON, now)
    return changed


async def pause(store: SubscriberStore, subscriber_id: str, newsletter: str | None, now: datetime) -> int:
    """Let one newsletter rest, or all that are running; return how many that changed."""
    return await store.set_status(subscriber_id, newsletter, Status.PAUSED, now)


async def resume(store: SubscriberStore, subscriber_id: str, newsletter: str | None, now: datetime) -> int:
    """Send one newsletter again, or all that were paused; return how many that changed.

    Whoever unsubscribed from everything is heard again by naming a newsletter; a suppression for any other
    reason (a bounce, a complaint) stays.
    """
    if newsletter is not None:
        await _lift_own_wish(store, subscriber_id, newsletter, now)
    return await store.set_status(subscriber_id, newsletter, Status.ACTIVE, now)


async def erase(store: SubscriberStore, email: str, now: datetime) -> bool:
    """Erase who the person was (GDPR, article 17); return whether there was one.

    What stays is a hash of the address, so that no roster and no import mails them again.
    """
    await store.suppress(email, ERASED_REASON, now)
    return await store.erase(email)


async def _addresses(store: SubscriberStore, subscriber_id: str) -> Sequence[str]:
    found = await store.memberships(subscriber_id=subscriber_id)
    return list({membership.subscriber.email: None for membership in found})


async def _lift_own_wish(store: SubscriberStore, subscriber_id: str, newsletter: str, now: datetime) -> None:
    """Undo "everything" for the one that is named: the others stay unsubscribed, which each of them says."""
    found = await store.memberships(subscriber_id=subscriber_id)
    theirs = [m for m in found if m.suppressed == UNSUBSCRIBED_REASON]
    if not theirs:
        return
    for membership in theirs:
        if membership.subscription.newsletter != newsletter:
            await store.set_status(
                subscriber_id, membership.subscription.newsletter, Status.UNSUBSCRIBED, now
            )
    await store.unsuppress(theirs[0].subscriber.email)
