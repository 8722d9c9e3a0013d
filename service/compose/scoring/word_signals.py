"""Word signals: how much a headline sounds like harm, public affairs, entertainment and so on (pure).

The words are in news_words.toml. They are a weak prior: a headline full of them gains little more than one
with two of them, and a word that is denied ("no damage") counts against the harm.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

from service.core.languages import same_language
from service.text.stems import SENTENCE_STEM_CHARACTERS, fold_spelling, stem

SIGNALS = ("harm", "affairs", "acts", "scale", "research", "soft", "series", "minor", "sport")
"""The classes of words that count; `denials` and `relief` only take back words of harm."""
TITLE_SIGNALS = ("soft", "series", "minor")  # a text about a war may mention a film and a Tuesday
OPENING_WEIGHT = 0.35  # of a word in the opening; one in the title counts 1
DENIED_WORDS = 3  # behind a denial that it takes back
RELIEVED_WORDS = 2  # of harm that a word of relief takes back: "tsunami warning lifted"
METAPHOR_WEIGHT = 0.5  # of words of harm among more words of sport, and of soft ones among words of harm
MAX_TITLE_CHARACTERS, MAX_OPENING_CHARACTERS = 300, 600  # read of each
SHORTEST_ARABIC_STEM = 3  # letters that remain without a proclitic; a shorter rest is a word of its own

LARGE_NUMBER_DIGITS = 4  # from here on, a number in a title counts as a word of scale
QUESTION_MARKS = ("?", "؟", "？")  # at the end of a title: it offers something to read and states no news

_WORD = re.compile(r"\w+(?:-\w+)*")
_NUMBER = re.compile(r"(?<![\w.,])\d{1,9}(?:[.,\u00a0\u202f]\d{3}){0,3}(?![\w.,]?\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DENIALS, _DENIED, _RELIEF = "denials", "denied", "relief"
_AMBIGUOUS = "?"  # behind a word that has other meanings, and behind its class


@dataclass(frozen=True, slots=True)
class _Table:
    """The entries of one language with their classes: whole words and pairs, and the beginnings of both.

    `first_words` are those of the pairs, `proclitics` those of the language, the longest first.
    """

    whole: Mapping[str, Sequence[str]]
    beginnings: Mapping[str, Sequence[str]]
    first_words: frozenset[str]
    proclitics: tuple[str, ...]

    def classes_of(self, text: str) -> list[str]:
        """Return the classes of a word, or of a pair; a word that begins a pair is no beginning of it."""
        found = list(self.whole.get(text, ()))
        for end in range(text.find("_") + 1, len(text) + 1):
            found += self.beginnings.get(text[:end], ())
        return found

    def may_begin_pair(self, word: str) -> bool:
        """Return whether some pair begins with this word; any may behind a proclitic."""
        return bool(self.proclitics) or word.partition("_")[0] in self.first_words


_HARM = ("harm", "harm?")

NO_SIGNALS: Mapping[str, float] = MappingProxyType(dict.fromkeys(SIGNALS, 0.0))
"""The signals of a text without known words, and of one in a language without a table."""


def word_signals(title: str, opening: str, language: str) -> Mapping[str, float]:
    """Return the signal of each class, from 0 to 1; `harm` is below 0 if more of it is denied than stated.

    `opening` is the beginning of the text; the classes of TITLE_SIGNALS are not read in it. Each word counts
    once, however often it is repeated.
    """
    name = same_language(language)
    if name not in _tables():
        return NO_SIGNALS
    title = title[:MAX_TITLE_CHARACTERS]
    sums = _weights_of_words(title, opening[:MAX_OPENING_CHARACTERS], name)
    sums["scale"] += any(_is_large(number) for number in _NUMBER.findall(title))
    sums["soft"] += title.rstrip().endswith(QUESTION_MARKS)
    # Relief takes back harm that is stated: a trophy that is lifted is no harm that is denied.
    sums["harm"] -= sums[_DENIED] + min(RELIEVED_WORDS * sums[_RELIEF], sums["harm"])
    if sums["sport"] > sums["harm"] > 0:  # a blow in a match
        sums["harm"] *= METAPHOR_WEIGHT
    elif sums["harm"] >= 1:  # a wedding or a street is where it happened
        sums["soft"] *= METAPHOR_WEIGHT
        sums["minor"] *= METAPHOR_WEIGHT
    return {signal: _saturated(sums[signal]) for signal in SIGNALS}


def _weights_of_words(title: str, opening: str, language: str) -> dict[str, float]:
    """Return the weights of the words of each class. An ambiguous word needs another one of its class."""
    sums = dict.fromkeys((*SIGNALS, _DENIED, _RELIEF), 0.0)
    ambiguous: dict[str, list[float]] = {}
    seen: set[tuple[str, str]] = set()
    for text, weight in ((title, 1.0), (opening, OPENING_WEIGHT)):
        for signal, word in _signals_in(text, language):
            name = signal.removesuffix(_AMBIGUOUS)
            key = (name, stem(word, SENTENCE_STEM_CHARACTERS))
            if key in seen or (text is not title and name in TITLE_SIGNALS):
                continue
            seen.add(key)
            if name == signal:
                sums[name] += weight
            else:
                ambiguous.setdefault(name, []).append(weight)
    for name, weights in ambiguous.items():
        if sums[name] > 0 or len(weights) > 1:
            sums[name] += sum(weights)
    return sums


def _is_large(number: str) -> bool:
    """Return whether a number is a thousand or more, and no year."""
    digits = "".join(filter(str.isdecimal, number))
    return len(digits) >= LARGE_NUMBER_DIGITS and not (digits == number and _YEAR.fullmatch(digits))


def _signals_in(text: str, language: str) -> Iterator[tuple[str, str]]:
    """Yield each class with a word of it, in the order of the text; _DENIED for a word of harm that is.

    The class of an ambiguous word ends in _AMBIGUOUS.
    """
    words = [fold_spelling(word) for word in _WORD.findall(text.lower())]
    table = _tables()[language]
    denied_until = -1
    for place, word in enumerate(words):
        found = classes_of(word, language)
        is_pair = place > 0 and table.may_begin_pair(words[place - 1])
        of_pair = classes_of(f"{words[place - 1]}_{word}", language) if is_pair else ()
        if not found and not of_pair:
            continue
        classes = {*found, *of_pair}
        if _DENIALS in classes:
            denied_until = place + DENIED_WORDS
        elif _RELIEF in classes:
            yield _RELIEF, word
        for signal in classes.difference((_DENIALS, _RELIEF)):
            is_denied = signal in _HARM and place <= denied_until
            yield (_DENIED if is_denied else signal), word


@lru_cache(maxsize=65_536)  # words repeat; the bound holds against made-up ones
def classes_of(word: str, language: str) -> Sequence[str]:
    """Return the classes of a word in lower case, or of two words joined by "_", in this language."""
    table = _tables()[language]
    found = table.classes_of(word)
    for proclitic in table.proclitics:
        rest = word.removeprefix(proclitic)
        if not found and rest != word and len(rest) >= SHORTEST_ARABIC_STEM:
            found = table.classes_of(rest)
    return tuple(found)


def _saturated(total: float) -> float:
    """Return a number from -1 to 1: the first word counts half, each further one half of what is left."""
    return math.copysign(1 - math.exp2(-abs(total)), total)


@cache
def _tables() -> Mapping[str, _Table]:
    read = tomllib.loads(Path(__file__).with_name("news_words.toml").read_text(encoding="utf-8"))
    return {language: _table(table) for language, table in read.items()}


def _table(entries: Mapping[str, str]) -> _Table:
    whole: defaultdict[str, list[str]] = defaultdict(list)
    beginnings: defaultdict[str, list[str]] = defaultdict(list)
    for name in (*SIGNALS, _DENIALS, _RELIEF):
        for listed in entries[name].split():
            class_name = name + _AMBIGUOUS if listed.endswith(_AMBIGUOUS) else name
            word = fold_spelling(listed.removesuffix(_AMBIGUOUS).lower())
            found = beginnings[word[:-1]] if word.endswith("*") else whole[word]
            if class_name not in found:
                found.append(class_name)
    proclitics = sorted(entries.get("proclitics", "").split(), key=len, reverse=True)
    return _Table(
        dict(whole),
        dict(beginnings),
        frozenset(word.partition("_")[0] for word in (*whole, *beginnings) if "_" in word),
        tuple(fold_spelling(one) for one in proclitics),
    )
