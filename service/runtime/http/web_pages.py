"""Web applications of the current configuration: public pages with API, and metrics."""

from __future__ import annotations

from functools import lru_cache

from service.app.factories.application import Application
from service.app.factories.templates import template_folders
from service.runtime.http.http_server import ASGIApp
from service.web.admin.application import admin_application, separate_application
from service.web.api.application import versioned_api
from service.web.api.unversioned import api_application
from service.web.app import application, metrics_application

CACHED_APPLICATIONS = 2  # the current one, and the one before a reload while requests still use it


@lru_cache(maxsize=CACHED_APPLICATIONS)
def web_application(app: Application) -> ASGIApp:
    """Return the public pages, with the API where a token is configured."""
    web, (templates, custom) = app.settings.web, template_folders(app.settings)
    return application(
        app.self_service,
        app.health,
        templates,
        custom=custom,
        metrics_token=web.metrics_token.reveal(),
        api=api_application(app, web.api_token.reveal()) if web.api_token else None,
        versioned_api=versioned_api(app),
        sign_up=app.sign_up,
        archive=app.archive,
        admin=admin_pages(app) if web.admin.enabled and web.admin.listen is None else None,
        trusted_proxies=web.trusted_proxies,
        embed=web.embed,
    )


@lru_cache(maxsize=CACHED_APPLICATIONS)
def admin_pages(app: Application) -> ASGIApp:
    """Return the editors' pages, for the paths behind /admin."""
    root = "" if app.settings.web.admin.listen else None
    return admin_application(app, template_folders(app.settings)[0], root=root)


@lru_cache(maxsize=CACHED_APPLICATIONS)
def separate_admin_pages(app: Application) -> ASGIApp:
    """Return the editors' pages for the address `web.admin.listen`."""
    return separate_application(admin_pages(app))


@lru_cache(maxsize=CACHED_APPLICATIONS)
def metrics_pages(app: Application) -> ASGIApp:
    """Return /metrics and /healthz without a token, for the address `web.metrics_listen`."""
    return metrics_application(app.health)
