"""One subscriber as an editor sees and changes them.

What an editor changes here counts as the subscriber's own choice: it takes precedence over subscribers.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.app.people.typed_preferences import read_typed
from service.app.self_service import LinkedSubscriber, PreferenceChange
from service.core.errors import UsageError
from service.core.ids import subscriber_id
from service.core.model import (
    ConsentRecord,
    ConsentWay,
    Membership,
    Newsletter,
    Preferences,
    RosterEntry,
    Subscriber,
    SubscriptionStatus,
)
from service.core.read_models import BounceDetails, DeliveryDetails, Suppression
from service.core.validators import read_email, read_timezone
from service.store.bounces import SqlBounceStore
from service.store.consents import SqlConsentStore
from service.store.subscriber_names import store_name
from service.subscribers.preferences import PlacementBuilder, placement_for
from service.subscribers.sync import FIRST_ISSUE_LOOKBACK

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_NAME_CHARACTERS = 200
HISTORY_SIZE = 50  # deliveries on a page


@dataclass(frozen=True, slots=True)
class Person:
    """A subscriber with their memberships, sorted by newsletter (id).

    `entry` is their place in subscribers.yaml, None for a person who is only in the database.
    """

    subscriber: Subscriber
    memberships: tuple[Membership, ...]
    entry: RosterEntry | None
    suppression: Suppression | None
    bounces: Sequence[BounceDetails]
    consents: Sequence[ConsentRecord]

    def membership(self, newsletter: str) -> Membership | None:
        """Return their membership in a newsletter (id), or None."""
        return next((m for m in self.memberships if m.subscription.newsletter == newsletter), None)


async def person_of(app: Application, person: str) -> Person | None:
    """Return the subscriber with this id; None if nobody with a subscription has it."""
    found = await app.subscribers.memberships(subscriber_id=person)
    if not found:
        return None
    subscriber = found[0].subscriber
    return Person(
        subscriber,
        tuple(found),
        app.roster.subscriber(person),
        await app.subscribers.suppression(subscriber.email),
        await SqlBounceStore(app.database).bounces_of(subscriber.email),
        await SqlConsentStore(app.database).consents_of(person),
    )


async def history_of(
    app: Application, person: str, before: str | None = None
) -> tuple[Sequence[DeliveryDetails], bool]:
    """Return deliveries to a subscriber (id), newest first, and whether there are older ones.

    `before` is the issue (id) of the last delivery of the page before.
    """
    found = await app.queries.deliveries_to(person, limit=HISTORY_SIZE + 1, before=before)
    return found[:HISTORY_SIZE], len(found) > HISTORY_SIZE


async def add_person(
    app: Application, email: str, newsletters: Sequence[str], *, name: str, timezone: str, consent: str
) -> str:
    """Subscribe a person to newsletters (ids) in the database; return their id.

    `consent` says when and how they agreed; the caller keeps it. Raises UsageError if it is empty,
    for an invalid value, for a suppressed address, and for one that is subscribed already.
    """
    address = read_email(email)
    if not consent:
        raise UsageError("say when and how the person agreed")
    chosen = [_newsletter(app, name_) for name_ in dict.fromkeys(newsletters)]
    if not chosen:
        raise UsageError("choose a newsletter")
    suppressed = await app.subscribers.suppression(address)
    if suppressed is not None:
        raise UsageError(
            f"{address} is suppressed ({suppressed.reason}), and nothing may be sent to it; "
            "end the suppression first, if the person asks for it"
        )
    known = await app.subscribers.memberships(email=address)
    if any(m.subscription.newsletter == one.id for m in known for one in chosen):
        raise UsageError(f"{address} is known already; search for the address and change it there")
    zone = read_timezone(timezone) if timezone else None
    person = Subscriber(subscriber_id(address), address, read_name(name), zone)
    now = app.clock()
    builder = PlacementBuilder(now)
    placements = [builder.build(person, newsletter, Preferences()) for newsletter in chosen]
    starts_after = now - FIRST_ISSUE_LOOKBACK
    await app.subscribers.add_subscriptions(
        placements, now, starts_after=starts_after, consent=ConsentWay.EDITOR
    )
    return person.id


async def change_preferences(
    app: Application, person: Person, newsletter: str, texts: Mapping[str, str], *, dry_run: bool = False
) -> Mapping[str, str]:
    """Store the preferences that an editor typed; return a sentence for each invalid one, by field.

    An empty text is the newsletter's own value. With a problem, or `dry_run`, nothing is stored. Raises
    UsageError if the person is not subscribed, or if the newsletter is no longer configured.
    """
    membership = person.membership(newsletter)
    if membership is None:
        raise UsageError(f"{person.subscriber.email} is not subscribed to {newsletter[:64]!r}")
    _newsletter(app, newsletter)
    preferences, problems = read_typed(texts)
    status, until = membership.subscription.status, membership.pause_end
    if status not in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED):
        raise UsageError(f"the subscription is {status.value}; resume it first")
    change = PreferenceChange(newsletter, status, preferences, until)
    who = LinkedSubscriber(person.subscriber.id, newsletter, person.memberships)
    found = await app.self_service.save_preferences(who, [change], dry_run=dry_run or bool(problems))
    return {**found.get(newsletter, {}), **problems}


async def change_person(app: Application, person: Person, name: str, timezone: str) -> None:
    """Change name and time zone ("" for none of either) of a person who is not in subscribers.yaml.

    Raises UsageError for an invalid value, and for a person of the file.
    """
    if person.entry is not None:
        raise UsageError("name and time zone of this person are in subscribers.yaml; change them there")
    zone = read_timezone(timezone) if timezone else None
    changed = replace(person.subscriber, name=read_name(name), timezone=zone)
    await store_name(app.database, changed)
    now = app.clock()
    for membership in person.memberships:
        newsletter = app.roster.newsletter(membership.subscription.newsletter)
        if newsletter is not None:
            wanted = placement_for(changed, newsletter, membership.subscription.preferences, now)
            await app.subscribers.save_preferences(wanted, now)


def read_name(text: str) -> str:
    """Return a name on one line. Raises UsageError if it is too long."""
    name = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if len(name) > MAX_NAME_CHARACTERS:
        raise UsageError(f"the name has {len(name)} characters; at most {MAX_NAME_CHARACTERS} are allowed")
    return name


def _newsletter(app: Application, name: str) -> Newsletter:
    found = app.roster.newsletter(name)
    if found is None:
        raise UsageError(f"there is no newsletter {name[:64]!r}")
    return found
