"""Word forms: the spellings under which a word is compared with other forms of it (pure).

Most languages have a stemmer in the library, named in word_forms.toml. The others have a table of endings
there, or nothing: then only equal words are equal.
"""

from __future__ import annotations

import re
import threading
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Protocol

from service.text.stems import fold_spelling

MAX_STEMMED_CHARACTERS = 64  # of a word; a longer one is no word, and stemmers are slow with it
MAX_CACHED_WORDS = 32_768  # the words of a day's headlines and key points, in several languages
DEFAULT_LEAST_LETTERS = 2  # that a word keeps when endings or proclitics are removed

_MARKS_ON_LETTERS = re.compile("(?<=[a-zα-ω])[\u0300-\u036f]+")
_LETTERS_WITH_STROKES = str.maketrans(
    {"đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "þ": "th"}
)
_DOTLESS = frozenset({"tr", "az"})  # they lower I to ı; a phrase typed as Irak must find both


class _Stemmer(Protocol):
    """What is used of the library's stemmers."""

    def stemWord(self, word: str) -> str: ...  # noqa: N802 - the library's name


class _ThreadStemmers(threading.local):
    """The stemmers of one thread by language: a stemmer keeps the word that it works on."""

    def __init__(self) -> None:
        self.by_name: dict[str, _Stemmer] = {}


@dataclass(frozen=True, slots=True)
class _WordTable:
    """A language in word_forms.toml; `endings` and `proclitics` have the longest first."""

    stemmer: str = ""
    proclitics: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    plurals: Mapping[str, str] = field(default_factory=dict)
    least: int = DEFAULT_LEAST_LETTERS
    repeat: bool = False

    def stem(self, word: str) -> str:
        """Return the word without its ending."""
        while True:
            ending = next((end for end in self.endings if self._leaves_enough(word, end)), "")
            if not ending:
                return word
            word = word.removesuffix(ending)
            if not self.repeat:
                return word

    def singular(self, word: str) -> str:
        """Return the word with its plural ending replaced, for the library's stemmer."""
        ending = next((end for end in self.plurals if self._leaves_enough(word, end)), "")
        return word.removesuffix(ending) + self.plurals[ending] if ending else word

    def _leaves_enough(self, word: str, ending: str) -> bool:
        return word.endswith(ending) and len(word) - len(ending) >= self.least

    def without_proclitics(self, word: str) -> Iterator[str]:
        """Yield the word without each of the proclitics that it may begin with."""
        for proclitic in self.proclitics:
            if word.startswith(proclitic) and len(word) - len(proclitic) >= self.least:
                yield word.removeprefix(proclitic)


_threads = _ThreadStemmers()
_NO_TABLE = _WordTable()


@lru_cache(maxsize=MAX_CACHED_WORDS)
def forms_of(word: str, language: str) -> frozenset[str]:
    """Return the forms of a word; two words are forms of one word if they share one.

    `word` is written as `fold` returns it, `language` a primary subtag, "" for an unknown one. The forms are
    the word, its stem, both without accents, and the same without proclitics.
    """
    forms = set()
    for spelling in {word, without_accents(word)}:
        forms.update(_stems(spelling, language))
    return frozenset(forms | {without_accents(form) for form in forms})


@lru_cache(maxsize=MAX_CACHED_WORDS)
def phrase_forms_of(word: str, language: str) -> frozenset[str]:
    """Return the forms to look for in `forms_of` other words: an accent in the word is needed in them too."""
    return frozenset(_stems(word, language))


def fold(text: str) -> str:
    """Return the text in the spelling of words: NFKC, without case, one letter for its variants."""
    return fold_spelling(unicodedata.normalize("NFKC", text).casefold())


def without_accents(word: str) -> str:
    """Return the word without marks on Latin and Greek letters, and without strokes through them."""
    if word.isascii():
        return word
    marks_apart = unicodedata.normalize("NFD", word.translate(_LETTERS_WITH_STROKES))
    return unicodedata.normalize("NFC", _MARKS_ON_LETTERS.sub("", marks_apart))


def _stems(word: str, language: str) -> set[str]:
    if len(word) > MAX_STEMMED_CHARACTERS:
        return {word}
    if language in _DOTLESS:
        word = word.replace("ı", "i").replace("i\u0307", "i")
    table = _tables().get(language, _NO_TABLE)
    found = {word, *table.without_proclitics(word)}
    if table.stemmer:
        return found | {_stemmer(table.stemmer).stemWord(table.singular(word))}
    return found | {table.stem(form) for form in found}


def _stemmer(name: str) -> _Stemmer:
    stemmers = _threads.by_name
    if name not in stemmers:
        import snowballstemmer  # noqa: PLC0415 - imports all its languages, which few commands need

        stemmers[name] = snowballstemmer.stemmer(name)
    return stemmers[name]


@cache
def _tables() -> Mapping[str, _WordTable]:
    content = (files("service.text.phrases") / "word_forms.toml").read_text(encoding="utf-8")
    return {
        language: _WordTable(
            stemmer=table.get("stemmer", ""),
            proclitics=_longest_first(table.get("proclitics", "")),
            endings=_longest_first(table.get("endings", "")),
            least=table.get("least", DEFAULT_LEAST_LETTERS),
            repeat=table.get("repeat", False),
            plurals=table.get("plurals", {}),
        )
        for language, table in tomllib.loads(content).items()
    }


def _longest_first(words: str) -> tuple[str, ...]:
    return tuple(sorted(words.split(), key=len, reverse=True))
