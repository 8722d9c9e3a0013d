"""Self-service: what subscribers do through the signed links in their mails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

from service.app.clock import Clock
from service.app.erasure import erase_person
from service.app.my_data import Document, data_of
from service.core.errors import UsageError
from service.core.languages import same_language
from service.core.model import (
    PREFERENCE_FIELDS,
    Consent,
    ConsentWay,
    Membership,
    Newsletter,
    Preferences,
    Roster,
    Site,
    SubscriptionStatus,
)
from service.store.consents import SqlConsentStore
from service.store.subscribers import SqlSubscriberStore
from service.subscribers import actions
from service.subscribers.links import (
    TEST_RECIPIENT,
    LinkClaim,
    read_preferences,
    read_unsubscribe,
    subscriber_links,
)
from service.subscribers.preferences import edition_for, own_preferences, placement_for
from service.subscribers.sync import FIRST_ISSUE_LOOKBACK


@dataclass(frozen=True, slots=True)
class LinkedSubscriber:
    """The subscriber that a signed link names, by id, with all their memberships.

    `newsletter` is the id of the newsletter whose mail the link came in.
    """

    id: str
    newsletter: str
    memberships: tuple[Membership, ...]

    @property
    def is_test(self) -> bool:
        """Whether the link comes from a test mail, so that it belongs to nobody."""
        return self.id == TEST_RECIPIENT

    def membership(self, newsletter: str) -> Membership | None:
        """Return their membership in one newsletter (id), or None."""
        return next((m for m in self.memberships if m.subscription.newsletter == newsletter), None)


@dataclass(frozen=True, slots=True)
class PreferenceChange:
    """The new status and preferences for one newsletter (id); `status` is active, paused or unsubscribed.

    A pause ends by itself when the day `paused_until` begins; with None it has no end.
    """

    newsletter: str
    status: SubscriptionStatus
    preferences: Preferences
    paused_until: date | None = None


@dataclass(frozen=True)
class SelfService:
    """Reads signed links and stores what their subscribers choose. Every coroutine may raise StoreError.

    `open_newsletters` are those that everybody may join. `mail_folder` has the mails of the file channel.
    """

    site: Site
    roster: Roster
    subscribers: SqlSubscriberStore
    clock: Clock
    open_newsletters: Sequence[Newsletter] = ()
    mail_folder: Path | None = None

    @cached_property
    def topics(self) -> Sequence[str]:
        """Every topic of a feed or a newsletter, sorted."""
        lists = [feed.possible_topics for feed in self.roster.feeds] + [
            n.topics for n in self.roster.newsletters
        ]
        return sorted({topic for topics in lists for topic in topics})

    def languages(self, newsletter: Newsletter) -> Sequence[str]:
        """Return the languages of a newsletter's feeds and its own, sorted.

        The language of a feed that names none is detected article by article; it counts as the newsletter's.
        """
        topics = {*newsletter.topics}
        feeds = [feed for feed in self.roster.feeds if not topics or topics & {*feed.possible_topics}]
        tags = {*newsletter.languages, *(feed.language or newsletter.language for feed in feeds)}
        return sorted({same_language(tag) for tag in tags} - {""})

    def newsletter(self, newsletter_id: str) -> Newsletter | None:
        """Return the newsletter with this id; None when the roster no longer has it."""
        return self.roster.newsletter(newsletter_id)

    async def read_unsubscribe_link(self, token: str) -> LinkedSubscriber | None:
        """Return the subscriber of an unsubscribe link; None for a token that this service did not sign."""
        return await self._linked(read_unsubscribe(await self.subscribers.signing_key(), token))

    async def read_preferences_link(self, token: str) -> LinkedSubscriber | None:
        """Return the subscriber of a preferences link; None for a token that this service did not sign."""
        return await self._linked(read_preferences(await self.subscribers.signing_key(), token))

    async def preferences_url(self, subscriber: LinkedSubscriber) -> str:
        """Return the address of their preferences page."""
        key = await self.subscribers.signing_key()
        return subscriber_links(key, self.site.url, subscriber.id, subscriber.newsletter).preferences

    async def unsubscribe(self, subscriber: LinkedSubscriber, newsletter: str | None) -> None:
        """Unsubscribe them from one newsletter (id), or from everything with None."""
        await actions.unsubscribe(self.subscribers, subscriber.id, newsletter, self.clock())

    def joinable(self, subscriber: LinkedSubscriber) -> Sequence[Newsletter]:
        """Return the open newsletters that are not on the subscriber's page yet."""
        there = {
            membership.subscription.newsletter
            for membership in subscriber.memberships
            if membership.subscription.status is not SubscriptionStatus.ENDED
        }
        return [newsletter for newsletter in self.open_newsletters if newsletter.id not in there]

    async def join(self, subscriber: LinkedSubscriber, newsletter_id: str, consent: Consent) -> bool:
        """Subscribe them to one more newsletter (id); return False if it is not open to them.

        No mail asks for confirmation: the link came by mail to the address.
        """
        newsletter = next((one for one in self.joinable(subscriber) if one.id == newsletter_id), None)
        if newsletter is None:
            return False
        person, now = subscriber.memberships[0].subscriber, self.clock()
        placement = placement_for(person, newsletter, Preferences(), now)
        after = now - FIRST_ISSUE_LOOKBACK
        await self.subscribers.add_subscriptions([placement], now, starts_after=after, consent=consent)
        await actions.resume(self.subscribers, subscriber.id, newsletter.id, now)
        return True

    async def data_of(self, subscriber: LinkedSubscriber) -> Document:
        """Return everything that is stored about a subscriber who has a membership."""
        return await data_of(self.subscribers.database, subscriber.memberships[0].subscriber.email)

    async def erase(self, subscriber: LinkedSubscriber) -> None:
        """Erase a subscriber who has a membership, as the operator's `subscriber erase` does."""
        await erase_person(
            self.subscribers, subscriber.memberships[0].subscriber.email, self.clock(), self.mail_folder
        )

    async def save_preferences(
        self, subscriber: LinkedSubscriber, changes: Sequence[PreferenceChange], *, dry_run: bool = False
    ) -> Mapping[str, Mapping[str, str]]:
        """Store the changes, all or none; return sentences about invalid values, by newsletter and field.

        Nothing is stored when there is a problem, or with `dry_run`. The preferences of a newsletter that
        the subscriber leaves are neither checked nor stored.
        """
        known = [
            (change, membership, newsletter)
            for change in changes
            if (membership := subscriber.membership(change.newsletter))
            and (newsletter := self.newsletter(change.newsletter))
        ]
        problems = {
            change.newsletter: found
            for change, membership, newsletter in known
            if change.status is not SubscriptionStatus.UNSUBSCRIBED
            and (found := _problems(newsletter, change, membership.subscriber.timezone, self.clock()))
        }
        if problems or dry_run:
            return problems
        for change, membership, newsletter in known:
            now = self.clock()
            is_back = membership.subscription.status is SubscriptionStatus.UNSUBSCRIBED
            if is_back and change.status is SubscriptionStatus.ACTIVE:
                consents = SqlConsentStore(self.subscribers.database)
                await consents.record(subscriber.id, newsletter.id, Consent(ConsentWay.PREFERENCES), now)
            if change.status is not SubscriptionStatus.UNSUBSCRIBED:
                preferences = own_preferences(newsletter, change.preferences, membership.subscriber.timezone)
                await store_preferences(self.subscribers, membership, newsletter, preferences, now)
            await self._set_status(subscriber, change, now)
        return {}

    async def _set_status(
        self, subscriber: LinkedSubscriber, change: PreferenceChange, now: datetime
    ) -> None:
        who = (self.subscribers, subscriber.id, change.newsletter, now)
        if change.status is SubscriptionStatus.PAUSED:
            await actions.pause(*who, change.paused_until)
        elif change.status is SubscriptionStatus.UNSUBSCRIBED:
            await actions.unsubscribe(*who)
        else:
            await actions.resume(*who)

    async def _linked(self, claim: LinkClaim | None) -> LinkedSubscriber | None:
        if claim is None:
            return None
        memberships = await self.subscribers.memberships(subscriber_id=claim.subscriber_id)
        return LinkedSubscriber(claim.subscriber_id, claim.newsletter, tuple(memberships))


