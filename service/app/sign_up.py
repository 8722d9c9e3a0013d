"""Sign-up: double opt-in, from the form on the page to the confirmed subscription.

A request takes the same steps for every address: only the ledger holds back mail to a suppressed one, so
neither the page nor its response time reveals whether an address is known.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

from service.app.clock import Clock
from service.app.transactional_mail import transactional_issue, transactional_renderer
from service.core import ids as identity
from service.core.errors import UnknownName, UsageError
from service.core.model import (
    Consent,
    ConsentWay,
    DesiredSubscription,
    Invitation,
    Issue,
    MailKind,
    Newsletter,
    Roster,
    SignUpRequest,
    Subscriber,
)
from service.core.schedules import chosen_schedule
from service.core.validators import read_email, read_timezone
from service.settings.values import Settings
from service.store.database import Database
from service.store.invitations import SqlInvitationStore
from service.store.limits import SqlAttemptStore
from service.store.subscribers import SqlSubscriberStore
from service.store.transactional import SqlSignUpStore
from service.subscribers.links import read_invitation, subscriber_links
from service.subscribers.sign_up import (
    ADDRESS_LIMIT,
    BY_INVITATION,
    LINK_LIFETIME,
    REPEAT_LIMIT,
    SEPARATOR,
    TOTAL_LIMIT,
    VISITOR_LIMIT,
    attempt_limit,
    confirm,
    find_sign_ups,
    mailbox_key,
    open_newsletters,
    read_confirmation,
)

if TYPE_CHECKING:
    from service.compose.render.transactional import TransactionalRenderer

MAX_NAMED_CHARACTERS = 1_000
"""Length of the ids of all newsletters of one sign-up, which its link contains; a path may have 2,000."""


@dataclass(frozen=True, slots=True)
class SignUpWish:
    """What was typed into the form, for newsletters (ids); empty values mean those of the newsletter.

    `days` are of the week (Monday is 0), `time` is such as `07:30`. `shown` is what the page said about each
    newsletter, in `language`. `invitation` is the id of the invitation that opened the form.
    """

    email: str
    newsletters: tuple[str, ...]
    timezone: str = ""
    time: str = ""
    days: frozenset[int] = frozenset()
    shown: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    invitation: str | None = None


@dataclass(frozen=True, slots=True)
class PendingSignUp:
    """The sign-ups that a confirmation link names, each with its newsletter; there is at least one."""

    sign_ups: tuple[tuple[SignUpRequest, Newsletter], ...]

    @property
    def newsletters(self) -> tuple[Newsletter, ...]:
        """The newsletters that were asked for."""
        return tuple(newsletter for _, newsletter in self.sign_ups)

    @property
    def email(self) -> str:
        """The address that was typed into the form."""
        return self.sign_ups[0][0].subscriber.email


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
        """The newsletters that are open to everybody."""
        return open_newsletters(self.roster, self.settings.web.sign_up)

    @cached_property
    def by_invitation(self) -> Sequence[Newsletter]:
        """The newsletters that ask for an invitation."""
        return tuple(one for one in self.roster.newsletters if one.sign_up == BY_INVITATION)

    def newsletter(self, newsletter_id: str) -> Newsletter | None:
        """Return the newsletter with this id, if it is open to sign-up."""
        return next((found for found in self.newsletters if found.id == newsletter_id), None)

    def problems(self, email: str, timezone: str, time: str = "") -> Mapping[str, str]:
        """Return sentences about an invalid address, time zone or time, by `email`, `timezone` and `time`.

        An empty text is no problem here.
        """
        found: dict[str, str] = {}
        checks: tuple[tuple[str, Callable[[str], object], str], ...] = (
            ("email", read_email, email),
            ("timezone", read_timezone, timezone),
            ("time", partial(chosen_schedule, "daily 00:00", ()), time),
        )
        for name, read, text in checks:
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

    async def request(self, wish: SignUpWish) -> None:
        """Plan one confirmation mail for all the newsletters; do nothing for an address at its limit.

        Raises UsageError for an invalid value or no newsletter, and UnknownName for a newsletter that is not
        open to this person.
        """
        offered = await self._offered(wish.invitation)
        newsletters = [_one_of(name, offered) for name in dict.fromkeys(wish.newsletters)]
        if not newsletters:
            raise UsageError("a sign-up needs a newsletter; name one")
        named = SEPARATOR.join(newsletter.id for newsletter in newsletters)
        if len(named) > MAX_NAMED_CHARACTERS:
            raise UsageError("these are too many newsletters for one mail; choose fewer at once")
        address, now = read_email(wish.email), self.clock()
        person = Subscriber(identity.subscriber_id(address), address)
        sign_ups = [_sign_up(person, newsletter, wish, now) for newsletter in newsletters]
        key, mailbox = await self._subscribers.signing_key(), mailbox_key(address)
        limited = [
            attempt_limit(key, "address", mailbox, ADDRESS_LIMIT),
            attempt_limit(key, "repeat", mailbox, REPEAT_LIMIT),
        ]
        if not await self._attempts.allows(limited, now):
            return
        rendered = self._renderer.confirm(
            ", ".join(newsletter.title for newsletter in newsletters),
            language=newsletters[0].language,
            timezone=wish.timezone or newsletters[0].timezone,
            days=LINK_LIFETIME.days,
        )
        mail = transactional_issue(MailKind.CONFIRMATION, rendered, named, person.id, now)
        await self._sign_ups.request(sign_ups, mail, self.settings.mail.channel)
        await self.notify_workers("deliver", 1)

    async def read_confirmation_link(self, token: str) -> PendingSignUp | None:
        """Return the sign-ups of a confirmation link; None for a forged, expired or withdrawn one."""
        link = read_confirmation(await self._subscribers.signing_key(), token, self.clock())
        found = await find_sign_ups(self._sign_ups, link) if link else ()
        pending = [
            (one, newsletter)
            for one in found
            for newsletter in await self._offered(one.invitation)
            if newsletter.id == one.newsletter
        ]
        return PendingSignUp(tuple(pending)) if pending else None

    async def confirm(self, pending: PendingSignUp) -> str:
        """Subscribe them, plan the welcome mails, and return the address of their preferences page.

        Raises UsageError for an invitation that was revoked, has expired or is used up.
        """
        now, is_counted = self.clock(), False
        for sign_up, newsletter in pending.sign_ups:
            # One person is one use of an invitation, however many newsletters it is for.
            is_counted |= await confirm(
                self._subscribers,
                self._sign_ups,
                replace(sign_up, invitation=None if is_counted else sign_up.invitation),
                newsletter,
                welcome=partial(self._welcome, newsletter, now),
                channel=self.settings.mail.channel,
                now=now,
            )
        await self.notify_workers("deliver", 1)
        key, url = await self._subscribers.signing_key(), self.settings.site.url
        person = pending.sign_ups[0][0].subscriber.id
        return subscriber_links(key, url, person, pending.newsletters[0].id).preferences

    async def read_invitation_link(self, token: str) -> Invitation | None:
        """Return the invitation that a link names; None for a forged link and a closed invitation."""
        claims = read_invitation(await self._subscribers.signing_key(), token)
        found = await self._invitations.find(claims) if claims else None
        return found if found is not None and found.is_open(self.clock()) else None

    def invited_to(self, invitation: Invitation) -> Sequence[Newsletter]:
        """Return the newsletters of an invitation that are not closed."""
        known = {one.id: one for one in (*self.newsletters, *self.by_invitation)}
        return tuple(known[name] for name in invitation.newsletters if name in known)

    async def _offered(self, invitation_id: str | None) -> Sequence[Newsletter]:
        """Return the newsletters that a person may subscribe to, with an invitation (id) or without."""
        if invitation_id is None:
            return self.newsletters
        invitation = await self._invitations.find(invitation_id)
        return self.invited_to(invitation) if invitation is not None else ()

    def _welcome(self, newsletter: Newsletter, now: datetime, subscription: DesiredSubscription) -> Issue:
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
    def _invitations(self) -> SqlInvitationStore:
        return SqlInvitationStore(self.database)

    @cached_property
    def _attempts(self) -> SqlAttemptStore:
        return SqlAttemptStore(self.database)


def _one_of(newsletter_id: str, offered: Sequence[Newsletter]) -> Newsletter:
    found = next((one for one in offered if one.id == newsletter_id), None)
    if found is None:
        raise UnknownName("newsletter", newsletter_id, [one.id for one in offered])
    return found


def _sign_up(person: Subscriber, newsletter: Newsletter, wish: SignUpWish, now: datetime) -> SignUpRequest:
    way = ConsentWay.INVITATION if wish.invitation else ConsentWay.FORM
    return SignUpRequest(
        person,
        newsletter.id,
        wish.timezone or None,
        now,
        chosen_schedule(newsletter.schedule, wish.days, wish.time),
        Consent(way, wish.shown.get(newsletter.id, ""), wish.language),
        wish.invitation,
    )
