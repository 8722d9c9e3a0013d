"""Titles: one line of plain text from what a feed gives as title: text, escaped text or markup."""

from __future__ import annotations

import html
import re

from service.gather.cleaning.characters import MAX_TITLE_CHARACTERS, one_line
from service.gather.cleaning.escapes import has_title_markup, text_escaped_once
from service.gather.cleaning.markup import plain_text

_TAG = re.compile(r"<[a-zA-Z/!]")


def title_text(markup: str) -> str:
    """Return a title as one line of plain text."""
    short = markup[: MAX_TITLE_CHARACTERS * 20]
    if _TAG.search(short):
        return one_line(plain_text(short))
    title = text_escaped_once(html.unescape(short))
    return one_line(plain_text(title) if has_title_markup(title) else title)
