"""Phrases: words and phrases found in texts in any of their inflected forms."""

from service.text.phrases.matcher import PhraseMatcher
from service.text.phrases.stemmed_text import StemmedText

__all__ = ["PhraseMatcher", "StemmedText"]
