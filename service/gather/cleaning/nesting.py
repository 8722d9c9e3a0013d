"""Nesting: bound the depth of HTML, because parsing takes time quadratic in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_SHALLOW_TAGS = 5_000  # nested as deeply as possible, they are parsed in a tenth of a second
MAX_DEPTH = 400  # of open elements; a browser stops at 512

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)[^<>]*+>")
_VOID = "area base br col embed hr img input link meta param source track wbr"
_CLOSED_BY_NEXT = "p li dt dd tr td th thead tbody tfoot option optgroup rb rt rp"
NOT_NESTED = frozenset(f"{_VOID} {_CLOSED_BY_NEXT}".split())
"""Elements without content, and those that end where the next of their kind begins."""


def without_deep_nesting(markup: str) -> str:
    """Return the HTML without the tags of elements that are nested too deeply; their text stays.

    The time is linear in the length.
    """
    if markup.count("<") <= MAX_SHALLOW_TAGS:
        return markup
    return "".join(_pieces(markup))


def _pieces(markup: str) -> Iterator[str]:
    opened: dict[str, int] = {}
    depth = at = 0
    for tag in _TAG.finditer(markup):
        name = tag[2].lower()
        if name in NOT_NESTED:
            continue
        if tag[1]:
            if opened.get(name):
                opened[name] -= 1
                depth -= 1
            continue
        if depth >= MAX_DEPTH:
            yield markup[at : tag.start()]
            at = tag.end()
            continue
        opened[name] = opened.get(name, 0) + 1
        depth += 1
    yield markup[at:]
