"""The guard of the editors' pages: network, host, session, CSRF token and role, before any handler runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.app.accounts.by_proxy import log_in_by_proxy
from service.app.accounts.sessions import SignedIn, find_session
from service.app.factories.application import Application
from service.core.errors import UsageError
from service.web.admin import cookies, csrf
from service.web.admin.context import AdminContext
from service.web.admin.next_page import FIELD, FIRST_PAGE, next_page
from service.web.admin.proxy_login import named_account
from service.web.admin.rendering import AdminPages
from service.web.admin.sections import AdminRoute, Section
from service.web.admin.uploads import read_admin_form
from service.web.client_ip import ClientAddresses, is_address, is_in_networks
from service.web.pages import NO_STORE_HEADERS

LOGIN_PATH = "/admin/login"
READING = ("GET", "HEAD")
"""Methods that change nothing: they need no CSRF token."""

FORGED = (
    "The form is not from this session, or the session has ended. Go back, reload the page and try again."
)
OUTSIDE = "These pages are closed to your address, {address}; the setting web.admin.networks opens them."
ROLE = "This needs the role {needed}; yours is {own}."
UNKNOWN_HOST = "This server is not {host}. Use the address of site.url, localhost or the IP address."


@dataclass(frozen=True, slots=True)
class AdminGuard:
    """Checks requests to the editors' pages and gives handlers their context."""

    app: Application
    pages: AdminPages
    clients: ClientAddresses

    def require_network(self, request: Request) -> None:
        """Raise HTTPException 403 for a client outside `web.admin.networks`, 421 for an unknown Host.

        A page of another site can point its own name at this machine (DNS rebinding); such a Host is refused.
        """
        address = self.clients.address_of(request)
        if not is_in_networks(address, self.app.settings.web.admin.networks):
            raise HTTPException(403, OUTSIDE.format(address=address))
        host = _host_name(request.headers.get("host", ""))
        web, site = self.app.settings.web, urlsplit(self.app.settings.site.url).hostname
        listening = {web.listen_host, web.admin.listen[0]} if web.admin.listen else {web.listen_host}
        if not host or not (host in {site, "localhost", *listening} or is_address(host)):
            raise HTTPException(421, UNKNOWN_HOST.format(host=host or "without a name"))

    def is_https(self, request: Request) -> bool:
        """Return whether the browser uses HTTPS, to this server or to a trusted proxy before it."""
        peer = request.client.host if request.client else ""
        return cookies.is_https(request, trusted=self.clients.is_trusted(peer))

    async def session_of(self, request: Request) -> SignedIn | None:
        """Return the running session of a request; it is new, with its token, if a proxy names an account.

        Raises HTTPException 403 for a named account that does not exist or is disabled.
        """
        token = cookies.read_cookie(request, cookies.SESSION, https=self.is_https(request))
        found, name = await find_session(self.app, token), self.name_by_proxy(request)
        if name is None:
            return None if found and found.by_proxy else found
        if request.method not in READING and found is None:
            return None
        client, agent = self.clients.client_of(request), request.headers.get("user-agent", "")
        try:
            return await log_in_by_proxy(self.app, name, found, client=client, agent=agent)
        except UsageError as error:
            raise HTTPException(403, error.sentence) from None

    def name_by_proxy(self, request: Request) -> str | None:
        """Return the name of the account that a trusted proxy has logged in."""
        web = self.app.settings.web
        return named_account(request, web.admin.user_header, web.trusted_proxies)

    def set_session(self, request: Request, response: Response, signed_in: SignedIn) -> None:
        """Set the cookie of a new session."""
        https = self.is_https(request)
        cookies.set_cookie(response, cookies.SESSION, signed_in.token, https=https)
        cookies.delete_cookie(response, cookies.LOGIN, https=https)

    def endpoint(self, section: Section, route: AdminRoute) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of a route: all checks, then its handler."""

        async def answer(request: Request) -> Response:
            self.require_network(request)
            signed_in = await self.session_of(request)
            if signed_in is None:
                return self._to_login(request)
            for needed in (section.role, route.role):
                if not signed_in.account.role.includes(needed):
                    raise HTTPException(
                        403, ROLE.format(needed=needed.value, own=signed_in.account.role.value)
                    )
            response = await route.handler(await self._context(request, signed_in, section, route))
            if signed_in.token:
                self.set_session(request, response, signed_in)
            return response

        return answer

    async def _context(
        self, request: Request, signed_in: SignedIn, section: Section, route: AdminRoute
    ) -> AdminContext:
        key = await self.app.subscribers.signing_key()
        context = AdminContext(
            self.app,
            self.pages,
            request,
            signed_in,
            section,
            csrf.csrf_token(key, signed_in.session.id),
        )
        if request.method in READING:
            return context
        fields, uploads = await read_admin_form(request, route.max_bytes)
        given = fields.pop(csrf.FIELD, [""])[0]
        if not csrf.is_own_request(request, key, signed_in.session.id, given):
            raise HTTPException(403, FORGED)
        return AdminContext(self.app, self.pages, request, signed_in, section, context.csrf, fields, uploads)

    def _to_login(self, request: Request) -> Response:
        if request.method not in READING:
            raise HTTPException(403, FORGED)
        path = request.url.path.removeprefix(request.scope.get("root_path", ""))
        wanted = next_page(f"{path}?{request.url.query}" if request.url.query else path)
        query = "" if wanted == FIRST_PAGE else "?" + urlencode({FIELD: wanted})
        return RedirectResponse(f"{self.pages.root}{LOGIN_PATH}{query}", 303, NO_STORE_HEADERS)


def _host_name(header: str) -> str:
    """Return the name in a Host header in lower case, without port; "" for a header that is none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
