"""Sign-up pages: the public form, and the page behind the link in the confirmation mail.

No response reveals whether an address is subscribed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.app.archive.archive import IssueArchive
from service.app.sign_up import PendingSignUp, SignUp
from service.web.client_ip import ClientAddresses
from service.web.pages import Pages, masked, zone_names
from service.web.request_bodies import read_form

MAX_VALUE_CHARACTERS = 320
"""Length of the longest mail address (RFC 5321, 4.5.3.1); the rest of a field is ignored."""

TRAP_FIELD = "website"
"""A form field that is hidden from people; a request that fills it comes from a program."""


@dataclass(frozen=True, slots=True)
class SignUpPages:
    """The form at /subscribe and the confirmation page at /confirm."""

    sign_up: SignUp
    pages: Pages
    clients: ClientAddresses
    archive: IssueArchive | None = None

    async def show(self, request: Request) -> Response:
        """Show the empty form, at /subscribe/NEWSLETTER for one newsletter."""
        named = request.path_params.get("newsletter")
        if named is not None and self.sign_up.newsletter(named) is None:
            raise HTTPException(404)
        chosen = named or request.query_params.get("newsletter", "")
        return await self._form(request, {"newsletter": chosen, "email": "", "timezone": ""})

    async def act(self, request: Request) -> Response:
        """Plan the confirmation mail, or show the form again with its problems."""
        fields = await read_form(request)
        typed = {
            name: fields.get(name, [""])[0][:MAX_VALUE_CHARACTERS]
            for name in ("email", "newsletter", "timezone")
        }
        problems = self._problems(typed)
        if problems:
            return await self._form(request, typed, problems)
        if not await self.sign_up.count_attempt(self.clients.client_of(request)):
            raise HTTPException(429, headers={"Retry-After": "3600"})
        if not any(fields.get(TRAP_FIELD, [])):
            await self.sign_up.request(typed["email"], typed["newsletter"], typed["timezone"])
        labels = self.pages.labels(request)
        sentence = labels.text("sent_text", address=typed["email"])
        return self.pages.page("message.html", labels, title=labels.text("sent_title"), text=sentence)

    async def ask(self, request: Request) -> Response:
        """Show the confirmation button; change nothing, because mail scanners follow links."""
        pending = await self._pending(request)
        labels = self.pages.labels(request, pending.newsletter.language)
        return self.pages.page(
            "confirm.html", labels, newsletter=pending.newsletter.title, address=masked(pending.email)
        )

    async def confirm(self, request: Request) -> Response:
        """Subscribe them; a repeated request changes nothing more."""
        pending = await self._pending(request)
        preferences = await self.sign_up.confirm(pending)
        labels = self.pages.labels(request, pending.newsletter.language)
        return self.pages.page(
            "confirmed.html", labels, newsletter=pending.newsletter.title, preferences=preferences
        )

    async def _pending(self, request: Request) -> PendingSignUp:
        pending = await self.sign_up.read_confirmation_link(request.path_params["token"])
        if pending is None:
            raise HTTPException(404)
        return pending

    def _problems(self, typed: Mapping[str, str]) -> dict[str, str]:
        """Return a label key or a sentence for each invalid field."""
        problems = dict(self.sign_up.problems(typed["email"], typed["timezone"]))
        if not typed["email"]:
            problems["email"] = "no_address"
        if self.sign_up.newsletter(typed["newsletter"]) is None:
            problems["newsletter"] = "no_newsletter"
        return problems

    async def _samples(self) -> dict[str, str]:
        """Return the addresses of the latest issues, by newsletter (id); without those that have none."""
        if self.archive is None:
            return {}
        found = {one.id: await self.archive.sample_url(one) for one in self.sign_up.newsletters}
        return {name: url for name, url in found.items() if url}

    async def _form(
        self, request: Request, typed: Mapping[str, str], problems: Mapping[str, str] | None = None
    ) -> Response:
        offered = self.sign_up.newsletters
        only = offered[0].id if len(offered) == 1 else ""
        return self.pages.page(
            "subscribe.html",
            self.pages.labels(request),
            status=422 if problems else 200,
            newsletters=offered,
            chosen=typed["newsletter"] or only,
            typed=typed,
            trap=TRAP_FIELD,
            zones=zone_names(),
            samples=await self._samples(),
            problems=problems or {},
        )
