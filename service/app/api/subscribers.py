"""Subscribers for programs: add one, and change one subscription; what the person chose wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from service.app.self_service import LinkedSubscriber, PreferenceChange, store_preferences
from service.app.sign_up import SignUpWish
from service.core.errors import UnknownName, UsageError
from service.core.ids import subscriber_id
from service.core.model import ConsentWay, Membership, Newsletter, Preferences, Subscriber, SubscriptionStatus
from service.core.validators import read_email, read_timezone
from service.subscribers.preferences import own_preferences, placement_for
from service.subscribers.sync import FIRST_ISSUE_LOOKBACK

if TYPE_CHECKING:
    from service.app.factories.application import Application


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person whom a program subscribes to newsletters (ids), with preferences for all of them."""

    email: str
    name: str
    timezone: str | None
    newsletters: tuple[str, ...]
    preferences: Preferences


@dataclass(frozen=True, slots=True)
class AddedSubscriber:
    """The subscriber (id) and how many subscriptions are new."""

    id: str
    new: int


async def add_subscriber(app: Application, person: NewPerson) -> AddedSubscriber:
    """Subscribe a person who has consented; subscriptions that they have stay as they are.

    Raises UsageError for an invalid value, an unknown newsletter and a suppressed address.
    """
    address, now = read_email(person.email), app.clock()
    newsletters = [_newsletter(app, one) for one in dict.fromkeys(person.newsletters)]
    suppression = await app.subscribers.suppression(address)
    if suppression is not None:
        raise UsageError(f"this address must not be mailed: {suppression.reason}")
    known = await app.subscribers.memberships(email=address)
    zone = read_timezone(person.timezone) if person.timezone else None
    someone = known[0].subscriber if known else Subscriber(subscriber_id(address), address, person.name, zone)
    have = {membership.subscription.newsletter for membership in known}
    placements = [
        placement_for(someone, one, own_preferences(one, person.preferences, someone.timezone), now)
        for one in newsletters
        if one.id not in have
    ]
    if placements:
        starts = now - FIRST_ISSUE_LOOKBACK
        await app.subscribers.add_subscriptions(placements, now, starts_after=starts, consent=ConsentWay.API)
    return AddedSubscriber(someone.id, len(placements))


async def ask_for_consent(app: Application, person: NewPerson) -> None:
    """Plan a confirmation mail for the newsletters, which must be open to sign-up.

    It does the same for every address, so that a program does not learn which ones are known. Raises
    UsageError for an invalid address and a newsletter that is not open to sign-up.
    """
    zone = read_timezone(person.timezone) if person.timezone else ""
    await app.sign_up.request(SignUpWish(read_email(person.email), person.newsletters, zone))


async def change_subscription(
    app: Application,
    membership: Membership,
    preferences: Mapping[str, Any],
    status: SubscriptionStatus | None,
    paused_until: date | None,
) -> Mapping[str, str]:
    """Change preferences (by field; None: the newsletter's) and status; return sentences by field.

    All is stored, or with a sentence nothing. Without a `status` it stays. Raises UsageError if the
    newsletter is not configured any more.
    """
    subscription = membership.subscription
    newsletter = _newsletter(app, subscription.newsletter)
    wanted = replace(subscription.preferences, **preferences)
    if status is None:
        try:
            own = own_preferences(newsletter, wanted, membership.subscriber.timezone)
        except UsageError as error:
            return {"preferences": error.sentence}
        await store_preferences(app.subscribers, membership, newsletter, own, app.clock())
        return {}
    person = LinkedSubscriber(membership.subscriber.id, newsletter.id, (membership,))
    change = PreferenceChange(newsletter.id, status, wanted, paused_until)
    problems = await app.self_service.save_preferences(person, [change])
    found = problems.get(newsletter.id, {})
    return {name if name == "paused_until" else f"preferences.{name}": text for name, text in found.items()}


async def memberships(app: Application, person: str) -> Sequence[Membership]:
    """Return all memberships of a subscriber (id)."""
    return await app.subscribers.memberships(subscriber_id=person)


def _newsletter(app: Application, newsletter_id: str) -> Newsletter:
    found = app.roster.newsletter(newsletter_id)
    if found is None:
        raise UnknownName("newsletter", newsletter_id, [known.id for known in app.roster.newsletters])
    return found
