"""Sign-up: the web door's SignUp, answered by people, the record and the postman."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from service.core.errors import UsageError
from service.core.model import Newsletter, Roster
from service.people.addresses import read_address
from service.people.links import reader_links
from service.people.sign_up import GOOD_FOR, an_ask, confirm, confirm_url, may_be_mailed, read_ask
from service.people.sign_up import Ask as PeopleAsk
from service.people.wishes import read_timezone
from service.settings.values import Settings
from service.store.people import PeopleRecords
from service.web.desk import Asked
from service.wiring.clock import Clock
from service.wiring.letters import Postman


class HouseSignUp:
    """The SignUp of service/web."""

    def __init__(
        self, settings: Settings, roster: Roster, people: PeopleRecords, postman: Postman, clock: Clock
    ) -> None:
        self._site_url, self._people, self._clock = settings.site.url, people, clock
        self._postman = postman
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
        for name, read, text in (("email", read_address, email), ("timezone", read_timezone, timezone)):
            try:
                if text:
                    read(text)
            except UsageError as error:
                sentence = str(error)
                found[name] = sentence[:1].upper() + sentence[1:]
        return found

    async def ask(self, email: str, newsletter: str, timezone: str) -> None:
        """Send the mail that asks for confirmation, if one may go there."""
        wanted, address = self._newsletters[newsletter], read_address(email)
        if not await may_be_mailed(self._people, address):
            return
        ask = an_ask(address, newsletter, timezone or None, self.now())
        rendered = self._postman.letters.confirm(
            wanted.title,
            language=wanted.language,
            timezone=timezone or wanted.timezone,
            confirm_url=confirm_url(await self._people.signing_key(), self._site_url, ask),
            days=GOOD_FOR.days,
        )
        self._postman.send(rendered, newsletter, address)

    async def asked(self, token: str) -> Asked | None:
        """Return what a confirmation link asks for."""
        ask = read_ask(await self._people.signing_key(), token, self.now())
        newsletter = self._newsletters.get(ask.newsletter) if ask else None
        return Asked(ask.email, newsletter, ask.timezone) if ask and newsletter else None

    async def confirm(self, asked: Asked) -> str:
        """Subscribe them, welcome them, and return the address of their preferences page."""
        newsletter, now = asked.newsletter, self.now()
        ask = PeopleAsk(asked.email, newsletter.id, asked.timezone, now)
        placement, is_new = await confirm(self._people, ask, newsletter, now)
        if is_new:
            rendered = self._postman.letters.welcome(
                newsletter.title,
                language=newsletter.language,
                timezone=placement.edition.timezone,
                first_issue_at=placement.next_due_at,
            )
            self._postman.send(rendered, newsletter.id, asked.email)
        key = await self._people.signing_key()
        return reader_links(key, self._site_url, placement.subscriber.id, newsletter.id).preferences

    async def close(self) -> None:
        """Let the letters that are leaving leave, and give the others up."""
        await self._postman.close()
