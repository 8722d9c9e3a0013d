"""Lexicon: each token of a text becomes one cached number with its stem and its cues."""

from __future__ import annotations

import re
import tomllib
from array import array
from functools import cache
from pathlib import Path
from typing import Any

from service.text.scripts import UNSPACED, bigrams
from service.text.stems import SENTENCE_STEM_CHARACTERS, fold_spelling, stem

CUES = (  # noqa: SIM905 - names read best as a line of words
    "say negation pronoun demonstrative contrast turn addition first second future modal day denial false "
    "unsure explicit open reserve limit condition scope meaning accuse accused claimref plan agree finding "
    "toll caution absolute reversal"
).split()
"""The classes of cue words in cues.toml; each has one bit."""
SHAPE_FLAGS = ("name", "number", "opens", "closes", "question", "term")
"""Properties of a token that need no word list."""
FLAG_BIT = {name: bit for bit, name in enumerate((*CUES, *SHAPE_FLAGS))}
FLAG_BITS = 40
STEM_BITS = 23
CUE_MASK = (1 << len(CUES)) - 1
MAX_CACHED_TOKENS = 200_000  # per language; a full cache is emptied
MAX_CACHED_TOKEN_CHARACTERS = 100  # longer tokens are addresses or noise and do not come again
MIN_CHARACTERS_AFTER_PROCLITIC = 2  # Arabic "and not" is one letter and two

_OPENERS = '"“«„‟「『'
_CLOSERS = '"”»“」』'
_EDGES = " \t\n\r\"“”«»„‟「」『』'‘’‚()[]{}<>.,;:!?…-–—*/|،؛؟。、！？：；।"
_UNSPACED_RUN = re.compile(f"[{UNSPACED}]+")


