"""Words: what the pages say in their own voice, in the reader's language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FALLBACK = "en"
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_VALUE = re.compile(r"\{(\w+)\}")
_WANTED = re.compile(r"\s*([A-Za-z]{2,3})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=(\d(?:\.\d+)?))?\s*")


@dataclass(frozen=True, slots=True)
class PageText:
    """One language's words. English stands in for what it does not say."""

    language: str
    labels: Mapping[str, str]

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    def text(self, key: str, **values: object) -> str:
        """Return the words for `key` with their `{values}` filled in. Raises KeyError for no such key."""
        return _VALUE.sub(lambda match: str(values[match[1]]), self.labels[key])


class PageTexts:
    """The words of every language, from a file with one table for each."""

    def __init__(self, file: Path) -> None:
        self.languages: Mapping[str, Mapping[str, str]] = tomllib.loads(file.read_text(encoding="utf-8"))

    def for_language(self, language: str) -> PageText:
        """Return the words for a language tag such as `pt-BR`, or English where we do not speak it."""
        primary = language.replace("_", "-").partition("-")[0].lower()
        known = primary if primary in self.languages else FALLBACK
        return PageText(known, {**self.languages[FALLBACK], **self.languages[known]})

    def for_accept_language(self, accepted: str) -> PageText:
        """Return the words for an Accept-Language header (RFC 9110, 12.5.4): the best one that we speak."""
        weights: dict[str, float] = {}
        for part in accepted[:500].split(","):
            if (match := _WANTED.fullmatch(part)) and match[1].lower() in self.languages:
                weights.setdefault(match[1].lower(), float(match[2] or 1))
        best = max(weights, key=lambda name: weights[name], default=FALLBACK)
        return self.for_language(best if weights.get(best, 0) > 0 else FALLBACK)
