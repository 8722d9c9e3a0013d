"""Places: where a recipient's own values go in an issue that was rendered once for all.

A place is its name between two private-use characters. Text from feeds is cleaned of these characters, so
an article cannot open a place, and no encoder or template has a meaning for them.
"""

from __future__ import annotations

import re
from enum import StrEnum

OPEN, CLOSE = "\ue000", "\ue001"


class Placeholder(StrEnum):
    """What differs from one recipient to the next. URLs are absolute; `name` may be empty.

    `confirm_url` stands in mails that ask to confirm a sign-up, and nowhere else.
    """

    NAME = "name"
    ADDRESS = "address"
    UNSUBSCRIBE_URL = "unsubscribe_url"
    PREFERENCES_URL = "preferences_url"
    CONFIRM_URL = "confirm_url"

    @property
    def marker(self) -> str:
        """The place as it stands in rendered text."""
        return f"{OPEN}{self.value}{CLOSE}"


MARKER = re.compile(f"{OPEN}({'|'.join(Placeholder)}){CLOSE}")


def without_placeholders(text: str) -> str:
    """Return text from outside with the two private characters taken out, so that it cannot open a place."""
    return text.replace(OPEN, "").replace(CLOSE, "")
