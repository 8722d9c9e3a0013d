"""Sign-up with confirmation by mail (double opt-in).

Before the confirmation only the sign-up is stored; it is deleted when its last link expires. A link refers to
the stored sign-up and works only while that exists, so a link from before an erasure has no effect.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.core import tokens
from service.core.model import (
    DesiredSubscription,
    Issue,
    Newsletter,
    Preferences,
    SignUpRequest,
    Subscriber,
    SubscriptionStatus,
)
from service.core.validators import read_email
from service.subscribers.actions import resume
from service.subscribers.ports import AttemptLimit, SignUpStore, SubscriberStore
from service.subscribers.preferences import placement_for
from service.subscribers.sync import FIRST_ISSUE_LOOKBACK

CONFIRM_PURPOSE = "confirm"
CONFIRM_PATH = "/confirm/"
LINK_LIFETIME = timedelta(days=3)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

VISITOR_LIMIT = 10, timedelta(hours=1)  # sign-ups from one client address
TOTAL_LIMIT = 500, timedelta(hours=1)  # sign-ups
ADDRESS_LIMIT = 3, timedelta(days=1)  # confirmation mails to one address
UNSUBSCRIBE_MAIL_LIMIT = 1, timedelta(days=1)
"""Replies to unsubscribe requests by mail, to one address: a From header can be forged."""
MAX_LIMIT_PERIOD = timedelta(days=1)  # the longest period above; attempts are deleted after it


@dataclass(frozen=True, slots=True)
class ConfirmationLink:
    """The content of a confirmation link: subscriber (id), newsletter (id) and time of the sign-up."""

    subscriber_id: str
    newsletter: str
    requested_at: datetime


def confirm_url(
    key: bytes, site_url: str, subscriber_id: str, newsletter: str, requested_at: datetime
) -> str:
    """Return the link that confirms a sign-up. `requested_at` is kept to the millisecond."""
    time = str((requested_at - EPOCH) // MILLISECOND)
    return f"{site_url}{CONFIRM_PATH}{tokens.sign(key, CONFIRM_PURPOSE, subscriber_id, newsletter, time)}"


def read_confirmation(key: bytes, token: str, now: datetime) -> ConfirmationLink | None:
    """Return the content of a link, None if its signature is invalid or it has expired."""
    claims = tokens.read(key, CONFIRM_PURPOSE, token)
    if claims is None or len(claims) != 3 or not claims[2].isdigit():
        return None
    link = ConfirmationLink(claims[0], claims[1], EPOCH + int(claims[2]) * MILLISECOND)
    return link if now <= link.requested_at + LINK_LIFETIME else None


async def find_sign_up(store: SignUpStore, link: ConfirmationLink) -> SignUpRequest | None:
    """Return the sign-up that the link confirms; None if it does not exist, or only a later one does."""
    found = await store.find(link.subscriber_id, link.newsletter)
    return found if found and found.first_at <= link.requested_at else None


async def confirm(
    subscribers: SubscriberStore,
    sign_ups: SignUpStore,
    sign_up: SignUpRequest,
    newsletter: Newsletter,
    *,
    welcome: Callable[[DesiredSubscription], Issue],
    channel: str,
    now: datetime,
) -> DesiredSubscription:
    """Subscribe the person of the sign-up, and plan a welcome mail if they are new. Repeating is harmless.

    Raises UsageError when the newsletter has become invalid since the sign-up.
    """
    found = sign_up.subscriber
    person = Subscriber(found.id, found.email, found.name, sign_up.timezone)
    placement = placement_for(person, newsletter, Preferences(), now)
    existing = await subscribers.memberships(newsletter=newsletter.id, subscriber_id=person.id)
    if not existing or existing[0].subscription.status is SubscriptionStatus.ENDED:
        # Of two simultaneous confirmations, the store accepts one and plans one mail.
        await sign_ups.confirm(
            placement,
            now,
            starts_after=now - FIRST_ISSUE_LOOKBACK,
            welcome=welcome(placement),
            channel=channel,
        )
    await resume(subscribers, person.id, newsletter.id, now)
    return placement


def mailbox_key(email: str) -> str:
    """Return the key by which attempts for a mailbox are counted: the same for all its spellings.

    The domain follows UTS 46, the whole NFKC and case folding; a tag after "+" and dots are removed, because
    large providers ignore them. For counting only: where dots do matter, two mailboxes share a limit.
    Raises UsageError for an invalid address.
    """
    local, _, domain = unicodedata.normalize("NFKC", read_email(email)).casefold().rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}@{domain}"


def attempt_limit(key: bytes, kind: str, value: str, limit: tuple[int, timedelta]) -> AttemptLimit:
    """Return the limit for a value of a kind; its name is a keyed hash, so the table holds no address."""
    name = hmac.digest(key, f"limit\0{kind}\0{value}".encode("utf-8", "replace"), "sha256").hex()[:32]
    return AttemptLimit(name, *limit)