class Lexicon(dict[str, int]):
    """A cache of one language: token -> `stem number << FLAG_BITS | flags`.

    `proclitics` are words that the language writes together with the next one; they are no part of a stem.
    `phrases` maps the first two stems of a phrase to the stems and bits of all phrases that start with them;
    bits of 0 cancel the cues of the phrase's words. `phrase_starts` are its keys in order.
    """

    def __init__(self, table: dict[str, Any] | None) -> None:
        super().__init__()
        self.has_cues = table is not None
        self.stems: dict[str, int] = {}
        self.exact: dict[str, int] = {}
        self.proclitics: tuple[str, ...] = ()
        self.prefixes: dict[str, int] = {}
        self.suffixes: dict[str, int] = {}
        self.stop_words: frozenset[str] = frozenset()
        self.phrases: dict[int, list[tuple[tuple[int, ...], int]]] = {}
        if table is not None:
            self._learn(table)
        self.max_prefix_characters = max(map(len, self.prefixes), default=0)
        self.phrase_starts = array("q", sorted(self.phrases) or [-1])

    def _learn(self, table: dict[str, Any]) -> None:
        self.proclitics = tuple(table.get("proclitics", "").split())
        self.stop_words = frozenset(map(fold_spelling, table["stop"].split()))
        for name in (*CUES, "mute"):
            bit = 0 if name == "mute" else 1 << FLAG_BIT[name]
            entries = table[name].split() if isinstance(table[name], str) else table[name]
            for entry in entries:
                self._learn_entry(fold_spelling(entry.strip()), bit)

    def _learn_entry(self, entry: str, bit: int) -> None:
        if " " in entry:
            words = (_without_affixes(word.rstrip("*")) for word in entry.split())
            stems = tuple(self._stem(self.without_proclitic(word)) for word in words)
            self.phrases.setdefault(stems[0] << STEM_BITS | stems[1], []).append((stems, bit))
        elif entry.endswith("*"):
            self.prefixes[entry[:-1]] = self.prefixes.get(entry[:-1], 0) | bit
        elif entry.startswith("*"):
            self.suffixes[entry[1:]] = self.suffixes.get(entry[1:], 0) | bit
        else:
            self.exact[entry] = self.exact.get(entry, 0) | bit

    def _stem(self, word: str) -> int:
        return self.stems.setdefault(stem(word, SENTENCE_STEM_CHARACTERS), len(self.stems))

    def _cues(self, word: str) -> int:
        found = self.exact.get(word, 0)
        for end in range(3, min(len(word), self.max_prefix_characters) + 1):
            found |= self.prefixes.get(word[:end], 0)
        for suffix, bits in self.suffixes.items():
            if word.endswith(suffix):
                found |= bits
        return found

    def without_proclitic(self, word: str) -> str:
        """Return the word without "and", "the" and the like, where the language writes them as one word."""
        for proclitic in self.proclitics:
            if word.startswith(proclitic) and len(word) - len(proclitic) >= MIN_CHARACTERS_AFTER_PROCLITIC:
                return word[len(proclitic) :]
        return word

    def __missing__(self, token: str) -> int:
        core = token.strip(_EDGES)
        whole = _without_affixes(fold_spelling(core.lower()))
        word = self.without_proclitic(whole)
        # A word may begin with the letters of a proclitic, so the whole word counts first.
        flags = self._cues(whole) or (0 if word is whole else self._cues(word))
        if token[0] in _OPENERS or token[:2] in ('("', "'\"", "``"):
            flags |= 1 << FLAG_BIT["opens"]
        elif token.rstrip(".,;:!?)'’")[-1:] in _CLOSERS and token.rstrip(".,;:!?)'’"):
            flags |= 1 << FLAG_BIT["closes"]
        if token.endswith(("?", "؟", "？")):
            flags |= 1 << FLAG_BIT["question"]
        if core[:1].isupper():
            flags |= 1 << FLAG_BIT["name"]
        if any(letter.isdigit() for letter in core):
            flags |= 1 << FLAG_BIT["number"]
        if word and whole not in self.stop_words and self._is_term(word):
            flags |= 1 << FLAG_BIT["term"]
        code = self._stem(word) << FLAG_BITS | flags
        if len(token) <= MAX_CACHED_TOKEN_CHARACTERS:
            self[token] = code
        return code

    def _is_term(self, word: str) -> bool:
        if self.has_cues:
            return len(word) > 1 and word not in self.stop_words
        return len(word) > 3 or not word.isascii()


def _without_affixes(word: str) -> str:
    """Return the word without `'s` and elided article: `doha's` -> `doha`, `dell'accordo` -> `accordo`."""
    word = word.replace("’", "'").removesuffix("'s")
    head, mark, tail = word.partition("'")
    is_article = mark and (len(head) <= 2 or head.endswith("ll")) and len(tail) > 2
    return tail if is_article else word


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("cues.toml").read_text(encoding="utf-8"))


@cache
def _cached_lexicon(language: str) -> list[Lexicon]:
    return [Lexicon(_tables().get(language))]


def _table_key(language: str) -> str:
    # Two letters, not the primary subtag: the three-letter codes (`eng`) mostly begin with them too.
    return language[:2].lower()


def lexicon_for(language: str) -> Lexicon:
    """Return the lexicon of a language tag (`en`, `en-GB`), an empty one if its cache has grown too large."""
    cached = _cached_lexicon(_table_key(language) if has_cue_words(language) else "")
    if len(cached[0]) > MAX_CACHED_TOKENS:
        cached[0] = Lexicon(_tables().get(_table_key(language)))
    return cached[0]


def has_cue_words(language: str) -> bool:
    """Return whether cues.toml has the language; without cue words no caveats are found."""
    return _table_key(language) in _tables()


def tokenize(text: str) -> list[str]:
    """Return the tokens of a text: its words with their punctuation, and bigrams of unspaced scripts."""
    if text.isascii() or not _UNSPACED_RUN.search(text):
        return text.split()
    return _UNSPACED_RUN.sub(lambda run: f" {' '.join(bigrams(run.group()))} ", text).split()
