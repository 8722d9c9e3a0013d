"""Stems: the first letters of a word in one spelling; crude, and the same for every language (pure)."""

from __future__ import annotations

SENTENCE_STEM_CHARACTERS = 6  # for key points, cue phrases and repeated sentences
ARTICLE_STEM_CHARACTERS = 7  # for stories; a real stemmer was measured to group no better
_OPTIONAL_MARKS = (
    *range(0x0610, 0x061B),  # Arabic signs above words
    0x0640,  # the stroke that lengthens an Arabic word
    *range(0x064B, 0x0660),  # Arabic vowels and doubling
    0x0670,
    *range(0x06D6, 0x06DD),
    *range(0x06DF, 0x06E9),
    *range(0x06EA, 0x06EE),
    0x061C,  # marks of direction, and joiners
    *range(0x200C, 0x2010),
)
_SAME_LETTERS = {"ا": "أإآٱ", "ي": "ىی", "ه": "ة", "ك": "ک", "е": "ё"}
_FOLDED: dict[int, str | None] = dict.fromkeys(_OPTIONAL_MARKS)
_FOLDED.update({ord(letter): one for one, letters in _SAME_LETTERS.items() for letter in letters})


def stem(word: str, characters: int) -> str:
    """Return the first `characters` letters of the word in lower case."""
    return word.lower()[:characters]


def fold_spelling(word: str) -> str:
    """Return the word, in lower case, with one spelling of each letter; most scripts have one anyway.

    Arabic as in Lucene's ArabicNormalizer: alef with or without hamza, final yeh with or without dots, teh
    marbuta as heh, no vowel marks; and the Persian keyboard's yeh and kaf. Russian yo is written ye.
    """
    return word if word.isascii() else word.translate(_FOLDED)
