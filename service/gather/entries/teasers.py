"""Teasers: whether a feed gives whole articles or only a taste of them. Pure."""

from __future__ import annotations

import html
import re

from service.gather.entries.boilerplate import READ_MORE, compiled

MAX_TEASER_CHARACTERS = 700
MIN_FULL_TEXT_CHARACTERS = 2_000
MAX_JUDGED = 60

_TAGS = re.compile(r"<[^<>]*>")
_CUT = compiled(rf"(?:\[\s*(?:…|\.{{3}}|&#8230;)\s*\]|…|\.{{3}}|\b{READ_MORE}\b[^.!?]{{0,60}})\W{{0,6}}$")


def is_truncated(markup: str) -> bool:
    """Tell whether an entry's text says itself that it goes on elsewhere."""
    tail = _TAGS.sub(" ", markup[-1_500:])
    return _CUT.search(html.unescape(tail).rstrip()[-160:]) is not None


def is_teaser(text: str, *, cut: bool) -> bool:
    """Tell whether a text is a teaser by its looks."""
    return len(text) < MAX_TEASER_CHARACTERS or (cut and len(text) < MIN_FULL_TEXT_CHARACTERS)


def updated_counts(short: int, judged: int, teasers: list[bool]) -> tuple[int, int]:
    """Return the counts with these entries added; old ones weigh less, so that a feed may change."""
    short, judged = short + sum(teasers), judged + len(teasers)
    while judged > MAX_JUDGED:
        short, judged = short // 2, judged // 2
    return short, judged


def needs_full_text(setting: str, text: str, *, cut: bool, short: int, judged: int) -> bool:
    """Tell whether the entry's page should be fetched; `wish` is the feed's `full_text` setting.

    In a feed of teasers every entry that is not long is worth a request; in a feed of whole articles only
    one that breaks off in so many words.
    """
    if setting == "never":
        return False
    if setting == "always":
        return True
    if judged and short * 2 > judged:
        return len(text) < MIN_FULL_TEXT_CHARACTERS
    return cut and len(text) < MIN_FULL_TEXT_CHARACTERS
