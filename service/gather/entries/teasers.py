"""Teasers: whether a feed gives whole articles or only a taste of them. Pure."""

from __future__ import annotations

import html
import re

from service.gather.entries.boilerplate import READ_MORE, compiled

SHORT = 700
LONG_ENOUGH = 2_000
HALVED_AT = 60

_TAGS = re.compile(r"<[^<>]*>")
_CUT = compiled(rf"(?:\[\s*(?:…|\.{{3}}|&#8230;)\s*\]|…|\.{{3}}|\b{READ_MORE}\b[^.!?]{{0,60}})\W{{0,6}}$")


def is_cut(markup: str) -> bool:
    """Tell whether an entry's text says itself that it goes on elsewhere."""
    tail = _TAGS.sub(" ", markup[-1_500:])
    return _CUT.search(html.unescape(tail).rstrip()[-160:]) is not None


def is_short(text: str, *, cut: bool) -> bool:
    """Tell whether a text is a teaser by its looks."""
    return len(text) < SHORT or (cut and len(text) < LONG_ENOUGH)


def counted(short: int, judged: int, looks: list[bool]) -> tuple[int, int]:
    """Return the counts with these entries added; old ones weigh less, so that a feed may change."""
    short, judged = short + sum(looks), judged + len(looks)
    while judged > HALVED_AT:
        short, judged = short // 2, judged // 2
    return short, judged


def wants_page(wish: str, text: str, *, cut: bool, short: int, judged: int) -> bool:
    """Tell whether the entry's page should be fetched; `wish` is the feed's `full_text` setting.

    In a feed of teasers every entry that is not long is worth a request; in a feed of whole articles only
    one that breaks off in so many words.
    """
    if wish == "never":
        return False
    if wish == "always":
        return True
    if judged and short * 2 > judged:
        return len(text) < LONG_ENOUGH
    return cut and len(text) < LONG_ENOUGH
