"""Language: which language a text is in, with the feed's own word as a prior."""

from __future__ import annotations

from functools import cache
from typing import Protocol

from service.text.languages import primary_language

FIRST_SAMPLE_CHARACTERS = 400
SAMPLE_CHARACTERS = 1_500
MIN_CONFIDENCE = 0.95
MIN_CHARACTERS = 40


class _Identifier(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


@cache
def _identifier() -> _Identifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - its model loads slowly

    identifier: _Identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return identifier


def detect_language(text: str, declared: str | None = None, default: str = "en") -> str:
    """Return the language of a text as a primary subtag.

    What the feed declares holds unless the text says something else with great certainty: feeds often
    carry their software's default language, and short texts mislead every identifier.
    """
    prior = primary_language(declared)
    if len(text) < MIN_CHARACTERS:
        return prior or default
    for length in (
        (FIRST_SAMPLE_CHARACTERS, SAMPLE_CHARACTERS)
        if len(text) > FIRST_SAMPLE_CHARACTERS
        else (SAMPLE_CHARACTERS,)
    ):
        found, certainty = _identifier().classify(text[:length])
        if found == prior or certainty >= MIN_CONFIDENCE:
            return found
    return prior or (found if certainty >= 0.5 else default)
