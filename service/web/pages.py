"""Pages: templates/web filled in, with the headers that keep a page to itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from service.core.model import Site
from service.text.i18n import Localizer
from service.web.page_text import PageTexts

NO_STORE_HEADERS = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""For pages that show something of a person: no cache may keep them (RFC 9111, 5.2.2.5)."""

_STYLE = re.compile(r"<style>([^<]*)</style>")


class Pages:
    """Fills in pages for one site; `own` templates lie over ours."""

    def __init__(self, templates: Path, site: Site, own: Path | None = None) -> None:
        folders = [folder / "web" for folder in (own, templates) if folder is not None]
        self._site = site
        self._environment = Environment(
            loader=FileSystemLoader(folders),
            autoescape=select_autoescape(["html"], default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.dictionary = PageTexts(templates / "web" / "words.toml")
        style = _STYLE.search(
            self._filled("message.html", self.dictionary.for_language("en"), title="", text="")
        )
        self.headers = security_headers(style[1] if style else "")

    def page(
        self,
        name: str,
        words: Localizer,
        *,
        status: int = 200,
        headers: Mapping[str, str] = NO_STORE_HEADERS,
        **values: Any,  # noqa: ANN401 - whatever the template shows
    ) -> Response:
        """Return the page of that template."""
        return HTMLResponse(self._filled(name, words, **values), status, dict(headers))

    def words(self, request: Request, language: str | None = None) -> Localizer:
        """Return the words of a language, or of the one that the browser asks for."""
        if language is not None:
            return self.dictionary.for_language(language)
        return self.dictionary.for_accept_language(request.headers.get("accept-language", ""))

    def _filled(self, name: str, words: Localizer, **values: Any) -> str:  # noqa: ANN401 - as above
        site = self._site
        return self._environment.get_template(name).render(
            site=site.name,
            site_url=site.url if urlsplit(site.url).scheme in {"http", "https"} else "",
            postal_address=site.postal_address,
            lang=words.language,
            direction=words.direction,
            say=words.text,
            skip=words.text("skip"),
            **values,
        )


def security_headers(style: str) -> dict[str, str]:
    """Return the headers of every answer: nothing is loaded, run or framed but this one style sheet.

    By Content Security Policy Level 3, Referrer Policy and the HTML standard's X-Frame-Options.
    """
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex",
    }


@cache
def zone_names() -> tuple[str, ...]:
    """Return the time zones that are offered, by continent and place; asking the system takes a while."""
    return tuple(sorted(zone for zone in available_timezones() if "/" in zone and zone[:3] != "Etc"))


def masked(address: str) -> str:
    """Return an address that its owner recognises and a stranger cannot use: `a…a@example.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…{local[-1:] if len(local) > 2 else ''}@{domain}"
