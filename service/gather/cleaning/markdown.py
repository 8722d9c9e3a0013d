"""Markdown: recognise it in plain text, and turn it into HTML, which is then read as any other."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

MAX_MARKDOWN_CHARACTERS = 40_000  # of a text; hostile ones take up to 40 microseconds a character

_SIGNS = re.compile(
    r"^#{1,6} \S[^\n]*\n"  # a heading
    r"|\[[^\[\]\n]{1,300}\]\((?:https?:|/|#)[^()\s]{0,1000}\)"  # a link
    r"|(?<![*\w])\*\*(?=\S)[^*\n]{1,300}(?<=\S)\*\*(?![*\w])"  # strong emphasis
    r"|^```",
    re.MULTILINE,
)
_PARTS_OF_SIGNS = ("# ", "](", "**", "```")
"""Each sign contains one of them; most texts have none, which is found in little time."""


def is_markdown(text: str) -> bool:
    """Return whether a plain text has signs of Markdown that no other text has."""
    if len(text) > MAX_MARKDOWN_CHARACTERS or not any(part in text for part in _PARTS_OF_SIGNS):
        return False
    return _SIGNS.search(text) is not None


def html_of_markdown(text: str) -> str:
    """Return CommonMark as HTML; a line end ends a line, as where people write it."""
    return str(_parser().render(text))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - takes 0.2 s, for few feeds

    # Indented text in feeds is a quotation or an accident, not code.
    return MarkdownIt("commonmark", {"html": True, "breaks": True}).disable("code")
