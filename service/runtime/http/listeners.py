"""Listeners: the addresses that this process serves, each with its pages of the current configuration."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import structlog

from service.app.factories.application import Application
from service.core.errors import CaveatError
from service.runtime.descriptors import DescriptorShares
from service.runtime.http.http_server import ASGIApp, listen
from service.runtime.reload import ReloadableApp
from service.settings.values import WebSettings

WebListener = tuple[socket.socket, ASGIApp, int]
"""A listening socket, the application that answers there, and its maximum number of open connections."""

SEPARATE_METRICS_ADDRESS = "CAVEAT_WEB__METRICS_LISTEN gives this process an address of its own"

log = structlog.get_logger("service")


def web_listeners(
    apps: Callable[[], ReloadableApp], web: WebSettings, shares: DescriptorShares, *, serves_web: bool
) -> list[WebListener]:
    """Return the listeners. Each request is answered by the application that is current then.

    Without `serves_web` there is only that of the metrics. Raises CaveatError for an address that is taken.
    """
    listeners: list[WebListener] = []
    if serves_web:
        pages = _current(apps, "web_application")
        listeners.append((listen(web.listen_host, web.listen_port), pages, shares.web))
        if web.admin.enabled and web.admin.listen is not None:
            listeners.append((listen(*web.admin.listen), _current(apps, "separate_admin_pages"), shares.web))
    if web.metrics_listen is not None:
        try:
            metrics = _current(apps, "metrics_pages")
            listeners.append((listen(*web.metrics_listen), metrics, shares.metrics))
        except CaveatError as error:
            # Another process with this configuration uses the address; mail must not fail for metrics.
            log.warning("metrics_not_served", reason=str(error), message=SEPARATE_METRICS_ADDRESS)
    return listeners


def _current(apps: Callable[[], ReloadableApp], pages: str) -> ASGIApp:
    """Return an ASGI application that asks the function `pages` of web_pages for the current one."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's shape
        from service.runtime.http import web_pages  # noqa: PLC0415 - workers have no pages

        async with apps().use() as app:
            build: Callable[[Application], ASGIApp] = getattr(web_pages, pages)
            await build(app)(scope, receive, send)

    return answer
