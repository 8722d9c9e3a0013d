"""Sign-up: somebody asks for a newsletter and confirms by mail (double opt-in).

Until then nothing is stored of them but the sign-up itself, which is forgotten when its last link expires.
A link names the sign-up and nothing else: it works only while that row is there, so that a link from before
an erasure brings nobody back.
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

VISITOR_LIMIT = 10, timedelta(hours=1)
TOTAL_LIMIT = 500, timedelta(hours=1)
ADDRESS_LIMIT = 3, timedelta(days=1)
UNSUBSCRIBE_MAIL_LIMIT = 1, timedelta(days=1)
"""Mails that ask whether somebody wants to unsubscribe, to one address: a From header can be forged."""
MAX_LIMIT_PERIOD = timedelta(days=1)  # attempts are kept for so long


@dataclass(frozen=True, slots=True)
class ConfirmationLink:
    """What a confirmation link names: the sign-up of a subscriber (id), and when it was asked for."""

    subscriber_id: str
    newsletter: str
    requested_at: datetime


def confirm_url(
    key: bytes, site_url: str, subscriber_id: str, newsletter: str, requested_at: datetime
) -> str:
    """Return the link that confirms a sign-up; `asked_at` counts in milliseconds."""
    asked = str((requested_at - EPOCH) // MILLISECOND)
    return f"{site_url}{CONFIRM_PATH}{tokens.sign(key, CONFIRM_PURPOSE, subscriber_id, newsletter, asked)}"


def read_confirmation(key: bytes, token: str, now: datetime) -> ConfirmationLink | None:
    """Return what a link names; None for one that we did not sign, or that has expired."""
    claims = tokens.read(key, CONFIRM_PURPOSE, token)
    if claims is None or len(claims) != 3 or not claims[2].isdigit():
        return None
    link = ConfirmationLink(claims[0], claims[1], EPOCH + int(claims[2]) * MILLISECOND)
    return link if now <= link.requested_at + LINK_LIFETIME else None


async def find_sign_up(store: SignUpStore, link: ConfirmationLink) -> SignUpRequest | None:
    """Return the sign-up that the link confirms; None when there is none (any more), or only a later one."""
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
    """Subscribe whoever signed up, and plan the welcome if they are new. Twice is harmless.

    Raises UsageError when the newsletter cannot be had as it was asked for any more.
    """
    asked = sign_up.subscriber
    person = Subscriber(asked.id, asked.email, asked.name, sign_up.timezone)
    placement = placement_for(person, newsletter, Preferences(), now)
    there = await subscribers.memberships(newsletter=newsletter.id, subscriber_id=person.id)
    if not there or there[0].subscription.status is SubscriptionStatus.ENDED:
        # Of two presses at the same moment, the record says which one came first.
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
    """Return the spelling under which an address is counted: one for all spellings of one mailbox.

    The domain by UTS 46, the whole by NFKC and case folding; without a tag after "+" and without dots, which
    large providers ignore. For counting only: where dots do matter, two mailboxes share a limit.
    Raises UsageError for what is no address.
    """
    local, _, domain = unicodedata.normalize("NFKC", read_email(email)).casefold().rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}@{domain}"


def attempt_limit(key: bytes, kind: str, value: str, limit: tuple[int, timedelta]) -> AttemptLimit:
    """Return what a limit counts; addresses stand in its table as keyed hashes, which say nothing."""
    name = hmac.digest(key, f"limit\0{kind}\0{value}".encode("utf-8", "replace"), "sha256").hex()[:32]
    return AttemptLimit(name, *limit)
