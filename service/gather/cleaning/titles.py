"""Titles: one line of plain text from what a feed gives as title: text, escaped text or markup."""

from __future__ import annotations

import html
import re

from service.gather.cleaning.characters import MAX_TITLE_CHARACTERS, one_line
from service.gather.cleaning.escapes import has_title_markup, text_escaped_once
from service.gather.cleaning.markup import plain_text
from service.text.sentences import iter_sentences

MAX_FIRST_SENTENCE_CHARACTERS = 180  # of a text without a title; a longer one is cut
CUT_CHARACTERS = 100

_TAG = re.compile(r"<[a-zA-Z/!]")


def title_text(markup: str) -> str:
    """Return a title as one line of plain text."""
    short = markup[: MAX_TITLE_CHARACTERS * 20]
    if _TAG.search(short):
        return one_line(plain_text(short))
    title = text_escaped_once(html.unescape(short))
    return one_line(plain_text(title) if has_title_markup(title) else title)


def title_of_text(text: str, language: str = "") -> str:
    """Return the title of a text that has none: its first sentence, or its first words if that is long.

    A whole sentence as title makes the same sentence below it superfluous.
    """
    head = text[: 2 * MAX_FIRST_SENTENCE_CHARACTERS]
    first = next(iter_sentences(head, language or "en"), None)
    if first is not None and first.start == 0 and first.end <= MAX_FIRST_SENTENCE_CHARACTERS:
        return one_line(text[: first.end])
    return one_line(text, CUT_CHARACTERS)
