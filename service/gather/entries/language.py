"""Language: which language a text is in, with the feed's own word as a prior."""

from __future__ import annotations

from functools import cache
from typing import Protocol

FIRST_LOOK = 400
SAMPLE = 1_500
SURE = 0.95
TOO_SHORT = 40


class _Identifier(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


@cache
def _identifier() -> _Identifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - its model loads slowly

    identifier: _Identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return identifier


def primary(tag: str | None) -> str:
    """Return the primary subtag of a language tag (RFC 5646), `en` for `en-GB`; "" when it is none."""
    code = (tag or "").replace("_", "-").split("-")[0].strip().lower()
    return code if 2 <= len(code) <= 3 and code.isascii() and code.isalpha() else ""


def language_of(text: str, declared: str | None = None, default: str = "en") -> str:
    """Return the language of a text as a primary subtag.

    What the feed declares holds unless the text says something else with great certainty: feeds often
    carry their software's default language, and short texts mislead every identifier.
    """
    prior = primary(declared)
    if len(text) < TOO_SHORT:
        return prior or default
    for length in (FIRST_LOOK, SAMPLE) if len(text) > FIRST_LOOK else (SAMPLE,):
        found, certainty = _identifier().classify(text[:length])
        if found == prior or certainty >= SURE:
            return found
    return prior or (found if certainty >= 0.5 else default)
