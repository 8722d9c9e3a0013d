"""Topic names: which topics the editors of a general newsletter put first (pure).

The names are in topic_names.toml. In a newsletter of one topic they make no difference.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from pathlib import Path

from service.text.stems import fold_spelling

_WORD = re.compile(r"\w+")


@lru_cache(maxsize=1_024)  # topics are named in feeds.yaml
def topic_rank(topic: str) -> float:
    """Return 1 for a topic of hard news, -1 for one of sport or entertainment, 0 for any other."""
    words = [fold_spelling(word) for word in _WORD.findall(topic.lower())]
    hard, soft = (any(_is_in(word, listed) for word in words) for listed in ("hard", "soft"))
    return float(hard) - float(soft)


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
