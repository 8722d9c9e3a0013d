"""Text choice: the feed's text or the page's. Pure.

A page's text replaces the feed's only if nothing is lost: it contains the feed's text, or that is cut. A
summary that the page does not repeat stays as the first paragraph.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.gather.cleaning.block_text import BlockText
from service.gather.entries.teasers import is_truncated
from service.gather.pages.block_selection import joined, selected
from service.gather.pages.subject import is_same_subject
from service.gather.pages.word_runs import contains, words_of
from service.text.blocks import plain_blocks
from service.text.furniture.rules import is_furniture
from service.text.marks import FINAL_MARK

MAX_SUMMARY_CHARACTERS = 400  # of a feed's text that may be a summary; a longer one is the article
MIN_SUMMARY_FACTOR = 2  # how many times longer than its summary a page is
MIN_TITLE_WORDS = 4  # of a title that is recognized although a line has more words
MAX_EXTRA_WORDS = 4
MAX_HEAD_BLOCKS = 6  # among which the title and by-lines may be repeated

OTHER_SUBJECT = "the page is about something else"
NO_MORE_TEXT = "the page has no more text than the feed"
LESS_TEXT = "the page does not have all of the feed's text"


def chosen_text(
    page: BlockText, *, title: str, text: str, language: str = "", headlines: Sequence[str] = ()
) -> tuple[BlockText, str]:
    """Return the text to store in place of the feed's `text` and "", or no text and the reason.

    `headlines` are those of the page, which its text need not have.
    """
    feed_words = words_of(text)
    if feed_words and contains(page_words := words_of(page.text), feed_words):
        is_longer = len(page_words) > len(feed_words)
        return (page, "") if is_longer else (BlockText(""), NO_MORE_TEXT)
    if not is_same_subject(title, text, page.text, headlines):
        return BlockText(""), OTHER_SUBJECT
    if not feed_words or is_truncated(text) or _repeats(title, feed_words):
        return (page, "") if len(page.text) > len(text) else (BlockText(""), NO_MORE_TEXT)
    if len(text) <= MAX_SUMMARY_CHARACTERS and len(page.text) >= MIN_SUMMARY_FACTOR * len(text):
        return joined(BlockText(text, plain_blocks(text, language or "en")), page), ""
    return BlockText(""), LESS_TEXT


def without_repeated_head(text: BlockText, title: str) -> BlockText:
    """Return the text without the title and by-lines at its head; a standfirst stays."""
    words = words_of(title)
    repeated: set[int] = set()
    for number, block in enumerate(text.blocks[:MAX_HEAD_BLOCKS]):
        line = text.text[block.start : block.end]
        if (words and _is_title(words_of(line), words)) or is_furniture(line):
            repeated.add(number)
        elif FINAL_MARK.search(line, max(0, len(line) - 8)):
            break
    return selected(text, [number for number in range(len(text.blocks)) if number not in repeated])


def _is_title(line: list[str], title: list[str]) -> bool:
    """Return whether a line is the title, perhaps with a few words more, such as the name of the site."""
    return line == title or (
        len(title) >= MIN_TITLE_WORDS and len(line) <= len(title) + MAX_EXTRA_WORDS and contains(line, title)
    )


def _repeats(title: str, words: list[str]) -> bool:
    """Return whether a feed's text only repeats the title."""
    return words == words_of(title)
