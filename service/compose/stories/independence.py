"""Voices: how many publishers tell a story independently of one another (pure).

Two feeds of one publisher are one voice, and so are the papers that print one agency's text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit
from zlib import crc32

from service.core.model import Article

SHINGLE_WORDS = 5
MIN_COPIED_SHARE = 0.6
"""So much of the shorter text in the longer one, in runs of five words, makes it a copy."""
MIN_SHINGLES = 8
MAX_COMPARED_CHARACTERS = 6_000
"""So many characters of each text are compared."""

_WORD = re.compile(r"\w+")


def count_independent_publishers(articles: Sequence[Article]) -> int:
    """Return the number of independent publishers among the articles of one story."""
    voice = list(range(len(articles)))
    prints = [shingles(article) for article in articles]
    for one in range(len(articles)):
        for other in range(one):
            if voice[one] != voice[other] and (
                _same_publisher(articles[one], articles[other]) or is_copy(prints[one], prints[other])
            ):
                merged, gone = voice[other], voice[one]
                voice = [merged if v == gone else v for v in voice]
    return len(set(voice))


def shingles(article: Article) -> frozenset[int]:
    """Return the fingerprint of the article's text, or of its title where there is hardly any text."""
    words = _WORD.findall(article.text[:MAX_COMPARED_CHARACTERS].lower())
    if len(words) < SHINGLE_WORDS + MIN_SHINGLES:
        words = _WORD.findall(f"{article.title} {article.text}"[:MAX_COMPARED_CHARACTERS].lower())
    runs = range(max(len(words) - SHINGLE_WORDS + 1, 1))
    return frozenset(crc32(" ".join(words[n : n + SHINGLE_WORDS]).encode("utf-8", "replace")) for n in runs)


def is_copy(one: frozenset[int], other: frozenset[int]) -> bool:
    """Tell whether one text is mostly contained in the other; of short ones, whether they are the same."""
    fewest = min(len(one), len(other))
    if fewest < MIN_SHINGLES:
        return one == other
    return len(one & other) >= MIN_COPIED_SHARE * fewest


def _same_publisher(one: Article, other: Article) -> bool:
    name, host = one.publisher.strip().casefold(), _host(one.url)
    return (name != "" and name == other.publisher.strip().casefold()) or (
        host != "" and host == _host(other.url)
    )


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
