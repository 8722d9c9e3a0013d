"""Stems: the first letters of a word; crude, and the same rule for every language (pure)."""

from __future__ import annotations

SENTENCE_STEM_CHARACTERS = 6  # for key points, cue phrases and repeated sentences
ARTICLE_STEM_CHARACTERS = 7  # for stories; a real stemmer was measured to group no better


def stem(word: str, characters: int) -> str:
    """Return the first `characters` letters of the word in lower case."""
    return word.lower()[:characters]
