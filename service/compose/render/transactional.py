"""Transactional mail: to subscribers and to the operator (EDGE: the templates in mail/)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from service.compose.render.text_cleaning import MAX_TITLE_CHARACTERS, clean
from service.compose.render.theme import TemplateFolder
from service.compose.render.view import sender_line
from service.core.model import RenderedMail, Site
from service.core.placeholders import Placeholder
from service.text.i18n import Labels, Localizer, localizer_for

TRANSACTIONAL_TEMPLATES = "mail"  # their folder


MAX_OPERATOR_LINES = 30  # in one mail; the editors' pages have all


@dataclass(frozen=True, slots=True)
class OperatorLine:
    """What is wrong, or what waits: a sentence, since when, what to do, and the address of a page."""

    said: str
    since: str
    advice: str
    url: str


@dataclass(frozen=True, slots=True)
class TransactionalView:
    """The values of such a mail; its templates call it `sheet`.

    The placeholders are filled for the recipient later, as in an issue: no stored mail has a token.
    """

    title: str
    lang: str
    direction: str
    sent_by: str
    days: int = 0
    lines: tuple[OperatorLine, ...] = ()
    more: int = 0
    at: str = ""
    url: str = ""
    first_issue: str = ""
    address: str = Placeholder.ADDRESS.marker
    confirm_url: str = Placeholder.CONFIRM_URL.marker
    unsubscribe_url: str = Placeholder.UNSUBSCRIBE_URL.marker
    preferences_url: str = Placeholder.PREFERENCES_URL.marker


class TransactionalRenderer:
    """Renders these mails with the templates in `templates`/mail, overridden by those in `custom`/mail."""

    def __init__(self, templates: Path, site: Site, custom: Path | None = None) -> None:
        self._folder = TemplateFolder(TRANSACTIONAL_TEMPLATES, templates, custom)
        self._site = site

    def confirm(self, title: str, *, language: str, timezone: str, days: int) -> RenderedMail:
        """Return the mail that asks to confirm a sign-up; its link is valid for `days` days."""
        return self._render("confirm", localizer_for(self._labels, language, timezone), title, days=days)

    def unsubscribe(self, title: str, *, language: str, timezone: str) -> RenderedMail:
        """Return the mail that asks to confirm a request to unsubscribe that came by mail."""
        return self._render("unsubscribe", localizer_for(self._labels, language, timezone), title)

    def welcome(self, title: str, *, language: str, timezone: str, first_issue_at: datetime) -> RenderedMail:
        """Return the mail that names the time of the first issue, and how to change or stop it."""
        localizer = localizer_for(self._labels, language, timezone)
        hour = localizer.time(first_issue_at, first_issue_at)
        return self._render(
            "welcome", localizer, title, first_issue=f"{localizer.full_date(first_issue_at)}, {hour}"
        )

    def operator(self, lines: Sequence[OperatorLine], *, timezone: str, at: str, url: str) -> RenderedMail:
        """Return the mail about what is wrong; without lines it says that all is well again.

        `at` is the time of the problems, `url` the address of the editors' pages, "" for none.
        """
        shown = tuple(_clean_line(line, with_url=bool(url)) for line in lines[:MAX_OPERATOR_LINES])
        localizer, more = localizer_for(self._labels, "en", timezone), len(lines) - len(shown)
        facts = {"lines": shown, "more": more, "at": at, "url": url}
        return self._render("operator", localizer, self._site.name, **facts)

    def review(self, title: str, *, timezone: str, line: OperatorLine) -> RenderedMail:
        """Return the mail about a draft of a newsletter that waits for an editor."""
        localizer = localizer_for(self._labels, "en", timezone)
        return self._render("review", localizer, title, lines=(_clean_line(line, with_url=True),))

    def _render(self, name: str, localizer: Localizer, title: str, **facts: object) -> RenderedMail:
        view = TransactionalView(
            title=clean(title, MAX_TITLE_CHARACTERS),
            lang=localizer.language,
            direction=localizer.direction,
            sent_by=sender_line(self._site),
            **facts,  # type: ignore[arg-type] # the callers above name and type them
        )
        return self._folder.render(name, sheet=view, say=localizer.text)

    @cached_property
    def _labels(self) -> Labels:
        return self._folder.labels(".")


def _clean_line(line: OperatorLine, *, with_url: bool) -> OperatorLine:
    """Return the line without controls and placeholders: names and errors of feeds come from outside."""
    return OperatorLine(clean(line.said), line.since, clean(line.advice), line.url if with_url else "")
