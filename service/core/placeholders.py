"""Placeholders for values that an issue gets when it is sent: it is rendered once for all recipients.

A placeholder is its name between two private-use characters. These characters are removed from the text of
feeds, so an article cannot contain a placeholder, and no encoder or template gives them a meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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


MARKER = re.compile(f"{OPEN}({'|'.join(Placeholder)}){CLOSE}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with these placeholders replaced by their values; the others stay."""
    return MARKER.sub(lambda marker: values.get(marker[1], marker[0]), text)


def without_placeholders(text: str) -> str:
    """Return text from outside without the two private characters, so that it contains no placeholder."""
    return text.replace(OPEN, "").replace(CLOSE, "")
