"""Pages: the web door as a house opens it, with the API where a token is set."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from service.app.api_sends import HouseSends
from service.settings.packaged_files import templates_folder
from service.web.api import api_application
from service.web.app import application

if TYPE_CHECKING:
    from service.app.factories.application import Application
    from service.runtime.http_server import ASGIApp

CACHED_APPLICATIONS = 2
"""The house that is lived in, and the one that somebody may still be in after a move."""


@lru_cache(maxsize=CACHED_APPLICATIONS)
def web_application(house: Application) -> ASGIApp:
    """Return the public pages of a house."""
    web, own = house.settings.web, house.settings.folder / "templates"
    return application(
        house.self_service,
        templates_folder(),
        own=own if own.is_dir() else None,
        metrics_token=web.metrics_token.reveal(),
        api=api_application(HouseSends(house), web.api_token.reveal()) if web.api_token else None,
        sign_up=house.sign_up if web.sign_up else None,
        trusted_proxies=web.trusted_proxies,
    )
