"""Pages: the templates in templates/web, rendered with security headers."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
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
"""Headers of personal pages: no cache may store them (RFC 9111, 5.2.2.5)."""

SCRIPT_FILE = "zone.js"
"""The script of the sign-up form, the only one of the public pages."""

_STYLE = re.compile(r"<style>([^<]*)</style>")


class Pages:
    """Renders the pages of one site. Templates in `custom`, the operator's folder, override `templates`."""

    def __init__(self, templates: Path, site: Site, custom: Path | None = None) -> None:
        folders = [folder / "web" for folder in (custom, templates) if folder is not None]
        self._site = site
        self._environment = Environment(
            loader=FileSystemLoader(folders),
            autoescape=select_autoescape(["html"], default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._texts = PageTexts(templates / "web" / "words.toml")
        style = _STYLE.search(self.html("message.html", self._texts.for_language("en"), title="", text=""))
        self._style = style[1] if style else ""
        self.headers = security_headers(self._style)
        self.script = (templates / "web" / SCRIPT_FILE).read_text(encoding="utf-8")
        self.script_url = f"{urlsplit(site.url).path.rstrip('/')}/subscribe/{SCRIPT_FILE}"

    def page(
        self,
        name: str,
        labels: Localizer,
        *,
        status: int = 200,
        headers: Mapping[str, str] = NO_STORE_HEADERS,
        **values: Any,  # noqa: ANN401 - each template has its own
    ) -> Response:
        """Return the rendered template `name` as a response."""
        return HTMLResponse(self.html(name, labels, **values), status, dict(headers))

    def message(self, request: Request, label: str, *, status: int = 200) -> Response:
        """Return a page with the title and text of this label, and nothing to do."""
        labels = self.labels(request)
        title, text = labels.text(f"{label}_title"), labels.text(f"{label}_text")
        return self.page("message.html", labels, status=status, title=title, text=text)

    def form_headers(self, frames: Sequence[str] = ()) -> dict[str, str]:
        """Return the headers of the sign-up form: it runs our script, and sites `frames` may show it."""
        policy = content_policy(self._style, script="'self'", ancestors=" ".join(frames) or "'none'")
        return {"Content-Security-Policy": policy} | ({} if frames else {"X-Frame-Options": "DENY"})

    def labels(self, request: Request, language: str | None = None) -> Localizer:
        """Return the labels in a language, with None in the language that the browser prefers."""
        if language is not None:
            return self._texts.for_language(language)
        return self._texts.for_accept_language(request.headers.get("accept-language", ""))

    def labels_of(self, language: str) -> Localizer:
        """Return the labels in a language."""
        return self._texts.for_language(language)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the pages, which are those of the mails."""
        return tuple(self._texts.languages)

    @property
    def site_name(self) -> str:
        """The name of the site."""
        return self._site.name

    def html(self, name: str, labels: Localizer, **values: Any) -> str:  # noqa: ANN401 - each template has its own
        """Return the rendered template `name`."""
        site = self._site
        return self._environment.get_template(name).render(
            site=site.name,
            site_url=site.url if urlsplit(site.url).scheme in {"http", "https"} else "",
            postal_address=site.postal_address,
            lang=labels.language,
            direction=labels.direction,
            say=labels.text,
            skip=labels.text("skip"),
            **values,
        )


def security_headers(style: str) -> dict[str, str]:
    """Return the headers of every response: a page loads only our pictures, runs nothing, cannot be framed.

    Only the inline style sheet `style` is allowed. By Content Security Policy Level 3, Referrer Policy and
    the HTML standard's X-Frame-Options.
    """
    return {
        "Content-Security-Policy": content_policy(style),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex",
    }


def content_policy(style: str, *, script: str = "", ancestors: str = "'none'") -> str:
    """Return the policy of a page: `script` may run, sites `ancestors` may show the page in a frame."""
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    runs = f"script-src {script}; " if script else ""
    return (
        f"default-src 'none'; {runs}img-src 'self'; style-src 'sha256-{digest}'; form-action 'self'; "
        f"base-uri 'none'; frame-ancestors {ancestors}"
    )


@cache
def zone_names() -> tuple[str, ...]:
    """Return the time zones to choose from, sorted; cached, because reading them from disk is slow."""
    return tuple(sorted(zone for zone in available_timezones() if "/" in zone and zone[:3] != "Etc"))


def masked(address: str) -> str:
    """Return an address that only its owner recognises: `a…a@example.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…{local[-1:] if len(local) > 2 else ''}@{domain}"