async def store_preferences(
    subscribers: SqlSubscriberStore,
    membership: Membership,
    newsletter: Newsletter,
    preferences: Preferences,
    now: datetime,
) -> bool:
    """Store a subscriber's preferences for a newsletter; return whether their edition changed.

    Raises UsageError, and stores nothing, for an invalid value.
    """
    wanted = placement_for(membership.subscriber, newsletter, preferences, now)
    if wanted.edition_key == membership.subscription.edition_key:
        return False
    await subscribers.save_preferences(wanted, now)
    return True


def _problems(
    newsletter: Newsletter, change: PreferenceChange, timezone: str | None, now: datetime
) -> dict[str, str]:
    """Return a sentence for each field with an invalid value, by its name."""
    found = {}
    for name in PREFERENCE_FIELDS:
        alone = Preferences(**{name: getattr(change.preferences, name)})
        try:
            edition_for(newsletter, alone, timezone)
        except UsageError as error:
            found[name] = error.sentence
    if change.paused_until is not None and "timezone" not in found:
        wanted = Preferences(timezone=change.preferences.timezone)
        try:
            zone = edition_for(newsletter, wanted, timezone).timezone
            actions.require_future_day(change.paused_until, now, zone)
        except UsageError as error:
            found["paused_until"] = error.sentence
    return found
