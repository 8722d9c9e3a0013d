"""Sign-up pages: the public form, and the page behind the link in the confirmation mail.

No response reveals whether an address is subscribed. The form has no CSRF token, so that other sites can have
one that posts here: a request only ever sends one mail, and nothing else happens until its link is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.app.archive.archive import IssueArchive
from service.app.sign_up import PendingSignUp, SignUp
from service.core.errors import UsageError
from service.core.model import Invitation, Newsletter
from service.text.i18n import Localizer
from service.web.client_ip import ClientAddresses
from service.web.pages import NO_STORE_HEADERS, Pages, masked, zone_names
from service.web.request_bodies import read_form
from service.web.sign_up.form import TRAP_FIELD, Offer, SignUpForm, offer_of, typed_form

SCRIPT_HEADERS = {"Cache-Control": "public, max-age=86400"}


@dataclass(frozen=True, slots=True)
class SignUpPages:
    """The form at /subscribe and /invitation, and the confirmation page at /confirm.

    Pages of the sites `embed` may show the form of /subscribe/embed in a frame.
    """

    sign_up: SignUp
    pages: Pages
    clients: ClientAddresses
    archive: IssueArchive | None = None
    embed: Sequence[str] = ()

    async def show(self, request: Request) -> Response:
        """Show the empty form, at /subscribe/NEWSLETTER for one newsletter."""
        named = request.path_params.get("newsletter")
        if named is not None and self.sign_up.newsletter(named) is None:
            raise HTTPException(404)
        chosen = named or request.query_params.get("newsletter", "")
        form = SignUpForm(newsletters=(chosen,) if chosen else ())
        return await self._form(request, form, self.sign_up.newsletters)

    async def act(self, request: Request) -> Response:
        """Plan the confirmation mail, or show the form again with its problems."""
        return await self._submitted(request, self.sign_up.newsletters)

    async def show_embedded(self, request: Request) -> Response:
        """Show the form for a frame on another site."""
        if not self.embed:
            raise HTTPException(404)
        return await self.show(request)

    async def act_embedded(self, request: Request) -> Response:
        """Plan the confirmation mail for a form in a frame."""
        if not self.embed:
            raise HTTPException(404)
        return await self.act(request)

    async def show_invited(self, request: Request) -> Response:
        """Show the form to a person with an invitation."""
        invitation = await self._invitation(request)
        if invitation is None:
            return self.pages.message(request, "uninvited", status=410)
        offered = self.sign_up.invited_to(invitation)
        form = SignUpForm(newsletters=tuple(one.id for one in offered))
        return await self._form(request, form, offered)

    async def act_invited(self, request: Request) -> Response:
        """Plan the confirmation mail for a person with an invitation."""
        invitation = await self._invitation(request)
        if invitation is None:
            return self.pages.message(request, "uninvited", status=410)
        return await self._submitted(request, self.sign_up.invited_to(invitation), invitation.id)

    async def script(self, _request: Request) -> Response:
        """Return the script that fills in the time zone of the browser."""
        return Response(self.pages.script, media_type="text/javascript", headers=SCRIPT_HEADERS)

    async def ask(self, request: Request) -> Response:
        """Show the confirmation button; change nothing, because mail scanners follow links."""
        pending = await self._pending(request)
        titles = ", ".join(newsletter.title for newsletter in pending.newsletters)
        return self.pages.page(
            "confirm.html",
            self.pages.labels(request, pending.newsletters[0].language),
            newsletter=titles,
            address=masked(pending.email),
        )

    async def confirm(self, request: Request) -> Response:
        """Subscribe them; a repeated request changes nothing more."""
        pending = await self._pending(request)
        try:
            preferences = await self.sign_up.confirm(pending)
        except UsageError:
            return self.pages.message(request, "uninvited", status=410)
        return self.pages.page(
            "confirmed.html",
            self.pages.labels(request, pending.newsletters[0].language),
            newsletters=[newsletter.title for newsletter in pending.newsletters],
            preferences=preferences,
        )

    async def _submitted(
        self, request: Request, offered: Sequence[Newsletter], invitation: str | None = None
    ) -> Response:
        form = typed_form(await read_form(request))
        form = replace(form, problems=self._problems(form, offered))
        if form.problems:
            return await self._form(request, form, offered)
        if not await self.sign_up.count_attempt(self.clients.client_of(request)):
            raise HTTPException(429, headers={"Retry-After": "3600"})
        labels = self.pages.labels(request)
        offers = await self._offers(offered, labels)
        try:
            if not form.is_trapped:
                await self.sign_up.request(form.wish(offers, labels.language, invitation))
        except UsageError as error:
            return await self._form(request, replace(form, problems={"newsletter": error.sentence}), offered)
        return self.pages.page(
            "message.html",
            labels,
            headers=self._headers(request),
            framed=_is_framed(request),
            title=labels.text("sent_title"),
            text=labels.text("sent_text", address=form.email),
            more=labels.text("sent_hint"),
        )

    async def _pending(self, request: Request) -> PendingSignUp:
        pending = await self.sign_up.read_confirmation_link(request.path_params["token"])
        if pending is None:
            raise HTTPException(404)
        return pending

    async def _invitation(self, request: Request) -> Invitation | None:
        """Return the invitation, None for one that is closed or leads to no newsletter any more."""
        found = await self.sign_up.read_invitation_link(request.path_params["token"])
        return found if found is not None and self.sign_up.invited_to(found) else None

    def _problems(self, form: SignUpForm, offered: Sequence[Newsletter]) -> dict[str, str]:
        """Return a label key or a sentence for each invalid field."""
        problems = dict(self.sign_up.problems(form.email, form.timezone, form.time))
        if not form.email:
            problems["email"] = "no_address"
        if not form.newsletters or not {*form.newsletters} <= {one.id for one in offered}:
            problems["newsletter"] = "no_newsletter"
        return problems

    async def _offers(self, offered: Sequence[Newsletter], labels: Localizer) -> list[Offer]:
        """Return the newsletters as the form shows them."""
        archive = self.archive
        samples = [await archive.sample_url(one) if archive else "" for one in offered]
        return [offer_of(one, sample, labels) for one, sample in zip(offered, samples, strict=True)]

    async def _form(self, request: Request, form: SignUpForm, offered: Sequence[Newsletter]) -> Response:
        labels = self.pages.labels(request)
        return self.pages.page(
            "subscribe.html",
            labels,
            status=422 if form.problems else 200,
            headers=self._headers(request),
            framed=_is_framed(request),
            form=form,
            offers=await self._offers(offered, labels),
            chosen=form.newsletters or ((offered[0].id,) if len(offered) == 1 else ()),
            trap=TRAP_FIELD,
            zones=zone_names(),
            script=self.pages.script_url,
        )

    def _headers(self, request: Request) -> Mapping[str, str]:
        frames = self.embed if _is_framed(request) else ()
        return {**NO_STORE_HEADERS, **self.pages.form_headers(frames)}


def _is_framed(request: Request) -> bool:
    return request.url.path.rstrip("/").endswith("/subscribe/embed")
