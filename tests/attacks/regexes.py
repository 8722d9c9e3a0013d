"""Attacks on every regular expression of the service, and on some that are known to be slow."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

from tests.attacks import patterns, strings
from tests.attacks.budget import Attack

LONG = 512 * 1024
"""Characters of an attack: quadratic work takes minutes of processor time."""
SHORT = 10 * 1024
SUSPICIOUS = 0.003
"""Seconds for a short attack that make it worth the long one; a quadratic one needs several times as many."""

KNOWN_SLOW = (
    r"(?s)<!--.*?-->",
    r"\s+$",
    r"(a+)+$",
    r"(?:a|a)*b",
    r"[^@\s]+@[^@\s]+\.[a-z]+",
    r'"(?:[^"\\]|\\.)*"',
    r"\bname[ :_-]*([\w-]+\.\w+)",
    r"(?m)^(?:[ \t]*\w.*\n)+END",
)
"""Patterns of the usual kinds, quadratic to exponential, that the attacks must find."""


def regexes() -> Iterator[Attack]:
    """Yield the attacks on the service's patterns, each pattern once for each way of using it."""
    seen: set[tuple[Any, int, bool, int | None]] = set()
    for place, use in patterns.every_pattern().items():
        key = (use.pattern.pattern, use.pattern.flags, use.anchored, use.limit)
        if key not in seen:
            seen.add(key)
            yield from _on(place, use)


def known_slow() -> Iterator[Attack]:
    """Yield the attacks on patterns that are slow."""
    for pattern in KNOWN_SLOW:
        yield from _on(pattern, patterns.Use(re.compile(pattern)))


def _on(place: str, use: patterns.Use) -> Iterator[Attack]:
    for attack in strings.attacks(use.pattern):
        yield f"{place}\t{use.pattern.pattern!r:.200} <- {attack!r:.200}", Search(use, attack)


class Search:
    """One attack on one pattern."""

    def __init__(self, use: patterns.Use, attack: tuple[str, str, str]) -> None:
        self._use, self._attack = use, attack

    def __call__(self) -> None:
        """Try a short text; try the full length if that was not cheap."""
        started = time.process_time()
        self._at(min(SHORT, self._use.limit or SHORT))
        if time.process_time() - started > SUSPICIOUS:
            self._at(self._use.limit or LONG)

    def _at(self, length: int) -> None:
        pattern = self._use.pattern
        text = strings.written(self._attack, length)
        subject = text if isinstance(pattern.pattern, str) else text.encode("utf-8", "replace")
        if self._use.anchored:
            pattern.match(subject)
            pattern.fullmatch(subject)
        else:
            for _match in pattern.finditer(subject):
                pass
