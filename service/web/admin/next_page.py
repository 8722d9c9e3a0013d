"""The page that a login leads to: the one that was asked for, if it is one of the editors' pages (pure)."""

from __future__ import annotations

import re

FIELD = "next"
"""Query parameter of the login page, and hidden field of its form."""

FIRST_PAGE = "/"
MAX_CHARACTERS = 2_000  # of a path with its query; a search has up to a few hundred

_ADDRESS = re.compile(
    r"(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+"  # no empty part (//host), no dot first (..), no % and no backslash
    r"(?:\?[A-Za-z0-9_.~!$'()*+,;:@/?%=&-]*)?"
)


def next_page(given: str) -> str:
    """Return a path behind /admin, with its query, as it was given; FIRST_PAGE for any other text.

    Another site can choose the text. The caller writes it behind its own /admin, so that it stays on this
    host; the pattern has it stay below /admin, and keeps out line ends.
    """
    is_own = len(given) <= MAX_CHARACTERS and _ADDRESS.fullmatch(given) is not None
    return given if is_own else FIRST_PAGE
