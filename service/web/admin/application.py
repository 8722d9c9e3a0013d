"""The editors' pages as an ASGI application: all sections behind one guard, and the pages of errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from service.app.factories.application import Application
from service.core.errors import CaveatError, StoreError, UsageError
from service.web.admin.access import ACCESS
from service.web.admin.account import ACCOUNT
from service.web.admin.api import API
from service.web.admin.drafts import DRAFTS
from service.web.admin.feeds import FEEDS
from service.web.admin.guard import AdminGuard
from service.web.admin.issues import ISSUES
from service.web.admin.login import LoginPages
from service.web.admin.newsletters import NEWSLETTERS
from service.web.admin.rendering import POLICY, AdminPages
from service.web.admin.sections import Section
from service.web.admin.send import SEND
from service.web.admin.settings import SETTINGS
from service.web.admin.stories import STORIES
from service.web.admin.subscribers import SUBSCRIBERS
from service.web.admin.today import TODAY
from service.web.app import SecurityHeaders
from service.web.client_ip import ClientAddresses
from service.web.pages import security_headers

SECTIONS: tuple[Section, ...] = (
    TODAY,
    ISSUES,
    DRAFTS,
    SEND,
    NEWSLETTERS,
    STORIES,
    FEEDS,
    SUBSCRIBERS,
    SETTINGS,
    ACCESS,
    API,
)
"""The sections in the order of the navigation."""

TITLES = {
    400: "Not a form",
    403: "Not allowed",
    404: "Not found",
    408: "Too slow",
    410: "The link has been used, or it has expired",
    413: "Too large",
    415: "Not a form",
    421: "Wrong address",
    422: "Not possible",
    500: "Something went wrong",
    503: "The database cannot be reached",
}
SENTENCES = {
    404: "There is no such page.",
    408: "The form came too slowly.",
    410: "An admin can make a new one: caveat admin link NAME.",
    413: "The form or file is larger than this page takes.",
    500: "The log of the service has the details.",
    503: "Try again in a few minutes; the log of the service has the details.",
}


def admin_application(app: Application, templates: Path, *, root: str | None = None) -> ASGIApp:
    """Return the editors' pages, for the paths behind /admin.

    `root` is the path before /admin in links, by default that of `site.url`.
    """
    pages = AdminPages(
        templates,
        app.settings.site,
        SECTIONS,
        clock=app.clock,
        timezone=_timezone(app),
        root=urlsplit(app.settings.site.url).path.rstrip("/") if root is None else root,
    )
    guard = AdminGuard(app, pages, ClientAddresses(app.settings.web.trusted_proxies))
    login = LoginPages(guard)
    routes: list[BaseRoute] = [
        Route("/login", login.show, methods=["GET"]),
        Route("/login", login.act, methods=["POST"]),
        Route("/logged-out", login.show_logged_out, methods=["GET"]),
        Route("/welcome/{token}", login.show_link, methods=["GET"]),
        Route("/welcome/{token}", login.act_link, methods=["POST"]),
        Route("/assets/{digest}/{name}", _assets(pages), methods=["GET"]),
    ]
    for section in (*SECTIONS, ACCOUNT):
        routes += _section_routes(guard, section)
    handlers = _ErrorPages(pages).handlers()
    inner = Starlette(routes=routes, exception_handlers=handlers)
    inner.router.redirect_slashes = False
    return inner


def separate_application(admin: ASGIApp) -> ASGIApp:
    """Return the application of an address that serves only the editors' pages."""
    headers = {**security_headers(style=""), "Content-Security-Policy": POLICY}
    return SecurityHeaders(Starlette(routes=[Mount("/admin", app=admin)]), headers)


def _section_routes(guard: AdminGuard, section: Section) -> Sequence[BaseRoute]:
    return [
        Route(route.path, guard.endpoint(section, route), methods=[route.method]) for route in section.routes
    ]


def _assets(pages: AdminPages) -> Any:  # noqa: ANN401 - an endpoint
    async def asset(request: Request) -> Response:
        found = pages.asset(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return found

    return asset


def _timezone(app: Application) -> str:
    first = next(iter(app.roster.newsletters), None)
    return app.settings.web.admin.timezone or (first.timezone if first else "UTC")


class _ErrorPages:
    """A page for each exception: what happened, in a sentence."""

    def __init__(self, pages: AdminPages) -> None:
        self._pages = pages

    def handlers(self) -> dict[Any, Any]:
        """Return the handler of each exception class, for Starlette."""
        return {
            HTTPException: self._refused,
            UsageError: self._misused,
            StoreError: self._unavailable,
            CaveatError: self._misused,
            Exception: self._failed,
        }

    async def _refused(self, _request: Request, error: HTTPException) -> Response:
        own = error.detail if " " in error.detail and error.detail.endswith(".") else ""
        response = self._page(error.status_code, own or SENTENCES.get(error.status_code, ""))
        response.headers.update(error.headers or {})
        return response

    async def _misused(self, _request: Request, error: CaveatError) -> Response:
        return self._page(422, error.sentence)

    async def _unavailable(self, _request: Request, _error: StoreError) -> Response:
        return self._page(503, SENTENCES[503])

    async def _failed(self, _request: Request, _error: Exception) -> Response:
        return self._page(500, SENTENCES[500])

    def _page(self, status: int, sentence: str) -> Response:
        title = TITLES.get(status, "Not possible")
        return self._pages.page("error.html", status=status, title=title, sentence=sentence)
