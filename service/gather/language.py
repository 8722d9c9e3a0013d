"""Language detection, with the language that the feed declares as prior."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from service.core.languages import primary_language

FIRST_SAMPLE_CHARACTERS = 400  # usually enough for MIN_CONFIDENCE, at a quarter of the time
SAMPLE_CHARACTERS = 1_500
MIN_CONFIDENCE = 0.95  # probability at which the identifier overrules the declared language
MIN_CHARACTERS = 40  # shorter texts are not identified


@cache
def _classifier() -> Callable[[str], tuple[str, float]]:
    """Return py3langid's function from a text to its language and the probability of that."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - its model loads slowly

    classify: Callable[[str], tuple[str, float]]
    classify = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True).classify
    return classify


def detect_language(text: str, declared: str | None = None, default: str = "en") -> str:
    """Return the language of a text as a primary subtag.

    The declared language wins unless the identifier is very certain of another one: feeds often declare the
    default of their software, and short texts mislead every identifier.
    """
    prior = primary_language(declared)
    if len(text) < MIN_CHARACTERS:
        return prior or default
    for length in (
        (FIRST_SAMPLE_CHARACTERS, SAMPLE_CHARACTERS)
        if len(text) > FIRST_SAMPLE_CHARACTERS
        else (SAMPLE_CHARACTERS,)
    ):
        found, confidence = _classifier()(text[:length])
        if found == prior or confidence >= MIN_CONFIDENCE:
            return found
    return prior or (found if confidence >= 0.5 else default)
