"""Sign-up: double opt-in, from the form on the page to the confirmed subscription.

A request takes the same steps for every address: only the ledger holds back mail to a suppressed one, so
neither the page nor its response time reveals whether an address is known.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from service.app.clock import Clock
from service.app.transactional_mail import transactional_issue, transactional_renderer
from service.compose.render.transactional import TransactionalRenderer
from service.core import ids as identity
from service.core.errors import UnknownName, UsageError
from service.core.model import (
    DesiredSubscription,
    Issue,
    MailKind,
    Newsletter,
    Roster,
    SignUpRequest,
    Subscriber,
)
from service.core.validators import read_email, read_timezone
from service.settings.values import Settings
from service.store.database import Database
from service.store.limits import SqlAttemptStore
from service.store.subscribers import SqlSubscriberStore
from service.store.transactional import SqlSignUpStore
from service.subscribers.links import subscriber_links
from service.subscribers.sign_up import (
    ADDRESS_LIMIT,
    LINK_LIFETIME,
    TOTAL_LIMIT,
    VISITOR_LIMIT,
    attempt_limit,
    confirm,
    find_sign_up,
    mailbox_key,
    read_confirmation,
)


@dataclass(frozen=True, slots=True)
class PendingSignUp:
    """The sign-up that a confirmation link names, with its newsletter."""

    sign_up: SignUpRequest
    newsletter: Newsletter

    @property
    def email(self) -> str:
        """The address that was typed into the form."""
        return self.sign_up.subscriber.email


@dataclass(frozen=True)
class SignUp:
    """Subscribes people by double opt-in. Every coroutine may raise StoreError.

    `notify_workers` takes a stage and its number of new items.
    """

    settings: Settings
    roster: Roster
    database: Database
    clock: Clock
    notify_workers: Callable[[str, int], Awaitable[None]]

    @cached_property
    def newsletters(self) -> Sequence[Newsletter]:
        """The newsletters that are open to sign-up (`web.sign_up`)."""
        found = (self.roster.newsletter(name) for name in self.settings.web.sign_up)
        return tuple(newsletter for newsletter in found if newsletter is not None)

    def newsletter(self, newsletter_id: str) -> Newsletter | None:
        """Return the newsletter with this id, if it is open to sign-up."""
        return next((found for found in self.newsletters if found.id == newsletter_id), None)

    def problems(self, email: str, timezone: str) -> Mapping[str, str]:
        """Return sentences about an invalid address or time zone, by `email` and `timezone`.

        An empty text is no problem here.
        """
        found: dict[str, str] = {}
        for name, read, text in (("email", read_email, email), ("timezone", read_timezone, timezone)):
            try:
                if text:
                    read(text)
            except UsageError as error:
                found[name] = error.sentence
        return found

    async def count_attempt(self, client: str) -> bool:
        """Count one attempt of a client, named by its address; return whether the limits allow it."""
        key = await self._subscribers.signing_key()
        limited = [
            attempt_limit(key, "visitor", client, VISITOR_LIMIT),
            attempt_limit(key, "total", "", TOTAL_LIMIT),
        ]
        return await self._attempts.allows(limited, self.clock())

    async def request(self, email: str, newsletter_id: str, timezone: str) -> None:
        """Plan the confirmation mail; do nothing when the address reached its limit.

        An empty `timezone` means the newsletter's. Raises UsageError for an invalid address, and UnknownName
        for a newsletter that is not open to sign-up.
        """
        newsletter = self.newsletter(newsletter_id)
        if newsletter is None:
            raise UnknownName("newsletter", newsletter_id, [found.id for found in self.newsletters])
        address, now = read_email(email), self.clock()
        key = await self._subscribers.signing_key()
        limited = attempt_limit(key, "address", mailbox_key(address), ADDRESS_LIMIT)
        if not await self._attempts.allows([limited], now):
            return
        person = Subscriber(identity.subscriber_id(address), address)
        rendered = self._renderer.confirm(
            newsletter.title,
            language=newsletter.language,
            timezone=timezone or newsletter.timezone,
            days=LINK_LIFETIME.days,
        )
        mail = transactional_issue(MailKind.CONFIRMATION, rendered, newsletter.id, person.id, now)
        sign_up = SignUpRequest(person, newsletter.id, timezone or None, now)
        await self._sign_ups.request(sign_up, mail, self.settings.mail.channel)
        await self.notify_workers("deliver", 1)

    async def read_confirmation_link(self, token: str) -> PendingSignUp | None:
        """Return the sign-up of a confirmation link; None for a forged, expired or withdrawn one."""
        link = read_confirmation(await self._subscribers.signing_key(), token, self.clock())
        found = await find_sign_up(self._sign_ups, link) if link else None
        newsletter = self.newsletter(found.newsletter) if found else None
        return PendingSignUp(found, newsletter) if found and newsletter else None

    async def confirm(self, pending: PendingSignUp) -> str:
        """Subscribe them, plan the welcome mail, and return the address of their preferences page."""
        newsletter, now = pending.newsletter, self.clock()
        subscription = await confirm(
            self._subscribers,
            self._sign_ups,
            pending.sign_up,
            newsletter,
            welcome=lambda subscription: self._welcome(newsletter, subscription, now),
            channel=self.settings.mail.channel,
            now=now,
        )
        await self.notify_workers("deliver", 1)
        key, url = await self._subscribers.signing_key(), self.settings.site.url
        return subscriber_links(key, url, subscription.subscriber.id, newsletter.id).preferences

    def _welcome(self, newsletter: Newsletter, subscription: DesiredSubscription, now: datetime) -> Issue:
        rendered = self._renderer.welcome(
            newsletter.title,
            language=newsletter.language,
            timezone=subscription.edition.timezone,
            first_issue_at=subscription.next_due_at,
        )
        return transactional_issue(MailKind.WELCOME, rendered, newsletter.id, subscription.subscriber.id, now)

    @cached_property
    def _renderer(self) -> TransactionalRenderer:
        return transactional_renderer(self.settings)

    @cached_property
    def _subscribers(self) -> SqlSubscriberStore:
        return SqlSubscriberStore(self.database)

    @cached_property
    def _sign_ups(self) -> SqlSignUpStore:
        return SqlSignUpStore(self.database)

    @cached_property
    def _attempts(self) -> SqlAttemptStore:
        return SqlAttemptStore(self.database)
