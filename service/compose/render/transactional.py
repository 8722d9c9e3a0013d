"""Transactional mail: please confirm, welcome, do you want to unsubscribe (EDGE the templates in mail/)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from service.compose.render.labels import Labels, Wording, wording
from service.compose.render.text_cleaning import LONGEST_TITLE, clean
from service.compose.render.theme import Shelf
from service.compose.render.view import sent_by
from service.core.model import Rendered, Site
from service.core.placeholders import Place

LETTERS = "mail"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that such a mail can show. `first_issue` is empty where it says nothing.

    The places are filled in for the recipient later, as in an issue: no mail is stored with a token in it.
    """

    title: str
    lang: str
    direction: str
    sent_by: str
    days: int = 0
    first_issue: str = ""
    address: str = Place.ADDRESS.mark
    confirm_url: str = Place.CONFIRM_URL.mark
    unsubscribe_url: str = Place.UNSUBSCRIBE_URL.mark
    preferences_url: str = Place.PREFERENCES_URL.mark


class Letters:
    """Writes these mails with the templates in `templates`/mail, and before those in `own`/mail."""

    def __init__(self, templates: Path, site: Site, own: Path | None = None) -> None:
        self._shelf = Shelf(LETTERS, templates, own)
        self._site = site

    def confirm(self, title: str, *, language: str, timezone: str, days: int) -> Rendered:
        """Return the mail that asks whether the newsletter is wanted; its link works for so many days."""
        return self._written("confirm", wording(self._labels, language, timezone), title, days=days)

    def unsubscribe(self, title: str, *, language: str, timezone: str) -> Rendered:
        """Return the mail that asks whether the subscriber wants to unsubscribe, as a mail said."""
        return self._written("unsubscribe", wording(self._labels, language, timezone), title)

    def welcome(self, title: str, *, language: str, timezone: str, first_issue_at: datetime) -> Rendered:
        """Return the mail that says when the first issue comes, and how to change or stop it."""
        said = wording(self._labels, language, timezone)
        hour = said.moment(first_issue_at, first_issue_at)
        return self._written("welcome", said, title, first_issue=f"{said.day(first_issue_at)}, {hour}")

    def _written(self, letter: str, said: Wording, title: str, **facts: str | int) -> Rendered:
        sheet = Sheet(
            title=clean(title, LONGEST_TITLE),
            lang=said.language,
            direction=said.direction,
            sent_by=sent_by(self._site),
            **facts,  # type: ignore[arg-type] # named and typed by the mails above
        )
        return self._shelf.mail(letter, sheet=sheet, say=said.say)

    @cached_property
    def _labels(self) -> Labels:
        return self._shelf.labels(".")
