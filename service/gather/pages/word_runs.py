"""Word runs: whether a page has the words of a feed's text in their order. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.text.scripts import CJK, HANGUL, THAI_LAO

MIN_CONTAINED_RATIO = 0.85  # of the runs of words of a feed's text that a page contains
MAX_MISSING_RUNS = 6  # in a row; a sentence has more
RUN_WORDS = 3  # words of a run that are compared

_UNSPACED = f"{CJK}{HANGUL}{THAI_LAO}"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded; of unspaced scripts each character is one."""
    return _WORD.findall(text.casefold())


def contains(page: Sequence[str], feed: Sequence[str]) -> bool:
    """Return whether the page's words contain the feed's in their order, but for single words."""
    size = min(RUN_WORDS, len(feed))
    present = set(zip(*(page[n:] for n in range(size)), strict=False))
    runs = [run in present for run in zip(*(feed[n:] for n in range(size)), strict=False)]
    longest = missing = 0
    for found in runs:
        missing = 0 if found else missing + 1
        longest = max(longest, missing)
    return longest <= MAX_MISSING_RUNS and sum(runs) >= MIN_CONTAINED_RATIO * len(runs)
