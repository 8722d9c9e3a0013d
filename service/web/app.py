"""The web application: which page is at which path, and the security headers of every response."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service.app.archive.archive import IssueArchive
from service.app.doctor.health import HealthCheck
from service.app.self_service import SelfService
from service.app.sign_up import SignUp
from service.core.archive_links import PUBLIC
from service.core.errors import StoreError
from service.web.archive.issue_pages import IssuePages
from service.web.archive.newsletter_pages import NewsletterPages
from service.web.archive.rendering import IssueRenderer
from service.web.archive.report_pages import ReportPages
from service.web.client_ip import ClientAddresses
from service.web.health import HealthPages
from service.web.own_data import OwnDataPages
from service.web.pages import Pages
from service.web.preferences import PreferencesPages
from service.web.sign_up.pages import SignUpPages
from service.web.unsubscribe import UnsubscribePages

MAX_PATH_CHARACTERS = 2_000
"""Length of a path from which it is answered as unknown; a signed link has about 200."""

SLASH_REDIRECT = 307
"""Starlette's redirect between the paths with and without a slash at the end."""

RETRY_SECONDS = "120"
"""Retry-After of a response while the database is unreachable."""


def application(
    self_service: SelfService,
    health: HealthCheck,
    templates: Path,
    *,
    custom: Path | None = None,
    metrics_token: str = "",
    api: ASGIApp | None = None,
    versioned_api: ASGIApp | None = None,
    sign_up: SignUp | None = None,
    archive: IssueArchive | None = None,
    admin: ASGIApp | None = None,
    trusted_proxies: Sequence[str] = (),
    embed: Sequence[str] = (),
) -> ASGIApp:
    """Return the public pages as an ASGI application.

    `templates` is the packaged folder, `custom` the operator's, which overrides it. `metrics_token` (empty:
    none) opens /metrics and the details of /healthz. `api` is mounted at /api, `versioned_api` at /api/v1.
    `sign_up` opens /subscribe, and to the pages of the sites `embed` its form for a frame.
    `archive` has the issues that are shown at /issues and /newsletters.
    `admin` are the editors' pages, mounted at /admin.
    X-Forwarded-For is read from `trusted_proxies` (CIDR) and from a proxy on this machine.
    """
    pages, clients = Pages(templates, self_service.site, custom), ClientAddresses(trusted_proxies)
    is_open = sign_up is not None and bool(sign_up.newsletters)
    routes = _routes(self_service, pages, HealthPages(health, metrics_token, clients=clients))
    is_public = archive is not None and any(one.archive == PUBLIC for one in archive.roster.newsletters)
    message = _MessagePages(pages, is_open=is_open, is_public=is_public)
    routes += [Route("/", message.welcome), Route("/robots.txt", message.robots)]
    if versioned_api is not None:
        routes.append(Mount("/api/v1", app=versioned_api))
    if api is not None:
        routes.append(Mount("/api", app=api))
    if admin is not None:
        routes.append(Mount("/admin", app=admin))
    if archive is not None:
        routes += _archive_routes(archive, pages, clients)
    if sign_up is not None and (is_open or sign_up.by_invitation):
        routes += _sign_up_routes(SignUpPages(sign_up, pages, clients, archive, embed), is_open=is_open)
    # A proxy for https://example.org/news may pass the path on with or without its prefix.
    path = urlsplit(self_service.site.url).path.rstrip("/")
    if path:
        routes.append(Mount(path, routes=routes))
    inner = Starlette(routes=routes, exception_handlers=message.exception_handlers())
    return SecurityHeaders(inner, pages.headers)


def metrics_application(health: HealthCheck) -> ASGIApp:
    """Return /metrics and /healthz without a token, for an address that only the operator can reach."""
    pages = HealthPages(health, open_metrics=True)
    return Starlette(routes=[Route("/metrics", pages.metrics), Route("/healthz", pages.health)])


def _routes(self_service: SelfService, pages: Pages, health: HealthPages) -> list[BaseRoute]:
    unsubscribe, preferences = UnsubscribePages(self_service, pages), PreferencesPages(self_service, pages)
    own_data = OwnDataPages(self_service, pages)
    return [
        Route("/unsubscribe/{token}", unsubscribe.show, methods=["GET"]),
        Route("/unsubscribe/{token}", unsubscribe.act, methods=["POST"]),
        Route("/preferences/{token}", preferences.show, methods=["GET"]),
        Route("/preferences/{token}", preferences.act, methods=["POST"]),
        Route("/preferences/{token}/data", own_data.download, methods=["GET"]),
        Route("/preferences/{token}/delete", own_data.ask, methods=["GET"]),
        Route("/preferences/{token}/delete", own_data.delete, methods=["POST"]),
        Route("/healthz", health.health),
        Route("/metrics", health.metrics),
    ]


def _archive_routes(archive: IssueArchive, pages: Pages, clients: ClientAddresses) -> list[BaseRoute]:
    issues = IssuePages(archive, IssueRenderer(pages))
    newsletters = NewsletterPages(issues, pages)
    reports = ReportPages(issues, pages, clients)
    return [
        Route("/issues/{issue}.md", issues.markdown),
        Route("/issues/{issue}.epub", issues.epub),
        Route("/issues/{issue}", issues.show),
        Route("/issues/{issue}/picture.jpg", issues.picture),
        Route("/issues/{issue}/report", reports.show, methods=["GET"]),
        Route("/issues/{issue}/report", reports.act, methods=["POST"]),
        Route("/newsletters/{newsletter}", newsletters.show),
        Route("/newsletters/{newsletter}/feed.xml", newsletters.rss),
        Route("/newsletters/{newsletter}/feed.json", newsletters.json),
    ]


