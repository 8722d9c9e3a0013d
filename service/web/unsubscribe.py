"""Unsubscribe page: GET asks and changes nothing, because mail scanners follow links; POST unsubscribes.

A POST comes from the button on the page or from a mail program's one-click request (RFC 8058), which sends
`List-Unsubscribe=One-Click` as either kind of form and needs no page as a response.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from service.app.self_service import LinkedSubscriber, SelfService
from service.core.model import Membership, SubscriptionStatus
from service.text.i18n import Localizer
from service.web.pages import NO_STORE_HEADERS, Pages, masked
from service.web.request_bodies import FORM, fields_of, read_body

ONE_CLICK = (b"List-Unsubscribe", b"One-Click")
EVERYTHING = "everything"
ENDED_STATUSES = frozenset({SubscriptionStatus.UNSUBSCRIBED, SubscriptionStatus.ENDED})


@dataclass(frozen=True, slots=True)
class UnsubscribePages:
    """The page behind an unsubscribe link."""

    self_service: SelfService
    pages: Pages

    async def show(self, request: Request) -> Response:
        """Ask for confirmation; change nothing."""
        subscriber = await self._subscriber(request)
        if subscriber.is_test:
            return self.pages.message(request, "test_mail")
        membership = subscriber.membership(subscriber.newsletter)
        labels = self._labels(request, membership)
        if membership is None or membership.subscription.status in ENDED_STATUSES:
            return await self._done(subscriber, labels, everything=False)
        running = [m for m in subscriber.memberships if m.subscription.status not in ENDED_STATUSES]
        return self.pages.page(
            "unsubscribe.html",
            labels,
            newsletter=self._title(subscriber.newsletter),
            address=masked(membership.subscriber.email),
            several=len(running) > 1,
            preferences=await self.self_service.preferences_url(subscriber),
        )

    async def act(self, request: Request) -> Response:
        """Unsubscribe; a repeated request changes nothing more."""
        subscriber = await self._subscriber(request)
        body = await read_body(request)
        if subscriber.is_test:
            return self.pages.message(request, "test_mail")
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        # The form fields have other names, so a mail program can never end more than its one newsletter.
        one_click = all(part in body for part in ONE_CLICK)
        everything = not one_click and content_type == FORM and fields_of(body).get("from") == [EVERYTHING]
        await self.self_service.unsubscribe(subscriber, None if everything else subscriber.newsletter)
        labels = self._labels(request, subscriber.membership(subscriber.newsletter))
        if one_click:
            sentence = labels.text("unsubscribed_text", newsletter=self._title(subscriber.newsletter))
            return PlainTextResponse(sentence + "\n", headers=NO_STORE_HEADERS)
        return await self._done(subscriber, labels, everything=everything)

    async def _done(self, subscriber: LinkedSubscriber, labels: Localizer, *, everything: bool) -> Response:
        return self.pages.page(
            "unsubscribed.html",
            labels,
            newsletter=self._title(subscriber.newsletter),
            everything=everything,
            preferences=await self.self_service.preferences_url(subscriber) if subscriber.memberships else "",
        )

    async def _subscriber(self, request: Request) -> LinkedSubscriber:
        subscriber = await self.self_service.read_unsubscribe_link(request.path_params["token"])
        if subscriber is None:
            raise HTTPException(404)
        return subscriber

    def _labels(self, request: Request, membership: Membership | None) -> Localizer:
        return self.pages.labels(request, membership.edition.language if membership else None)

    def _title(self, newsletter_id: str) -> str:
        newsletter = self.self_service.newsletter(newsletter_id)
        return newsletter.title if newsletter else newsletter_id
