"""Sign-up with confirmation by mail (double opt-in).

Before the confirmation only the sign-up is stored; it is deleted when its last link expires. A link refers to
the stored sign-up and works only while that exists, so a link from before an erasure has no effect.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.core import tokens
from service.core.model import (
    DesiredSubscription,
    Issue,
    Newsletter,
    Preferences,
    Roster,
    SignUpRequest,
    Subscriber,
    SubscriptionStatus,
)
from service.core.validators import read_email
from service.subscribers.actions import resume
from service.subscribers.ports import AttemptLimit, SignUpStore, SubscriberStore
from service.subscribers.preferences import own_preferences, placement_for
from service.subscribers.sync import FIRST_ISSUE_LOOKBACK

CONFIRM_PURPOSE = "confirm"
CONFIRM_PATH = "/confirm/"
OPEN, BY_INVITATION = "open", "invitation"
"""Values of `sign_up` of a newsletter."""

SEPARATOR = ","
"""Between the newsletters of one confirmation mail; no id contains it."""

LINK_LIFETIME = timedelta(days=3)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

VISITOR_LIMIT = 10, timedelta(hours=1)  # sign-ups from one client address
TOTAL_LIMIT = 500, timedelta(hours=1)  # sign-ups
ADDRESS_LIMIT = 3, timedelta(days=1)  # confirmation mails to one address
REPEAT_LIMIT = 1, timedelta(minutes=10)  # confirmation mails to one address, also for other newsletters
UNSUBSCRIBE_MAIL_LIMIT = 1, timedelta(days=1)
"""Replies to unsubscribe requests by mail, to one address: a From header can be forged."""
MAX_LIMIT_PERIOD = timedelta(days=1)  # the longest period above; attempts are deleted after it


def open_newsletters(roster: Roster, named: Sequence[str]) -> tuple[Newsletter, ...]:
    """Return the newsletters that everybody may subscribe to: those `named` first, then those with `open`.

    One that asks for an invitation is never open.
    """
    ids = dict.fromkeys([*named, *(one.id for one in roster.newsletters if one.sign_up == OPEN)])
    found = (roster.newsletter(name) for name in ids)
    return tuple(one for one in found if one is not None and one.sign_up != BY_INVITATION)


@dataclass(frozen=True, slots=True)
class ConfirmationLink:
    """The content of a confirmation link: subscriber (id), newsletters (ids) and time of the sign-up."""

    subscriber_id: str
    newsletters: tuple[str, ...]
    requested_at: datetime


def confirm_url(
    key: bytes, site_url: str, subscriber_id: str, newsletters: str, requested_at: datetime
) -> str:
    """Return the link that confirms a sign-up for newsletters (ids, joined by SEPARATOR).

    `requested_at` is kept to the millisecond.
    """
    time = str((requested_at - EPOCH) // MILLISECOND)
    return f"{site_url}{CONFIRM_PATH}{tokens.sign(key, CONFIRM_PURPOSE, subscriber_id, newsletters, time)}"


def read_confirmation(key: bytes, token: str, now: datetime) -> ConfirmationLink | None:
    """Return the content of a link, None if its signature is invalid or it has expired."""
    claims = tokens.read(key, CONFIRM_PURPOSE, token)
    if claims is None or len(claims) != 3 or not claims[2].isdigit():
        return None
    newsletters = tuple(claims[1].split(SEPARATOR))
    link = ConfirmationLink(claims[0], newsletters, EPOCH + int(claims[2]) * MILLISECOND)
    return link if now <= link.requested_at + LINK_LIFETIME else None


async def find_sign_ups(store: SignUpStore, link: ConfirmationLink) -> Sequence[SignUpRequest]:
    """Return the sign-ups that the link confirms, without those that do not exist, or are later than it."""
    found = [await store.find(link.subscriber_id, newsletter) for newsletter in link.newsletters]
    return [one for one in found if one and one.first_at <= link.requested_at]


async def confirm(
    subscribers: SubscriberStore,
    sign_ups: SignUpStore,
    sign_up: SignUpRequest,
    newsletter: Newsletter,
    *,
    welcome: Callable[[DesiredSubscription], Issue],
    channel: str,
    now: datetime,
) -> bool:
    """Subscribe the person of the sign-up, and plan a welcome mail if they are new; return whether they are.

    Repeating is harmless.

    Raises UsageError when the newsletter has become invalid since the sign-up, or the invitation is used up.
    """
    found = sign_up.subscriber
    person = Subscriber(found.id, found.email, found.name, sign_up.timezone)
    wanted = own_preferences(newsletter, Preferences(schedule=sign_up.schedule), sign_up.timezone)
    placement = placement_for(person, newsletter, wanted, now)
    existing = await subscribers.memberships(newsletter=newsletter.id, subscriber_id=person.id)
    is_new = False
    if not existing or existing[0].subscription.status is SubscriptionStatus.ENDED:
        # Of two simultaneous confirmations, the store accepts one and plans one mail.
        is_new = await sign_ups.confirm(
            placement,
            now,
            starts_after=now - FIRST_ISSUE_LOOKBACK,
            welcome=welcome(placement),
            channel=channel,
            consent=sign_up.consent,
            invitation=sign_up.invitation,
        )
    if existing and existing[0].subscription.status is SubscriptionStatus.UNSUBSCRIBED:
        await sign_ups.record_consent(person.id, newsletter.id, sign_up.consent, now)
    await resume(subscribers, person.id, newsletter.id, now)
    return is_new


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
