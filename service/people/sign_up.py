"""Sign-up: somebody asks for a newsletter and confirms by mail; until then nothing of them is stored.

What was asked travels in the signed link itself (double opt-in), so an address that somebody else typed is
forgotten as soon as nobody confirms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.core import identity, tokens
from service.core.contracts import PeopleStore
from service.core.model import Newsletter, Placement, Subscriber, SubscriptionStatus, Wishes
from service.people.choices import OWN_WISH, resume
from service.people.roster import FIRST_NEWS
from service.people.wishes import placement_for

CONFIRM = "confirm"
CONFIRM_PATH = "/confirm/"
GOOD_FOR = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks for which newsletter (id), in which time zone (None: its own), and until when that holds."""

    email: str
    newsletter: str
    timezone: str | None
    until: datetime


def an_ask(email: str, newsletter: str, timezone: str | None, now: datetime) -> Ask:
    """Return the ask of somebody who asks at `now`."""
    return Ask(email, newsletter, timezone, now.replace(microsecond=0) + GOOD_FOR)


def confirm_url(key: bytes, site_url: str, ask: Ask) -> str:
    """Return the link that confirms the ask."""
    until = str(int(ask.until.timestamp()))
    token = tokens.sign(key, CONFIRM, ask.email, ask.newsletter, ask.timezone or "", until)
    return f"{site_url}{CONFIRM_PATH}{token}"


def read_ask(key: bytes, token: str, now: datetime) -> Ask | None:
    """Return what a link asks for; None for one that we did not sign, or whose time is over."""
    claims = tokens.read(key, CONFIRM, token)
    if claims is None or len(claims) != 4:
        return None
    email, newsletter, timezone, until = claims
    ask = Ask(email, newsletter, timezone or None, datetime.fromtimestamp(int(until), UTC))
    return ask if now <= ask.until else None


async def may_be_mailed(store: PeopleStore, email: str) -> bool:
    """Tell whether a mail that asks for confirmation may go there: not after a bounce, complaint or erasure.

    Who unsubscribed from everything by their own wish may think again.
    """
    return await store.suppression(email) in {None, OWN_WISH}


async def confirm(
    store: PeopleStore, ask: Ask, newsletter: Newsletter, now: datetime
) -> tuple[Placement, bool]:
    """Subscribe whoever asked; return where they stand, and whether they are new. Twice is harmless.

    Raises UsageError when the newsletter cannot be had as it was asked for any more.
    """
    person = Subscriber(identity.subscriber_id(ask.email), ask.email, "", ask.timezone)
    placement = placement_for(person, newsletter, Wishes(), now)
    there = await store.memberships(newsletter=newsletter.id, subscriber_id=person.id)
    is_new = False
    if not there or there[0].subscription.status is SubscriptionStatus.ENDED:
        applied = await store.add_placements([placement], now, starts_after=now - FIRST_NEWS)
        # Of two presses at the same moment, the record says which one came first.
        is_new = applied.added + applied.changed > 0
    await resume(store, person.id, newsletter.id, now)
    return placement, is_new
