"""Independence: the number of publishers that report a story independently (pure).

Two feeds of one publisher count once, and so do newspapers that print the text of one news agency.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from service.core.model import Article

SHINGLE_WORDS = 5
MIN_COPIED_SHARE = 0.6  # of the shorter text's shingles, in the longer one
MIN_SHINGLES = 8  # with fewer, only equal texts are copies
MAX_COMPARED_CHARACTERS = 6_000  # of each text

_WORD = re.compile(r"\w+")


def count_independent_publishers(articles: Sequence[Article]) -> int:
    """Return the number of independent publishers among the articles of one story."""
    group = list(range(len(articles)))
    fingerprints = [shingles(article) for article in articles]
    for one in range(len(articles)):
        for other in range(one):
            if group[one] != group[other] and (
                _same_publisher(articles[one], articles[other])
                or is_copy(fingerprints[one], fingerprints[other])
            ):
                merged, gone = group[other], group[one]
                group = [merged if v == gone else v for v in group]
    return len(set(group))


def shingles(article: Article) -> frozenset[int]:
    """Return the shingles of the article's text, with its title if the text is very short.

    They are hashes, which differ from one process to another.
    """
    words = _WORD.findall(article.text[:MAX_COMPARED_CHARACTERS].lower())
    if len(words) < SHINGLE_WORDS + MIN_SHINGLES:
        words = _WORD.findall(f"{article.title} {article.text}"[:MAX_COMPARED_CHARACTERS].lower())
    if len(words) < SHINGLE_WORDS:
        return frozenset((hash(tuple(words)),))
    return frozenset(map(hash, zip(*(words[n:] for n in range(SHINGLE_WORDS)), strict=False)))


def is_copy(one: frozenset[int], other: frozenset[int]) -> bool:
    """Return whether one text is mostly contained in the other; short texts must be equal."""
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
