"""Sign-up: the SignUp of service/web, answered by people and the record.

Whatever the state of an address, asking for it takes the same steps: the ledger is what keeps a mail from a
suppressed one, so that neither the page nor its time tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property

from service.app.clock import Clock
from service.app.transactional_mail import Hint, transactional_issue, transactional_renderer
from service.compose.render.transactional import TransactionalRenderer
from service.core import ids as identity
from service.core.errors import UsageError
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
from service.web.ports import PendingSignUp


class SignUp:
    """The SignUp of service/web. `hint` tells whoever delivers that there is work."""

    def __init__(
        self, settings: Settings, roster: Roster, database: Database, *, hint: Hint, clock: Clock
    ) -> None:
        self._settings, self._clock, self._hint = settings, clock, hint
        self._people, self._limits = SqlSubscriberStore(database), SqlAttemptStore(database)
        self._sign_ups = SqlSignUpStore(database)
        offered = (roster.newsletter(name) for name in settings.web.sign_up)
        self._newsletters = {found.id: found for found in offered if found is not None}

    @property
    def newsletters(self) -> Sequence[Newsletter]:
        """What anybody may ask for."""
        return tuple(self._newsletters.values())

    def now(self) -> datetime:
        """Return the instant."""
        return self._clock()

    def problems(self, email: str, timezone: str) -> Mapping[str, str]:
        """Return what is wrong with an address and a time zone."""
        found: dict[str, str] = {}
        for name, read, text in (("email", read_email, email), ("timezone", read_timezone, timezone)):
            try:
                if text:
                    read(text)
            except UsageError as error:
                sentence = str(error)
                found[name] = sentence[:1].upper() + sentence[1:]
        return found

    async def admits(self, visitor: str) -> bool:
        """Count one more request of that visitor, and tell whether it is within the limits."""
        key = await self._people.signing_key()
        limited = [
            attempt_limit(key, "visitor", visitor, VISITOR_LIMIT),
            attempt_limit(key, "total", "", TOTAL_LIMIT),
        ]
        return await self._limits.allows(limited, self.now())

    async def request(self, email: str, newsletter: str, timezone: str) -> None:
        """Plan the mail that asks for confirmation, unless the address was asked for too often."""
        wanted, address, now = self._newsletters[newsletter], read_email(email), self.now()
        key = await self._people.signing_key()
        limited = attempt_limit(key, "address", mailbox_key(address), ADDRESS_LIMIT)
        if not await self._limits.allows([limited], now):
            return
        person = Subscriber(identity.subscriber_id(address), address)
        rendered = self._letters.confirm(
            wanted.title,
            language=wanted.language,
            timezone=timezone or wanted.timezone,
            days=LINK_LIFETIME.days,
        )
        mail = transactional_issue(MailKind.CONFIRMATION, rendered, newsletter, person.id, now)
        sign_up = SignUpRequest(person, newsletter, timezone or None, now)
        await self._sign_ups.request(sign_up, mail, self._settings.mail.channel)
        await self._hint({"deliver": 1})

    async def read_confirmation_link(self, token: str) -> PendingSignUp | None:
        """Return what a confirmation link asks for."""
        link = read_confirmation(await self._people.signing_key(), token, self.now())
        found = await find_sign_up(self._sign_ups, link) if link else None
        newsletter = self._newsletters.get(found.newsletter) if found else None
        return PendingSignUp(found, newsletter) if found and newsletter else None

    async def confirm(self, asked: PendingSignUp) -> str:
        """Subscribe them, welcome them, and return the address of their preferences page."""
        newsletter, now = asked.newsletter, self.now()
        placement = await confirm(
            self._people,
            self._sign_ups,
            asked.sign_up,
            newsletter,
            welcome=lambda placement: self._welcome(newsletter, placement, now),
            channel=self._settings.mail.channel,
            now=now,
        )
        await self._hint({"deliver": 1})
        key = await self._people.signing_key()
        url = self._settings.site.url
        return subscriber_links(key, url, placement.subscriber.id, newsletter.id).preferences

    def _welcome(self, newsletter: Newsletter, placement: DesiredSubscription, now: datetime) -> Issue:
        rendered = self._letters.welcome(
            newsletter.title,
            language=newsletter.language,
            timezone=placement.edition.timezone,
            first_issue_at=placement.next_due_at,
        )
        return transactional_issue(MailKind.WELCOME, rendered, newsletter.id, placement.subscriber.id, now)

    @cached_property
    def _letters(self) -> TransactionalRenderer:
        return transactional_renderer(self._settings)
