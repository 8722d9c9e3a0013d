"""StemmedText: the words of a text with their forms, computed once and compared with many phrases (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from service.core.languages import primary_language
from service.core.validators import is_acronym
from service.text.phrases.word_forms import MAX_CACHED_WORDS, fold, forms_of, without_accents
from service.text.scripts import HAN, HAN_COMPATIBILITY, INDIC, THAI_LAO

MAX_MATCHED_CHARACTERS = 20_000  # of one text; headlines and key points have a tenth of it
NAME_LETTERS = range(4, 6)  # of an acronym that some papers write as a name: Nato, but never Who

_KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff"  # marks the words of foreign names; without the dot between them
_UNSPACED = "\u3040-\u309f" + HAN + HAN_COMPATIBILITY + THAI_LAO + "\u0f00-\u109f\u1780-\u17ff"
_LETTER = rf"[^\W\d_{_UNSPACED}]"
_WORD = re.compile(
    rf"\b{_LETTER}(?:\.{_LETTER}\b)+"  # U.S., J.K.
    rf"|[{_KATAKANA}]+|[{_UNSPACED}]"
    rf"|(?:[^\W_{_UNSPACED}{_KATAKANA}]|[{INDIC}\u0300-\u036f\u0591-\u05c7\u0610-\u065f\u200c])+"
)


@dataclass(frozen=True, slots=True)
class StemmedText:
    """The words of one text, or several, in order: each as its forms. `forms` are those of all words.

    `languages` are the primary subtags of the texts' languages. Behind each line is a word without forms, so
    that no phrase spans two lines.
    """

    words: tuple[frozenset[str], ...]
    forms: frozenset[str]
    languages: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[tuple[str, str]]) -> StemmedText:
        """Return the words of these texts, each given with its language tag ("" for unknown)."""
        words: list[frozenset[str]] = []
        languages: list[str] = []
        for text, language in texts:
            primary = primary_language(language)
            languages.append(primary)
            for line in text[:MAX_MATCHED_CHARACTERS].splitlines():
                words.extend(word_forms(word, primary) for word in split_words(line))
                words.append(frozenset())
        return cls(tuple(words), frozenset().union(*words), tuple(dict.fromkeys(languages)))


def split_words(text: str) -> Iterator[str]:
    """Yield the words of a text as written: runs of letters, numbers and marks; `U.S.` is `US`.

    In scripts without spaces between words each character is a word, so that a phrase is found anywhere.
    """
    return (found.replace(".", "") for found in _WORD.findall(text))


@lru_cache(maxsize=MAX_CACHED_WORDS)
def word_forms(word: str, language: str) -> frozenset[str]:
    """Return the forms of a word as written, and as an acronym if it looks like one."""
    forms = forms_of(fold(word), language)
    name = acronym_of(word)
    return forms | {name} if name else forms


def acronym_of(word: str) -> str:
    """Return the form of a word that may be an acronym (`WHO`, `MPs`, `Nato`), "" for another."""
    bare = word[:-1] if word[-1:] == "s" and word[:-1].isupper() else word
    is_name = word.istitle() and word.isalpha() and len(word) in NAME_LETTERS
    return f"={without_accents(fold(bare))}" if is_name or is_acronym(bare) else ""
