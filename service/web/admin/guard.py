"""The guard of the editors' pages: network, host, session, CSRF token and role, before any handler runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.app.accounts.sign_in import SignedIn, find_session
from service.app.factories.application import Application
from service.web.admin import cookies, csrf
from service.web.admin.context import AdminContext
from service.web.admin.rendering import AdminPages
from service.web.admin.sections import AdminRoute, Section
from service.web.admin.uploads import read_admin_form
from service.web.client_ip import ClientAddresses, is_address, is_in_networks
from service.web.pages import NO_STORE_HEADERS

LOGIN_PATH = "/admin/login"
FORGED = (
    "The form is not from this session, or the session has ended. Go back, reload the page and try again."
)
OUTSIDE = "These pages are closed to your address, {address}; the setting web.admin.networks opens them."
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
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        web, site = self.app.settings.web, urlsplit(self.app.settings.site.url).hostname
        listening = {web.listen_host, (web.admin.listen or ("", 0))[0]}
        if not (host in {site, "localhost", *listening} or is_address(host)):
            raise HTTPException(421, UNKNOWN_HOST.format(host=host or "without a name"))

    def is_https(self, request: Request) -> bool:
        """Return whether the browser uses HTTPS, to this server or to a trusted proxy before it."""
        peer = request.client.host if request.client else ""
        return cookies.is_https(request, trusted=self.clients.is_trusted(peer))

    async def session_of(self, request: Request) -> SignedIn | None:
        """Return the running session of a request."""
        token = cookies.read_cookie(request, cookies.SESSION, https=self.is_https(request))
        return await find_session(self.app, token)

    def endpoint(self, section: Section, route: AdminRoute) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of a route: all checks, then its handler."""

        async def answer(request: Request) -> Response:
            self.require_network(request)
            signed_in = await self.session_of(request)
            if signed_in is None:
                return self._to_login(request)
            if not signed_in.account.role.includes(route.role):
                raise HTTPException(
                    403, f"This needs the role {route.role.value}; yours is {signed_in.account.role.value}."
                )
            return await route.handler(await self._context(request, signed_in, section, route))

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
        if request.method == "GET":
            return context
        fields, uploads = await read_admin_form(request, route.max_bytes)
        given = fields.pop(csrf.FIELD, [""])[0]
        if not csrf.is_own_request(request, key, signed_in.session.id, given):
            raise HTTPException(403, FORGED)
        return AdminContext(self.app, self.pages, request, signed_in, section, context.csrf, fields, uploads)

    def _to_login(self, request: Request) -> Response:
        if request.method != "GET":
            raise HTTPException(403, FORGED)
        return RedirectResponse(f"{self.pages.root}{LOGIN_PATH}", 303, NO_STORE_HEADERS)
