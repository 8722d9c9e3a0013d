"""The desk: what the web door asks of the house, answered by people and the record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from service.app.clock import Clock
from service.core.errors import CaveatError, UsageError
from service.core.model import PREFERENCE_FIELDS, Newsletter, Preferences, Roster, Site, SubscriptionStatus
from service.store.queries import Queries
from service.store.subscribers import SqlSubscriberStore
from service.subscribers import actions as choices
from service.subscribers.links import LinkClaim, read_preferences, read_unsubscribe, subscriber_links
from service.subscribers.preferences import edition_for
from service.web.ports import LinkedSubscriber, MetricsSnapshot, PreferenceChange, ServiceHealth

ANSWER_SECONDS = 3.0
WRITE_PROBE_INTERVAL = timedelta(seconds=30)
"""How often at most a health check writes to the database: anybody may ask for one."""

Status = SubscriptionStatus


class SelfService:
    """The Desk of service/web, for one configuration and one record.

    `last_tick_at` is set by whoever runs the scheduler in this process, `stage_problems` by whoever watches
    its stages.
    """

    def __init__(
        self, site: Site, roster: Roster, people: SqlSubscriberStore, overview: Queries, clock: Clock
    ) -> None:
        self._site, self._roster, self._clock = site, roster, clock
        self._people, self._overview = people, overview
        self._newsletters = {newsletter.id: newsletter for newsletter in roster.newsletters}
        self._key: bytes | None = None
        self.last_tick_at: datetime | None = None
        self.stage_problems: Callable[[], tuple[str, ...]] = tuple
        self._probed_at: datetime | None = None
        self._writable = True

    @property
    def site(self) -> Site:
        """Who sends."""
        return self._site

    @cached_property
    def topics(self) -> Sequence[str]:
        """Every topic that a feed or a newsletter has."""
        of_feeds = {topic for feed in self._roster.feeds for topic in feed.topics}
        of_newsletters = {topic for newsletter in self._roster.newsletters for topic in newsletter.topics}
        return sorted(of_feeds | of_newsletters)

    def now(self) -> datetime:
        """Return the instant."""
        return self._clock()

    def newsletter(self, newsletter_id: str) -> Newsletter | None:
        """Return the newsletter of that id, or None."""
        return self._newsletters.get(newsletter_id)

    async def read_unsubscribe_link(self, token: str) -> LinkedSubscriber | None:
        """Return whom an unsubscribe link is about."""
        return await self._reader(read_unsubscribe(await self._signing_key(), token))

    async def read_preferences_link(self, token: str) -> LinkedSubscriber | None:
        """Return whom a preferences link is about."""
        return await self._reader(read_preferences(await self._signing_key(), token))

    async def preferences_url(self, reader: LinkedSubscriber) -> str:
        """Return the address of their preferences page."""
        key = await self._signing_key()
        return subscriber_links(key, self._site.url, reader.id, reader.newsletter).preferences

    async def unsubscribe(self, reader: LinkedSubscriber, newsletter: str | None) -> None:
        """Unsubscribe them."""
        await choices.unsubscribe(self._people, reader.id, newsletter, self.now())

    def problems(self, choice: PreferenceChange, timezone: str | None) -> Mapping[str, str]:
        """Return what is wrong with the wishes, by the wish's name."""
        newsletter, found = self._newsletters[choice.newsletter], dict[str, str]()
        for name in PREFERENCE_FIELDS:
            alone = Preferences(**{name: getattr(choice.wishes, name)})
            try:
                edition_for(newsletter, alone, timezone)
            except UsageError as error:
                sentence = str(error)
                found[name] = sentence[:1].upper() + sentence[1:]
        return found

    async def save_preferences(self, reader: LinkedSubscriber, wanted: Sequence[PreferenceChange]) -> None:
        """Store how the reader wants their newsletters."""
        for choice in wanted:
            membership = reader.membership(choice.newsletter)
            newsletter = self.newsletter(choice.newsletter)
            if membership is None or newsletter is None:
                continue
            now, timezone = self.now(), membership.subscriber.timezone
            if choice.status is not Status.UNSUBSCRIBED:
                wishes = choices.own_preferences(newsletter, choice.wishes, timezone)
                await choices.save_preferences(self._people, membership, newsletter, wishes, now)
            await self._set(reader.id, choice, now)

    async def health(self) -> ServiceHealth:
        """Return how the house is."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._people.signing_key()
        except (CaveatError, TimeoutError):
            return ServiceHealth(
                reachable=False, last_tick_at=self.last_tick_at, problems=self.stage_problems()
            )
        writable, problems = await self._is_writable(), self.stage_problems()
        return ServiceHealth(
            reachable=True, last_tick_at=self.last_tick_at, writable=writable, problems=problems
        )

    async def _is_writable(self) -> bool:
        """Tell whether a row can be written, by a try every half minute, however often somebody asks."""
        if self._probed_at is not None and self.now() < self._probed_at + WRITE_PROBE_INTERVAL:
            return self._writable
        self._probed_at = self.now()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._people.database.probe_write()
        except CaveatError:
            self._writable = False
        except TimeoutError:
            pass  # a long transaction goes first; what was known stays
        else:
            self._writable = True
        return self._writable

    async def metrics(self) -> MetricsSnapshot:
        """Return how much there is and how much waits."""
        overview, now = self._overview, self.now()
        return MetricsSnapshot(
            await overview.counts(), await overview.pending_work(now), await overview.backlog(now)
        )

    async def _set(self, subscriber_id: str, choice: PreferenceChange, now: datetime) -> None:
        act = {
            Status.ACTIVE: choices.resume,
            Status.PAUSED: choices.pause,
            Status.UNSUBSCRIBED: choices.unsubscribe,
        }[choice.status]
        await act(self._people, subscriber_id, choice.newsletter, now)

    async def _reader(self, claim: LinkClaim | None) -> LinkedSubscriber | None:
        if claim is None:
            return None
        memberships = await self._people.memberships(subscriber_id=claim.subscriber_id)
        return LinkedSubscriber(claim.subscriber_id, claim.newsletter, tuple(memberships))

    async def _signing_key(self) -> bytes:
        if self._key is None:
            self._key = await self._people.signing_key()
        return self._key
