"""Topic names: which topics the editors of a general newsletter put first (pure).

The names are in topic_names.toml. In a newsletter of one topic they make no difference.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

from service.text.stems import fold_spelling

_WORD = re.compile(r"\w+")


RANKS: Mapping[str, float] = MappingProxyType(
    {"first": 1.0, "hard": 0.8, "useful": 0.4, "soft": -0.6, "light": -1.0}
)
"""The rank of the topics in each list of topic_names.toml, learned as the weights are, to one digit or so."""


@lru_cache(maxsize=1_024)  # topics are named in feeds.yaml
def topic_rank(topic: str) -> float:
    """Return the rank of a topic, from 1 for foreign news and politics to -1 for lifestyle.

    Of several words the lowest one counts, as in "world sport"; 0 if no word is in a list.
    """
    words = [fold_spelling(word) for word in _WORD.findall(topic.lower())]
    ranks = [rank for listed, rank in RANKS.items() if any(_is_in(word, listed) for word in words)]
    return min(ranks, default=0.0)


def rank_of_topics(topics: Sequence[str]) -> float:
    """Return the rank of an article's topics: that of the first one that has a rank, 0 if none has.

    The topics of the article's own categories stand before those of its feed, which has more kinds of news.
    """
    return next((rank for rank in map(topic_rank, topics) if rank), 0.0)


def _is_in(word: str, listed: str) -> bool:
    whole, beginnings = _names()[listed]
    return word in whole or word.startswith(beginnings)


@cache
def _names() -> dict[str, tuple[frozenset[str], tuple[str, ...]]]:
    read = tomllib.loads(Path(__file__).with_name("topic_names.toml").read_text(encoding="utf-8"))
    return {name: _entries(entries) for name, entries in read.items()}


def _entries(entries: str) -> tuple[frozenset[str], tuple[str, ...]]:
    names = [fold_spelling(name.lower()) for name in entries.split()]
    whole = frozenset(name for name in names if not name.endswith("*"))
    return whole, tuple(name[:-1] for name in names if name.endswith("*"))
