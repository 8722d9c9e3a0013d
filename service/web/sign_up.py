"""Sign-up: ask for a newsletter, get a mail, confirm in it. The answer never tells who is known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.web.client_ip import ClientAddresses
from service.web.pages import Pages, masked, zone_names
from service.web.ports import PendingSignUp, SignUpPort
from service.web.request_bodies import read_form

MAX_VALUE_CHARACTERS = 320
TRAP_FIELD = "website"
"""A field that people do not see, and that programs fill in."""


@dataclass(frozen=True, slots=True)
class SignUpPages:
    """The page where anybody can ask, and the one behind the link in the mail."""

    sign_up: SignUpPort
    pages: Pages
    visitors: ClientAddresses

    async def show(self, request: Request) -> Response:
        """Show the form."""
        chosen = request.query_params.get("newsletter", "")
        return self._form(request, {"newsletter": chosen, "email": "", "timezone": ""})

    async def act(self, request: Request) -> Response:
        """Send the mail, or say what is wrong. Whether the address is known makes no difference."""
        fields = await read_form(request)
        typed = {
            name: fields.get(name, [""])[0][:MAX_VALUE_CHARACTERS]
            for name in ("email", "newsletter", "timezone")
        }
        problems = self._problems(typed)
        if problems:
            return self._form(request, typed, problems)
        if not await self.sign_up.admits(self.visitors.client_of(request)):
            raise HTTPException(429, headers={"Retry-After": "3600"})
        if not any(fields.get(TRAP_FIELD, [])):
            await self.sign_up.request(typed["email"], typed["newsletter"], typed["timezone"])
        words = self.pages.words(request)
        text = words.text("sent_text", address=typed["email"])
        return self.pages.page("message.html", words, title=words.text("sent_title"), text=text)

    async def ask(self, request: Request) -> Response:
        """Ask once more, because mail scanners follow links; changes nothing."""
        asked = await self._asked(request)
        words = self.pages.words(request, asked.newsletter.language)
        return self.pages.page(
            "confirm.html", words, newsletter=asked.newsletter.title, address=masked(asked.email)
        )

    async def confirm(self, request: Request) -> Response:
        """Subscribe them, however often they press."""
        asked = await self._asked(request)
        preferences = await self.sign_up.confirm(asked)
        words = self.pages.words(request, asked.newsletter.language)
        return self.pages.page(
            "confirmed.html", words, newsletter=asked.newsletter.title, preferences=preferences
        )

    async def _asked(self, request: Request) -> PendingSignUp:
        asked = await self.sign_up.read_confirmation_link(request.path_params["token"])
        if asked is None:
            raise HTTPException(404)
        return asked

    def _problems(self, typed: Mapping[str, str]) -> dict[str, str]:
        problems = dict(self.sign_up.problems(typed["email"], typed["timezone"]))
        if not typed["email"]:
            problems["email"] = "no_address"
        if typed["newsletter"] not in {newsletter.id for newsletter in self.sign_up.newsletters}:
            problems["newsletter"] = "no_newsletter"
        return problems

    def _form(
        self, request: Request, typed: Mapping[str, str], problems: Mapping[str, str] | None = None
    ) -> Response:
        offered = self.sign_up.newsletters
        only = offered[0].id if len(offered) == 1 else ""
        return self.pages.page(
            "subscribe.html",
            self.pages.words(request),
            status=422 if problems else 200,
            newsletters=offered,
            chosen=typed["newsletter"] or only,
            typed=typed,
            trap=TRAP_FIELD,
            zones=zone_names(),
            problems=problems or {},
        )
