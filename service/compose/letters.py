"""Letters: the single mails that are no digest: please confirm, and welcome (EDGE the templates in mail/)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from service.compose.links import web_link
from service.compose.page import sent_by
from service.compose.render import Shelf
from service.compose.wording import Labels, Wording, wording
from service.compose.words import LONGEST_TITLE, clean
from service.core.model import Rendered, Site
from service.core.places import Place

LETTERS = "mail"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that a letter can show. `confirm_url` and `first_issue` are empty where they say nothing.

    The places are filled in for the recipient later, as in an issue.
    """

    title: str
    lang: str
    direction: str
    sent_by: str
    confirm_url: str = ""
    days: int = 0
    first_issue: str = ""
    address: str = Place.ADDRESS.mark
    unsubscribe_url: str = Place.UNSUBSCRIBE_URL.mark
    preferences_url: str = Place.PREFERENCES_URL.mark


class Letters:
    """Writes letters with the templates that lie in `templates`/mail, and before those in `own`/mail."""

    def __init__(self, templates: Path, site: Site, own: Path | None = None) -> None:
        self._shelf = Shelf(LETTERS, templates, own)
        self._site = site

    def confirm(self, title: str, *, language: str, timezone: str, confirm_url: str, days: int) -> Rendered:
        """Return the mail that asks whether the newsletter is wanted; its link works for so many days."""
        said = wording(self._labels, language, timezone)
        return self._written("confirm", said, title, confirm_url=web_link(confirm_url), days=days)

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
            **facts,  # type: ignore[arg-type] # named and typed by the two letters above
        )
        return self._shelf.mail(letter, sheet=sheet, say=said.say)

    @cached_property
    def _labels(self) -> Labels:
        return self._shelf.labels(".")
