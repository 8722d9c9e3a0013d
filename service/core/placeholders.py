"""Placeholders for a recipient's own values in an issue that is rendered once for all recipients.

A placeholder is its name between two private-use characters. These characters are removed from the text of
feeds, so an article cannot contain a placeholder, and no encoder or template gives them a meaning.
"""

from __future__ import annotations

import re
from enum import StrEnum

OPEN, CLOSE = "\ue000", "\ue001"


class Placeholder(StrEnum):
    """A value that differs between recipients. URLs are absolute; `name` may be empty.

    Only the mail that asks to confirm a sign-up contains `confirm_url`.
    """

    NAME = "name"
    ADDRESS = "address"
    UNSUBSCRIBE_URL = "unsubscribe_url"
    PREFERENCES_URL = "preferences_url"
    CONFIRM_URL = "confirm_url"

    @property
    def marker(self) -> str:
        """The placeholder as written in rendered text."""
        return f"{OPEN}{self.value}{CLOSE}"


MARKER = re.compile(f"{OPEN}({'|'.join(Placeholder)}){CLOSE}")


def without_placeholders(text: str) -> str:
    """Return text from outside without the two private characters, so that it contains no placeholder."""
    return text.replace(OPEN, "").replace(CLOSE, "")
