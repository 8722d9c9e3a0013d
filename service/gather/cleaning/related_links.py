"""Related links: the lists of nothing but links that publishers put below an article. Pure.

Such a list names other articles or topics. It is recognised by its links and its place at the end, in any
language; the line above it may say what it is. A list that an article introduces, or that is most of the
text, as in a collection of links, is a part of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from service.gather.cleaning.markup_reader import BLOCK_TAGS
from service.text.furniture.rules import is_furniture
from service.text.marks import FINAL_MARK

MIN_LINKED_SHARE = 0.8  # of a list's characters; the rest are marks and numbers of comments
MAX_CHARACTERS_AFTER = 60  # after a list that is at the end, such as the publisher's name
MAX_SHARE_OF_TEXT = 0.5  # of a list without a line that says what it is, in what is before it
MIN_TEXT_CHARACTERS = 40  # before a list that does not belong to it
MAX_LINE_CHARACTERS = 60  # of the line above a list
MAX_LINE_PIECES = 16  # of markup that are looked through for that line
MAX_MARKS_AFTER_LINK = 12  # in the last item, such as a number of comments
MAX_MARKUP_AFTER = 2_000  # characters after such a list, with tags
MAX_LAST_ITEM = 2_000  # characters of the last item's markup that are looked at
LISTS = frozenset({"ul", "ol"})

_TAG = re.compile(r"<[^<>]*>")


@dataclass(slots=True)
class _LinkList:
    """A list: the places of its tags, the characters before it, and those in it, in links or not."""

    start: int
    before: int
    end: int = 0
    linked: int = 0
    plain: int = 0

    @property
    def is_linked(self) -> bool:
        return self.linked > 0 and self.linked >= MIN_LINKED_SHARE * (self.linked + self.plain)


def may_have_related_links(markup: str) -> bool:
    """Return False for markup without a list of links at its end, as most is: then its links mean nothing."""
    end = max(markup.rfind("</ul"), markup.rfind("</ol"), markup.rfind("</UL"), markup.rfind("</OL"))
    if end < 0 or len(markup) - end > MAX_MARKUP_AFTER:
        return False
    last = markup[max(0, end - MAX_LAST_ITEM) : end].lower()
    item = last[last.rfind("<li") :]
    _, link_end, after = item.rpartition("</a")
    is_link = bool(link_end) and len(_TAG.sub("", f"<{after}").strip()) <= MAX_MARKS_AFTER_LINK
    return is_link and len(_TAG.sub("", markup[end:]).strip()) <= MAX_CHARACTERS_AFTER


def without_related_links(pieces: list[str]) -> list[str]:
    """Return the pieces of well-formed markup without the text of the lists of links at its end.

    The pieces are the text before the first tag, and for each tag its slash, name, attributes and the text
    after it.
    """
    lists, total = _lists_of(pieces)
    kept = pieces
    for found in reversed(lists):
        line, places = _line_before(pieces, found.start)
        if total - found.before - found.linked - found.plain > MAX_CHARACTERS_AFTER:
            break
        if not found.is_linked or not _is_appended(found, line):
            break
        kept = kept.copy() if kept is pieces else kept
        if len(line) <= MAX_LINE_CHARACTERS and not FINAL_MARK.search(line[-8:]):
            total = found.before - sum(len(pieces[place].strip()) for place in places)
        else:
            total, places = found.before, []
        for place in (*range(found.start + 3, found.end, 4), *places):
            kept[place] = ""
    return kept


def _lists_of(pieces: Sequence[str]) -> tuple[list[_LinkList], int]:
    """Return the outermost lists, and the number of characters of all text."""
    lists: list[_LinkList] = []
    total = len(pieces[0].strip())
    depth = links = 0
    for at in range(1, len(pieces), 4):
        slash, tag, _, text = pieces[at : at + 4]
        if tag in LISTS:
            if not slash and not depth:
                lists.append(_LinkList(at, total))
            depth += -1 if slash else 1
            if not depth:
                lists[-1].end = at
        elif tag == "a":
            links += -1 if slash else 1
        count = len(text.strip())
        total += count
        if depth and links:
            lists[-1].linked += count
        elif depth:
            lists[-1].plain += count
    return lists, total


def _is_appended(found: _LinkList, line: str) -> bool:
    """Return whether a list of links at the end was put below the text before it."""
    if found.before - len(line) < MIN_TEXT_CHARACTERS:
        return False
    if len(line) <= MAX_LINE_CHARACTERS and is_furniture(line):
        return True
    is_introduced = line.endswith((":", "："))
    return not is_introduced and found.linked <= MAX_SHARE_OF_TEXT * found.before


def _line_before(pieces: Sequence[str], start: int) -> tuple[str, list[int]]:
    """Return the text of the block before a list, and the places of its pieces."""
    line, places = "", []
    for place in range(start - 1, max(-1, start - 1 - 4 * MAX_LINE_PIECES), -4):
        if pieces[place].strip():
            places.append(place)
            line = f"{pieces[place]}{line}"
        if line and (place == 0 or pieces[place - 2] in BLOCK_TAGS):
            break
    return " ".join(line.split()), places
