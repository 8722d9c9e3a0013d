"""Page text: the labels of the web pages, in the language of the subscriber or the browser."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from service.text.i18n import FALLBACK, Labels, Localizer, localizer_for

_LANGUAGE_RANGE = re.compile(r"\s*([A-Za-z]{2,3})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=(\d(?:\.\d+)?))?\s*")
_MAX_HEADER_CHARACTERS = 500


class PageTexts:
    """The labels of every language, from a file with one table per language."""

    def __init__(self, file: Path) -> None:
        self.languages: Labels = tomllib.loads(file.read_text(encoding="utf-8"))

    def for_language(self, language: str) -> Localizer:
        """Return the labels for a language tag such as `pt-BR`, in English for an unknown language."""
        return localizer_for(self.languages, language)

    def for_accept_language(self, header: str) -> Localizer:
        """Return the labels for an Accept-Language header (RFC 9110, 12.5.4): the best language we have."""
        weights: dict[str, float] = {}
        for part in header[:_MAX_HEADER_CHARACTERS].split(","):
            if (match := _LANGUAGE_RANGE.fullmatch(part)) and match[1].lower() in self.languages:
                weights.setdefault(match[1].lower(), float(match[2] or 1))
        best = max(weights, key=lambda name: weights[name], default=FALLBACK)
        return self.for_language(best if weights.get(best, 0) > 0 else FALLBACK)
