"""Categories: the topics that a feed gives to its items' categories, and a mapping to propose. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from service.core.validators import fold_topic
from service.text.phrases import PhraseMatcher

MAX_PROPOSED = 8  # categories of a feed; a longer list is not read
_BETWEEN_LEVELS = re.compile(r"[/>|]|::")


def mapped_topics(mapping: Iterable[tuple[str, str]], categories: Iterable[str]) -> tuple[str, ...]:
    """Return the topics of an item with these categories, each once, in the order of the mapping.

    The mapping has folded names of categories (see `fold_topic`), each with its topic. A name means a whole
    category, or one level of a category such as "World news/Africa".
    """
    names = {name for category in categories for name in names_of(category)}
    return tuple(dict.fromkeys(topic for name, topic in mapping if name in names))


def names_of(category: str) -> Sequence[str]:
    """Return the folded names by which a mapping can mean a category: all of it, and each of its levels."""
    levels = _BETWEEN_LEVELS.split(category)
    return [*dict.fromkeys(fold_topic(name) for name in (category, *levels) if name.strip())]


def count_categories(items: Iterable[Collection[str]]) -> Sequence[tuple[str, int]]:
    """Return each category of the items with the number of items that have it, the most frequent first.

    Categories that differ in case only are one, spelled as at first.
    """
    spellings: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for categories in items:
        for category in categories:
            spellings.setdefault(fold_topic(category), category)
        counts.update({fold_topic(category) for category in categories})
    return [(spellings[name], count) for name, count in counts.most_common()]


def propose_mapping(
    counted: Iterable[tuple[str, int]], mapping: Iterable[tuple[str, str]], topics: Collection[str]
) -> Mapping[str, str]:
    """Return category -> topic for the most frequent categories that the mapping leaves out.

    The topic is one of `topics` that is a word or phrase of the category, else the category itself.
    """
    mapping, matcher = tuple(mapping), PhraseMatcher(sorted(topics))
    proposed: dict[str, str] = {}
    for category, _ in counted:
        if len(proposed) < MAX_PROPOSED and not mapped_topics(mapping, [category]):
            # Most names of categories and topics are English, and other languages find equal words too.
            known = matcher.matches(category, "en")
            proposed[category] = known[0] if known else fold_topic(category)
    return proposed