def _sign_up_routes(pages: SignUpPages, *, is_open: bool) -> list[BaseRoute]:
    invited: list[BaseRoute] = [
        Route("/subscribe/zone.js", pages.script),
        Route("/invitation/{token}", pages.show_invited, methods=["GET"]),
        Route("/invitation/{token}", pages.act_invited, methods=["POST"]),
        Route("/confirm/{token}", pages.ask, methods=["GET"]),
        Route("/confirm/{token}", pages.confirm, methods=["POST"]),
    ]
    if not is_open:
        return invited
    return [
        *invited,
        Route("/subscribe/embed", pages.show_embedded, methods=["GET"]),
        Route("/subscribe/embed", pages.act_embedded, methods=["POST"]),
        Route("/subscribe", pages.show, methods=["GET"]),
        Route("/subscribe", pages.act, methods=["POST"]),
        Route("/subscribe/{newsletter}", pages.show, methods=["GET"]),
        Route("/subscribe/{newsletter}", pages.act, methods=["POST"]),
    ]


class _MessagePages:
    """The pages that are a title and a text: the front page and the error pages."""

    def __init__(self, pages: Pages, *, is_open: bool, is_public: bool) -> None:
        self._pages, self._is_open, self._is_public = pages, is_open, is_public

    async def welcome(self, request: Request) -> Response:
        """Show the front page, with a link to the sign-up form if it is open."""
        return self._message(request, "welcome", 200, link="subscribe" if self._is_open else "")

    async def robots(self, _request: Request) -> Response:
        """Ask search engines to read public issues only: the other pages are personal."""
        allowed = "Allow: /issues/\nAllow: /newsletters/\n" if self._is_public else ""
        return PlainTextResponse(f"User-agent: *\n{allowed}Disallow: /\n")

    def exception_handlers(self) -> dict[Any, Any]:
        """Return the handler of each exception class, for Starlette."""
        return {HTTPException: self._refused, StoreError: self._unavailable, Exception: self._failed}

    async def _refused(self, request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405 and request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        labels = {404: "unknown", 410: "gone", 413: "too_large", 429: "too_often"}
        response = self._message(request, labels.get(error.status_code, "not_so"), error.status_code)
        response.headers.update(headers)
        return response

    async def _unavailable(self, request: Request, _error: StoreError) -> Response:
        response = self._message(request, "out_of_reach", 503)
        response.headers["Retry-After"] = RETRY_SECONDS
        return response

    async def _failed(self, request: Request, _error: Exception) -> Response:
        return self._message(request, "failed", 500)

    def _message(self, request: Request, label: str, status: int, *, link: str = "") -> Response:
        labels = self._pages.labels(request)
        title, text = labels.text(f"{label}_title"), labels.text(f"{label}_text")
        return self._pages.page("message.html", labels, status=status, title=title, text=text, link=link)


class SecurityHeaders:
    """Adds the security headers to every response, also to errors and redirects.

    A page that sets one of them itself, such as X-Robots-Tag, keeps its own. One with its own policy says
    itself where it may be framed, because X-Frame-Options cannot name a site.
    """

    def __init__(self, inner: ASGIApp, headers: dict[str, str]) -> None:
        self._inner = inner
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", [])
                if message["status"] == SLASH_REDIRECT:
                    headers = _with_relative_location(headers, scope)
                given = {name for name, _ in headers}
                if b"content-security-policy" in given:
                    given.add(b"x-frame-options")
                message["headers"] = [*headers, *(one for one in self._headers if one[0] not in given)]
            await send(message)

        if scope["type"] == "http" and not _can_be_routed(scope["path"]):
            path = _unknown_path(scope["path"])
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._inner(scope, receive, send_with_headers)


def _can_be_routed(path: str) -> bool:
    """Return whether routes can read the path. A line feed matches no mounted application."""
    return len(path) <= MAX_PATH_CHARACTERS and "\n" not in path


def _unknown_path(path: str) -> str:
    """Return a path that does not exist in the same application: the API answers for its own paths."""
    first = path.partition("\n")[0][:MAX_PATH_CHARACTERS].split("/")[1:3]
    return "/".join(["", *first, "unknown"])


def _with_relative_location(
    headers: Sequence[tuple[bytes, bytes]], scope: Scope
) -> list[tuple[bytes, bytes]]:
    """Return the headers with a relative Location; Starlette's contains Host, which can be forged."""
    path, query = scope["raw_path"], scope["query_string"]
    stripped = _without_slashes(path)
    last = stripped.rpartition(b"/")[2]
    # The dots prevent a colon in the path from being read as the end of a scheme (RFC 3986, 4.2).
    added = b"/" if stripped == path else b""
    place = (b"../" if path.endswith(b"/") else b"./") + last + added
    kept = [(name, value) for name, value in headers if name != b"location"]
    return [*kept, (b"location", place + (b"?" + query if query else b""))]


def _without_slashes(path: bytes) -> bytes:
    """Return the path without slashes at its end, which may also be spelled %2F: one for Starlette."""
    end = len(path)
    while end and (path[end - 1 : end] == b"/" or path[max(0, end - 3) : end].lower() == b"%2f"):
        end -= 1 if path[end - 1 : end] == b"/" else 3
    return path[:end]
