"""Unsubscribe: GET asks and changes nothing, because mail scanners follow links; POST acts.

A POST is a person's button or a mail program's one click (RFC 8058), which sends `List-Unsubscribe=One-Click`
as a form of either kind and wants no page in return.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from service.core.model import Membership, SubscriptionStatus
from service.text.i18n import Localizer
from service.web.pages import NO_STORE_HEADERS, Pages, masked
from service.web.ports import LinkedSubscriber, SelfServicePort
from service.web.request_bodies import FORM, fields_of, read_body

ONE_CLICK = (b"List-Unsubscribe", b"One-Click")
EVERYTHING = "everything"
ENDED_STATUSES = frozenset({SubscriptionStatus.UNSUBSCRIBED, SubscriptionStatus.ENDED})


@dataclass(frozen=True, slots=True)
class UnsubscribePages:
    """The page behind every unsubscribe link."""

    desk: SelfServicePort
    pages: Pages

    async def show(self, request: Request) -> Response:
        """Ask whether they are sure."""
        reader = await self._reader(request)
        membership = reader.membership(reader.newsletter)
        words = self._words(request, membership)
        if membership is None or membership.subscription.status in ENDED_STATUSES:
            return await self._done(reader, words, everything=False)
        return self.pages.page(
            "unsubscribe.html",
            words,
            newsletter=self._title(reader.newsletter),
            address=masked(membership.subscriber.email),
            several=sum(m.subscription.status not in ENDED_STATUSES for m in reader.memberships) > 1,
            preferences=await self.desk.preferences_url(reader),
        )

    async def act(self, request: Request) -> Response:
        """Unsubscribe them, however often they ask."""
        reader = await self._reader(request)
        body = await read_body(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        # The names differ from ours, so a mail program cannot ask for more than its one newsletter.
        one_click = all(part in body for part in ONE_CLICK)
        everything = not one_click and kind == FORM and fields_of(body).get("from") == [EVERYTHING]
        await self.desk.unsubscribe(reader, None if everything else reader.newsletter)
        words = self._words(request, reader.membership(reader.newsletter))
        if one_click:
            said = words.text("unsubscribed_text", newsletter=self._title(reader.newsletter))
            return PlainTextResponse(said + "\n", headers=NO_STORE_HEADERS)
        return await self._done(reader, words, everything=everything)

    async def _done(self, reader: LinkedSubscriber, words: Localizer, *, everything: bool) -> Response:
        return self.pages.page(
            "unsubscribed.html",
            words,
            newsletter=self._title(reader.newsletter),
            everything=everything,
            preferences=await self.desk.preferences_url(reader) if reader.memberships else "",
        )

    async def _reader(self, request: Request) -> LinkedSubscriber:
        reader = await self.desk.read_unsubscribe_link(request.path_params["token"])
        if reader is None:
            raise HTTPException(404)
        return reader

    def _words(self, request: Request, membership: Membership | None) -> Localizer:
        return self.pages.words(request, membership.edition.language if membership else None)

    def _title(self, newsletter_id: str) -> str:
        newsletter = self.desk.newsletter(newsletter_id)
        return newsletter.title if newsletter else newsletter_id
