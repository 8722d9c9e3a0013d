"""Placeholders for values that an issue gets when it is sent: it is rendered once for all recipients.

A placeholder is its name between two private-use characters. These characters are removed from the text of
feeds, so an article cannot contain a placeholder, and no encoder or template gives them a meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

OPEN, CLOSE = "\ue000", "\ue001"


class Placeholder(StrEnum):
    """A value that is filled in when the mail is sent. URLs are absolute; `name` may be empty.

    Only the mail that asks to confirm a sign-up contains `confirm_url`. `issue_url` and `report_url` are the
    web pages of the issue, the same for all recipients; the others are the recipient's own.
    """

    NAME = "name"
    ADDRESS = "address"
    UNSUBSCRIBE_URL = "unsubscribe_url"
    PREFERENCES_URL = "preferences_url"
    CONFIRM_URL = "confirm_url"
    ISSUE_URL = "issue_url"
    REPORT_URL = "report_url"

    @property
    def marker(self) -> str:
        """The placeholder as written in rendered text."""
        return f"{OPEN}{self.value}{CLOSE}"


PHRASE, NAME_IN_PHRASE, SPACE_IN_PHRASE = f"{Placeholder.NAME}:", "{name}", "_"
MAX_PHRASE_CHARACTERS = 120
EARLIER_ISSUE, MAX_ID_CHARACTERS = f"{Placeholder.ISSUE_URL}:", 64
_MARKUP = re.compile("[&<>\"'\u00a0]")
MARKER = re.compile(
    f"{OPEN}({'|'.join(Placeholder)}|{PHRASE}[^{OPEN}{CLOSE}]{{1,{MAX_PHRASE_CHARACTERS}}}"
    f"|{EARLIER_ISSUE}[0-9A-Za-z]{{1,{MAX_ID_CHARACTERS}}}){CLOSE}"
)


class PlaceholderValues(dict[str, str]):
    """Values by placeholder; those of phrases with the name are made of the name."""

    def __missing__(self, placeholder: str) -> str:
        """Return the value of a phrase. Raises KeyError for an unknown placeholder, and without a name."""
        if not placeholder.startswith(PHRASE):
            raise KeyError(placeholder)
        name = self[Placeholder.NAME]
        phrase = placeholder.removeprefix(PHRASE).replace(SPACE_IN_PHRASE, " ")
        return phrase.replace(NAME_IN_PHRASE, name) if name else ""


def name_phrase(phrase: str) -> str:
    """Return a placeholder for the phrase with the recipient's name in place of `{name}`: "for {name}".

    Nothing is left of it for a recipient without a name. It has no space, at which a line could be broken,
    and no character that HTML escapes.
    """
    plain = _MARKUP.sub("", without_placeholders(phrase))[:MAX_PHRASE_CHARACTERS]
    return f"{OPEN}{PHRASE}{plain.replace(' ', SPACE_IN_PHRASE)}{CLOSE}"


def earlier_issue_url(issue_id: str) -> str:
    """Return a placeholder for the web page of another issue, by its id of ASCII letters and digits."""
    return f"{OPEN}{EARLIER_ISSUE}{issue_id}{CLOSE}"


def fill(text: str, values: Mapping[str, str], *, issue_url: Callable[[str], str] | None = None) -> str:
    """Return the text with these placeholders replaced by their values; the others stay.

    `issue_url` returns the web page of an earlier issue (id).
    """
    known = PlaceholderValues(values)

    def value(marker: re.Match[str]) -> str:
        if issue_url is not None and marker[1].startswith(EARLIER_ISSUE):
            return issue_url(marker[1].removeprefix(EARLIER_ISSUE))
        try:
            return known[marker[1]]
        except KeyError:
            return marker[0]

    return MARKER.sub(value, text)


def without_placeholders(text: str) -> str:
    """Return text from outside without the two private characters, so that it contains no placeholder."""
    return text.replace(OPEN, "").replace(CLOSE, "")
