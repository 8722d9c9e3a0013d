"""Web applications of the current configuration: public pages with API, and metrics.

The editors' pages and the API are imported and built by the first request for them: .4 seconds of CPU time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cached_property, lru_cache
from typing import Any

from service.app.factories.application import Application
from service.app.factories.templates import template_folders
from service.runtime.http.http_server import ASGIApp

CACHED_APPLICATIONS = 2  # the current one, and the one before a reload while requests still use it


@lru_cache(maxsize=CACHED_APPLICATIONS)
def web_application(app: Application) -> ASGIApp:
    """Return the public pages, with the API where a token is configured."""
    from service.web.app import application  # noqa: PLC0415 - not for metrics

    web, (templates, custom) = app.settings.web, template_folders(app.settings)
    return application(
        app.self_service,
        app.health,
        templates,
        custom=custom,
        metrics_token=web.metrics_token.reveal(),
        api=_OnDemand(lambda: _unversioned_api(app)) if web.api_token else None,
        versioned_api=_OnDemand(lambda: _versioned_api(app)),
        sign_up=app.sign_up,
        archive=app.archive,
        admin=_OnDemand(lambda: admin_pages(app)) if web.admin.enabled and web.admin.listen is None else None,
        trusted_proxies=web.trusted_proxies,
        embed=web.embed,
    )


@lru_cache(maxsize=CACHED_APPLICATIONS)
def admin_pages(app: Application) -> ASGIApp:
    """Return the editors' pages, for the paths behind /admin."""
    from service.web.admin.application import admin_application  # noqa: PLC0415 - see the module's docstring

    root = "" if app.settings.web.admin.listen else None
    return admin_application(app, template_folders(app.settings)[0], root=root)


@lru_cache(maxsize=CACHED_APPLICATIONS)
def separate_admin_pages(app: Application) -> ASGIApp:
    """Return the editors' pages for the address `web.admin.listen`."""
    from service.web.admin.application import separate_application  # noqa: PLC0415 - see the module's docstring

    return separate_application(admin_pages(app))


@lru_cache(maxsize=CACHED_APPLICATIONS)
def metrics_pages(app: Application) -> ASGIApp:
    """Return /metrics and /healthz without a token, for the address `web.metrics_listen`."""
    from service.web.app import metrics_application  # noqa: PLC0415 - workers have no pages

    return metrics_application(app.health)


def _versioned_api(app: Application) -> ASGIApp:
    from service.web.api.application import versioned_api  # noqa: PLC0415 - see the module's docstring

    return versioned_api(app)


def _unversioned_api(app: Application) -> ASGIApp:
    from service.web.api.unversioned import api_application  # noqa: PLC0415 - see the module's docstring

    return api_application(app, app.settings.web.api_token.reveal())


class _OnDemand:
    """An ASGI application that its first request builds."""

    def __init__(self, build: Callable[[], ASGIApp]) -> None:
        self._build = build

    @cached_property
    def _application(self) -> ASGIApp:
        return self._build()

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Handle one request."""
        await self._application(scope, receive, send)
