"""The web door: which page lies where, and what every answer carries."""

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

from service.core.errors import StoreError
from service.web.client_ip import ClientAddresses
from service.web.health import HealthPages
from service.web.pages import Pages
from service.web.ports import SelfServicePort, SignUpPort
from service.web.preferences import PreferencesPages
from service.web.sign_up import SignUpPages
from service.web.unsubscribe import UnsubscribePages

MAX_PATH_CHARACTERS = 2_000
SLASH_REDIRECT = 307
"""What Starlette answers when a page lies at the same path with, or without, a slash at its end."""

RETRY_SECONDS = "120"


def application(
    desk: SelfServicePort,
    templates: Path,
    *,
    own: Path | None = None,
    metrics_token: str = "",
    api: ASGIApp | None = None,
    sign_up: SignUpPort | None = None,
    trusted_proxies: Sequence[str] = (),
) -> ASGIApp:
    """Return the public pages as an ASGI application.

    `templates` is the folder of ours, `own` that of the config folder; `metrics_token` (empty: none) opens
    /metrics and the details of /healthz; `api` answers under /api; `sign_up` opens /subscribe;
    `trusted_proxies` and a proxy on this machine may say who asks (X-Forwarded-For).
    """
    pages = Pages(templates, desk.site, own)
    unsubscribe, preferences = UnsubscribePages(desk, pages), PreferencesPages(desk, pages)
    is_open = sign_up is not None and bool(sign_up.newsletters)
    visitors = ClientAddresses(trusted_proxies)
    vitals, front = HealthPages(desk, metrics_token, visitors=visitors), _Front(pages, is_open=is_open)
    routes: list[BaseRoute] = [
        Route("/", front.welcome),
        Route("/unsubscribe/{token}", unsubscribe.show, methods=["GET"]),
        Route("/unsubscribe/{token}", unsubscribe.act, methods=["POST"]),
        Route("/preferences/{token}", preferences.show, methods=["GET"]),
        Route("/preferences/{token}", preferences.act, methods=["POST"]),
        Route("/healthz", vitals.health),
        Route("/metrics", vitals.metrics),
        Route("/robots.txt", front.robots),
    ]
    if api is not None:
        routes.append(Mount("/api", app=api))
    if sign_up is not None and is_open:
        subscribe = SignUpPages(sign_up, pages, visitors)
        routes += [
            Route("/subscribe", subscribe.show, methods=["GET"]),
            Route("/subscribe", subscribe.act, methods=["POST"]),
            Route("/confirm/{token}", subscribe.ask, methods=["GET"]),
            Route("/confirm/{token}", subscribe.confirm, methods=["POST"]),
        ]
    # A site at https://example.org/news is reached with or without its path, as the proxy before it likes.
    path = urlsplit(desk.site.url).path.rstrip("/")
    if path:
        routes.append(Mount(path, routes=routes))
    return _Guard(Starlette(routes=routes, exception_handlers=front.handlers()), pages.headers)


def metrics_application(desk: SelfServicePort) -> ASGIApp:
    """Return /metrics and /healthz alone, for an address that only the operator's machines can reach."""
    vitals = HealthPages(desk, open_metrics=True)
    return Starlette(routes=[Route("/metrics", vitals.metrics), Route("/healthz", vitals.health)])


class _Front:
    """The pages that are nobody's own: the front page, and what is said when something is not there."""

    def __init__(self, pages: Pages, *, is_open: bool) -> None:
        self._pages, self._is_open = pages, is_open

    async def welcome(self, request: Request) -> Response:
        """Say where one has come, and lead to the sign-up where there is one."""
        return self._message(request, "welcome", 200, link="subscribe" if self._is_open else "")

    async def robots(self, _request: Request) -> Response:
        """Ask search engines to stay away: every page is somebody's own."""
        return PlainTextResponse("User-agent: *\nDisallow: /\n")

    def handlers(self) -> dict[Any, Any]:
        """Return what answers when no page does; the keys are statuses and exceptions."""
        return {HTTPException: self._refused, StoreError: self._out_of_reach, Exception: self._failed}

    async def _refused(self, request: Request, error: HTTPException) -> Response:
        allowed = dict(error.headers or {})
        if error.status_code == 405 and request.method == "OPTIONS":
            return Response(status_code=204, headers=allowed)
        said = {404: "unknown", 410: "gone", 413: "too_large", 429: "too_often"}
        answer = self._message(request, said.get(error.status_code, "not_so"), error.status_code)
        answer.headers.update(allowed)
        return answer

    async def _out_of_reach(self, request: Request, _error: StoreError) -> Response:
        answer = self._message(request, "out_of_reach", 503)
        answer.headers["Retry-After"] = RETRY_SECONDS
        return answer

    async def _failed(self, request: Request, _error: Exception) -> Response:
        return self._message(request, "failed", 500)

    def _message(self, request: Request, what: str, status: int, *, link: str = "") -> Response:
        words = self._pages.words(request)
        title, text = words.text(f"{what}_title"), words.text(f"{what}_text")
        return self._pages.page("message.html", words, status=status, title=title, text=text, link=link)


class _Guard:
    """Puts the security headers on every answer, the ones that say no included."""

    def __init__(self, inner: ASGIApp, headers: dict[str, str]) -> None:
        self._inner = inner
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", [])
                if message["status"] == SLASH_REDIRECT:
                    headers = _with_relative_location(headers, scope)
                message["headers"] = [*headers, *self._headers]
            await send(message)

        if scope["type"] == "http" and len(scope["path"]) > MAX_PATH_CHARACTERS:
            scope = {**scope, "path": "/too-long", "raw_path": b"/too-long"}
        await self._inner(scope, receive, guarded)


def _with_relative_location(
    headers: Sequence[tuple[bytes, bytes]], scope: Scope
) -> list[tuple[bytes, bytes]]:
    """Return the headers with a relative Location; Starlette's repeats Host, which can be forged."""
    path, query = scope["raw_path"], scope["query_string"]
    last = path.rstrip(b"/").rpartition(b"/")[2]
    # The dots keep a colon in the path from being read as a scheme (RFC 3986, 4.2).
    place = b"../" + last if path.endswith(b"/") else b"./" + last + b"/"
    kept = [(name, value) for name, value in headers if name != b"location"]
    return [*kept, (b"location", place + (b"?" + query if query else b""))]
