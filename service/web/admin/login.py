"""Login page, the page behind a one-time link, and logout."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.app.accounts.attempts import new_browser_token
from service.app.accounts.manage import account_of_link, use_link
from service.app.accounts.sessions import SignedIn, log_out, start_session
from service.app.accounts.sign_in import LoginRefused, log_in
from service.core.errors import UsageError
from service.core.secret import Secret
from service.web.admin import cookies, csrf
from service.web.admin.context import AdminContext
from service.web.admin.guard import FORGED, AdminGuard
from service.web.admin.next_page import FIELD, FIRST_PAGE, next_page
from service.web.pages import NO_STORE_HEADERS
from service.web.request_bodies import Fields, read_form

SENTENCES = {
    "wrong": "The name or the password is wrong.",
    "code": "This account needs a code as well: type the one that your authenticator app shows now.",
    "wrong_code": "The code is wrong or was used before: type the one that your authenticator app shows now.",
    "limit": "There were too many attempts. Wait a quarter of an hour.",
}
"""What the login page says, by the reason of a refused login."""


@dataclass(frozen=True, slots=True)
class LoginPages:
    """The pages without a session. Their forms are bound to a random cookie (login CSRF)."""

    guard: AdminGuard

    async def show(self, request: Request) -> Response:
        """Show the login form; somebody with a session goes to the page that was asked for."""
        self.guard.require_network(request)
        if found := await self.guard.session_of(request):
            response = self._redirect_to(_asked_for(request))
            if found.token:
                self.guard.set_session(request, response, found)
            return response
        return await self._form(request, "login.html", name="", needs_code=False, next=_asked_for(request))

    async def act(self, request: Request) -> Response:
        """Log in and show the page that was asked for, or show the form again with the reason."""
        fields = await self._own_form(request)
        name = _first(fields, "name")
        refused_or_session = await log_in(
            self.guard.app,
            name,
            Secret(_first(fields, "password")),
            _first(fields, "code"),
            client=self.guard.clients.client_of(request),
            agent=request.headers.get("user-agent", ""),
            browser=cookies.read_cookie(request, cookies.BROWSER, https=self.guard.is_https(request)),
        )
        wanted = next_page(_first(fields, FIELD))
        if isinstance(refused_or_session, SignedIn):
            return await self._signed_in(request, refused_or_session, wanted)
        return await self._refused(request, name, refused_or_session, wanted)

    async def show_link(self, request: Request) -> Response:
        """Show the form that sets a password, behind a one-time link."""
        self.guard.require_network(request)
        account = await account_of_link(self.guard.app, request.path_params["token"])
        if account is None:
            raise HTTPException(410)
        return await self._form(
            request, "welcome.html", name=account.name, token=request.path_params["token"]
        )

    async def act_link(self, request: Request) -> Response:
        """Set the password and log in."""
        fields, token = await self._own_form(request), request.path_params["token"]
        if _first(fields, "password") != _first(fields, "again"):
            return await self._link_problem(request, "The two passwords are not the same.")
        try:
            account = await use_link(self.guard.app, token, Secret(_first(fields, "password")))
        except UsageError as error:
            return await self._link_problem(request, error.sentence)
        if account is None:
            raise HTTPException(410)
        client, agent = self.guard.clients.client_of(request), request.headers.get("user-agent", "")
        return await self._signed_in(
            request, await start_session(self.guard.app, account, client=client, agent=agent)
        )

    async def show_logged_out(self, request: Request) -> Response:
        """Say that the session has ended and that the proxy, which logs in by itself, has its own."""
        self.guard.require_network(request)
        name = self.guard.name_by_proxy(request)
        if name is None:
            return self._redirect_to("/login")
        return self.guard.pages.page("logged_out.html", name=name)

    async def _link_problem(self, request: Request, problem: str) -> Response:
        token = request.path_params["token"]
        account = await account_of_link(self.guard.app, token)
        if account is None:
            raise HTTPException(410)
        return await self._form(
            request, "welcome.html", status=422, name=account.name, token=token, problem=problem
        )

    async def _refused(self, request: Request, name: str, refused: LoginRefused, wanted: str) -> Response:
        status = 429 if refused.reason == "limit" else 422
        return await self._form(
            request,
            "login.html",
            status=status,
            name=name,
            problem=SENTENCES[refused.reason],
            needs_code=refused.reason in ("code", "wrong_code"),
            next=wanted,
        )

    async def _form(
        self, request: Request, template: str, *, status: int = 200, **values: object
    ) -> Response:
        https = self.guard.is_https(request)
        nonce = cookies.read_cookie(request, cookies.LOGIN, https=https) or secrets.token_urlsafe(24)
        key = await self.guard.app.subscribers.signing_key()
        response = self.guard.pages.page(
            template,
            status=status,
            csrf=csrf.csrf_token(key, nonce, csrf.LOGIN_PURPOSE),
            **{"problem": "", **values},
        )
        cookies.set_cookie(response, cookies.LOGIN, nonce, https=https)
        return response

    async def _own_form(self, request: Request) -> Fields:
        """Return the fields of a form that this browser got from us. Raises HTTPException 403."""
        self.guard.require_network(request)
        fields = await read_form(request)
        nonce = cookies.read_cookie(request, cookies.LOGIN, https=self.guard.is_https(request))
        key = await self.guard.app.subscribers.signing_key()
        given = _first(fields, csrf.FIELD)
        if not nonce or not csrf.is_own_request(request, key, nonce, given, csrf.LOGIN_PURPOSE):
            raise HTTPException(403, FORGED)
        return fields

    async def _signed_in(self, request: Request, signed_in: SignedIn, wanted: str = FIRST_PAGE) -> Response:
        https, response = self.guard.is_https(request), self._redirect_to(wanted)
        self.guard.set_session(request, response, signed_in)
        browser = await new_browser_token(self.guard.app, signed_in.account)
        cookies.set_cookie(response, cookies.BROWSER, browser, https=https, seconds=cookies.BROWSER_SECONDS)
        return response

    def _redirect_to(self, page: str) -> Response:
        return RedirectResponse(f"{self.guard.pages.root}/admin{page}", 303, NO_STORE_HEADERS)


async def log_out_here(context: AdminContext) -> Response:
    """End the session and show the login page; a person whom a proxy logs in learns that it does so again."""
    await log_out(context.app, context.signed_in)
    response = context.redirect("/logged-out" if context.signed_in.by_proxy else "/login")
    for https in (True, False):
        cookies.delete_cookie(response, cookies.SESSION, https=https)
    return response


def _asked_for(request: Request) -> str:
    return next_page(request.query_params.get(FIELD, ""))


def _first(fields: Fields, name: str) -> str:
    return fields.get(name, [""])[0]
