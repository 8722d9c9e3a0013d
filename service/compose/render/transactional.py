"""Transactional mail: please confirm, welcome, do you want to unsubscribe (EDGE the templates in mail/)."""

from __future__ import annotations

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

TRANSACTIONAL_TEMPLATES = "mail"


@dataclass(frozen=True, slots=True)
class TransactionalView:
    """Everything that such a mail can show. `first_issue` is empty where it says nothing.

    The places are filled in for the recipient later, as in an issue: no mail is stored with a token in it.
    """

    title: str
    lang: str
    direction: str
    sent_by: str
    days: int = 0
    first_issue: str = ""
    address: str = Placeholder.ADDRESS.marker
    confirm_url: str = Placeholder.CONFIRM_URL.marker
    unsubscribe_url: str = Placeholder.UNSUBSCRIBE_URL.marker
    preferences_url: str = Placeholder.PREFERENCES_URL.marker


class TransactionalRenderer:
    """Writes these mails with the templates in `templates`/mail, and before those in `own`/mail."""

    def __init__(self, templates: Path, site: Site, custom: Path | None = None) -> None:
        self._shelf = TemplateFolder(TRANSACTIONAL_TEMPLATES, templates, custom)
        self._site = site

    def confirm(self, title: str, *, language: str, timezone: str, days: int) -> RenderedMail:
        """Return the mail that asks whether the newsletter is wanted; its link works for so many days."""
        return self._render("confirm", localizer_for(self._labels, language, timezone), title, days=days)

    def unsubscribe(self, title: str, *, language: str, timezone: str) -> RenderedMail:
        """Return the mail that asks whether the subscriber wants to unsubscribe, as a mail said."""
        return self._render("unsubscribe", localizer_for(self._labels, language, timezone), title)

    def welcome(self, title: str, *, language: str, timezone: str, first_issue_at: datetime) -> RenderedMail:
        """Return the mail that says when the first issue comes, and how to change or stop it."""
        said = localizer_for(self._labels, language, timezone)
        hour = said.time(first_issue_at, first_issue_at)
        return self._render("welcome", said, title, first_issue=f"{said.full_date(first_issue_at)}, {hour}")

    def _render(self, letter: str, said: Localizer, title: str, **facts: str | int) -> RenderedMail:
        sheet = TransactionalView(
            title=clean(title, MAX_TITLE_CHARACTERS),
            lang=said.language,
            direction=said.direction,
            sent_by=sender_line(self._site),
            **facts,  # type: ignore[arg-type] # named and typed by the mails above
        )
        return self._shelf.render(letter, sheet=sheet, say=said.text)

    @cached_property
    def _labels(self) -> Labels:
        return self._shelf.labels(".")
