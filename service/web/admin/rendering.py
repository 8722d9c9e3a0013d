"""Rendering of the editors' pages: templates, filters for numbers and times, style sheet and script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from service.core.model import Site
from service.core.placeholders import Placeholder, fill
from service.core.schedules.words import schedule_words
from service.text.i18n import Localizer, localizer_for
from service.web.admin.sections import Section
from service.web.page_text import PageTexts
from service.web.pages import NO_STORE_HEADERS

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content Security Policy of the pages: no inline style or script, nothing from elsewhere."""

HEADERS = {
    **NO_STORE_HEADERS,
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
ASSETS = {"style.css": "text/css", "admin.js": "text/javascript"}
IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
"""Headers of an asset: its path has the hash of its content (RFC 8246)."""

LABELS = {"en": {"unused": ""}}  # a Localizer for dates alone


class AdminPages:
    """Renders the templates in templates/admin. `root` is the path of the site, such as /news, or "".

    `timezone` is that of all times on the pages; `mail_languages` are those that a mail can have.
    """

    def __init__(
        self,
        templates: Path,
        site: Site,
        sections: Sequence[Section],
        *,
        clock: Callable[[], datetime],
        timezone: str = "UTC",
        root: str = "",
    ) -> None:
        self.root, self.timezone = root, timezone
        folder = templates / "admin"
        self._assets = {name: (folder / name).read_bytes() for name in ASSETS}
        self.mail_languages = tuple(PageTexts(templates / "web" / "words.toml").languages)
        self._local, self._clock = localizer_for(LABELS, "en", timezone), clock
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            when=self._when,
            day=self._day,
            count=_count,
            ago=self._ago,
            subject=_subject,
            isolated=isolated_text,
            schedule=schedule_words,
        )
        self._environment.globals.update(
            site=site.name,
            site_url=site.url,
            sections=[section for section in sections if section.in_navigation],
            root=root,
            admin=f"{root}/admin",
            asset=self.asset_path,
            timezone=timezone,
        )

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - each template has its own
        """Return the rendered template as a response."""
        return HTMLResponse(self.html(template, **values), status, dict(HEADERS))

    def html(self, template: str, **values: Any) -> str:  # noqa: ANN401 - each template has its own
        """Return the rendered template."""
        return self._environment.get_template(template).render(**values)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the pages."""
        return self._local.zone

    @property
    def local(self) -> Localizer:
        """Dates in English and in the time zone of the pages."""
        return self._local

    def asset_path(self, name: str) -> str:
        """Return the path of an asset, with the hash of its content."""
        digest = sha256(self._assets[name]).hexdigest()[:12]
        return f"{self.root}/admin/assets/{digest}/{name}"

    def asset(self, name: str) -> Response | None:
        """Return an asset as a response; None if there is none of that name."""
        if name not in self._assets:
            return None
        return Response(self._assets[name], headers=IMMUTABLE, media_type=ASSETS[name])

    def _when(self, at: datetime | None) -> Markup | str:
        """Return an instant as local date and time, in a `time` element; "" for None."""
        if at is None:
            return ""
        full = f"{self._local.full_date(at)}, {self._local.time(at, at)} {self.timezone}"
        shown = self._local.time(at, self._clock())
        return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), full, shown)

    def _day(self, at: datetime | None) -> str:
        """Return the local date of an instant: `Mon, 2 Mar`; "" for None."""
        return "" if at is None else self._local.short_date(at, self._clock())

    def _ago(self, at: datetime | None) -> str:
        """Return how long ago or in what time an instant is, in one unit: `3 h ago`, `in 5 min`."""
        if at is None:
            return ""
        distance = at - self._clock()
        shown = _duration(abs(distance))
        if shown == "now":
            return shown
        return f"in {shown}" if distance > timedelta(0) else f"{shown} ago"


def _duration(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size * (2 if unit == "d" else 1):
            return f"{seconds // size} {unit}"
    return "now"


def isolated_text(text: str, language: str = "") -> Markup:
    """Return a text of a feed or person in an element of its own, so that Arabic runs from right to left.

    The direction is that of the text, not of the page; `language` is that of the text, "" for unknown.
    """
    named = Markup(' lang="{}"').format(language) if language else ""
    return Markup('<span dir="auto"{}>{}</span>').format(named, text)


def _subject(text: str) -> str:
    """Return the subject of an issue as a subscriber without a name sees it."""
    return fill(text, {Placeholder.NAME: ""})


def _count(number: int) -> str:
    """Return a number with separators: `1,234`."""
    return f"{number:,}"
