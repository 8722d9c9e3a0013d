"""Teasers: whether a feed has full articles or only their beginnings. Pure."""

from __future__ import annotations

import html
import re

from service.gather.boilerplate import READ_MORE, compiled

MAX_TEASER_CHARACTERS = 700
MIN_FULL_TEXT_CHARACTERS = 2_000  # a text this long is no teaser, even when it ends with "read more"
MAX_JUDGED = 60  # entries in the counts of a feed before they are halved

_TAGS = re.compile(r"<[^<>]*>")
_CUT = compiled(
    r"(?:\[\s*(?:…|\.{3}|&#8230;)\s*\]|…|\.{3})(?:\W{0,6}|[^.!?…。！？]{0,40})$"
    rf"|\b{READ_MORE}\b[^.!?]{{0,60}}\W{{0,6}}$"
)
"""An ellipsis, perhaps with a few words after it: they invite to read more, in whatever language."""
_TAIL_CHARACTERS = 160  # at the end of a text, which are searched


def is_truncated(markup: str) -> bool:
    """Return whether an entry's text ends with an ellipsis or an invitation to read more."""
    tail = _TAGS.sub(" ", markup[-1_500:])
    return _CUT.search(html.unescape(tail).rstrip()[-_TAIL_CHARACTERS:]) is not None


def without_invitation(text: str) -> str:
    """Return the text without the ellipsis or the invitation to read more at its end."""
    text = text.rstrip()
    start = max(0, len(text) - _TAIL_CHARACTERS)
    found = _CUT.search(text[start:])
    return text if found is None else text[: start + found.start()].rstrip()


def is_teaser(text: str, *, cut: bool) -> bool:
    """Return whether a text looks like a teaser."""
    return len(text) < MAX_TEASER_CHARACTERS or (cut and len(text) < MIN_FULL_TEXT_CHARACTERS)


def updated_counts(short: int, judged: int, teasers: list[bool]) -> tuple[int, int]:
    """Return the counts with these entries added, halved as they grow so that recent ones weigh more."""
    short, judged = short + sum(teasers), judged + len(teasers)
    while judged > MAX_JUDGED:
        short, judged = short // 2, judged // 2
    return short, judged


def needs_full_text(setting: str, text: str, *, cut: bool, short: int, judged: int) -> bool:
    """Return whether the entry's page should be fetched; `setting` is the feed's `full_text`.

    In a feed of teasers that is every entry without a long text, in any other feed only a truncated entry.
    """
    if setting == "never":
        return False
    if setting == "always":
        return True
    if judged and short * 2 > judged:
        return len(text) < MIN_FULL_TEXT_CHARACTERS
    return cut and len(text) < MIN_FULL_TEXT_CHARACTERS
