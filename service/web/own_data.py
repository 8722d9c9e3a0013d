"""Own data: a subscriber downloads everything that is stored about them, or deletes it.

The link is that of the preferences page. Who has it has a mail with the address and the preferences, so the
file tells them little more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.utils import parseaddr

from starlette.requests import Request
from starlette.responses import Response

from service.app.self_service import SelfService
from service.web.pages import NO_STORE_HEADERS, Pages, masked
from service.web.preferences import linked_subscriber
from service.web.request_bodies import read_form

DOWNLOAD_HEADERS = {**NO_STORE_HEADERS, "Content-Disposition": 'attachment; filename="my-data.json"'}


@dataclass(frozen=True, slots=True)
class OwnDataPages:
    """The pages behind the preferences link that are about the person's data."""

    self_service: SelfService
    pages: Pages

    async def download(self, request: Request) -> Response:
        """Return everything that is stored about the subscriber as JSON."""
        subscriber = await linked_subscriber(self.self_service, request)
        if subscriber.is_test:
            return self.pages.message(request, "test_mail")
        document = await self.self_service.data_of(subscriber)
        body = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        return Response(body, media_type="application/json", headers=DOWNLOAD_HEADERS)

    async def ask(self, request: Request) -> Response:
        """Ask whether to delete everything; change nothing."""
        subscriber = await linked_subscriber(self.self_service, request)
        if subscriber.is_test:
            return self.pages.message(request, "test_mail")
        first = subscriber.memberships[0]
        return self.pages.page(
            "delete.html",
            self.pages.labels(request, first.edition.language),
            address=masked(first.subscriber.email),
            is_declared=any(membership.declared for membership in subscriber.memberships),
            sender=parseaddr(self.self_service.site.sender)[1],
        )

    async def delete(self, request: Request) -> Response:
        """Erase the subscriber; the link is dead from then on."""
        subscriber = await linked_subscriber(self.self_service, request)
        await read_form(request)
        if subscriber.is_test:
            return self.pages.message(request, "test_mail")
        labels = self.pages.labels(request, subscriber.memberships[0].edition.language)
        await self.self_service.erase(subscriber)
        title, text = labels.text("deleted_title"), labels.text("unsubscribed_all")
        return self.pages.page(
            "message.html", labels, title=title, text=text, more=labels.text("unsubscribed_soon")
        )
