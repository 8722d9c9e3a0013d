"""Words: each white-space chunk of a text becomes one cached number that holds its stem and its cues."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CUES = (  # noqa: SIM905 - names read best as a line of words
    "say negation pronoun demonstrative contrast turn addition first second future modal day denial false "
    "unsure explicit open reserve limit condition scope accuse accused claimref plan agree finding toll "
    "caution absolute reversal"
).split()
"""The classes of cue words, as cues.toml names them; each has one bit."""
SHAPE_FLAGS = ("name", "number", "opens", "closes", "question", "term")
"""What a chunk's look tells without any word list."""
FLAG_BIT = {name: bit for bit, name in enumerate((*CUES, *SHAPE_FLAGS))}
FLAG_BITS = 40
STEM_BITS = 23
CUE_MASK = (1 << len(CUES)) - 1
STEM_CHARACTERS = 6
"""Words are compared by their first letters: crude, but the same for every language."""
MAX_CACHED_TOKENS = 200_000
MAX_CACHED_TOKEN_CHARACTERS = 100
"""Longer chunks are addresses or noise: not worth the memory."""

_OPENERS = '"“«„‟「『'
_CLOSERS = '"”»“」』'
_EDGES = " \t\n\r\"“”«»„‟「」『』'‘’‚()[]{}<>.,;:!?…-–—*/|،؛؟。、！？：；।"
_BROAD = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")

IntArray = NDArray[np.int64]


class Lexicon(dict[str, int]):
    """The chunks of one language, numbered as they are met: `stem << FLAG_BITS | flags`.

    `phrases` maps a phrase's first two stems to the stems and bits of all phrases that begin so; bits of 0
    mute the words of the phrase.
    """

    def __init__(self, table: dict[str, Any] | None) -> None:
        super().__init__()
        self.has_cues = table is not None
        self.stems: dict[str, int] = {}
        self.exact: dict[str, int] = {}
        self.prefixes: dict[str, int] = {}
        self.suffixes: dict[str, int] = {}
        self.stop_words: frozenset[str] = frozenset()
        self.phrases: dict[int, list[tuple[tuple[int, ...], int]]] = {}
        if table is not None:
            self._learn(table)
        self.max_prefix_characters = max(map(len, self.prefixes), default=0)
        self.phrase_starts = np.array(sorted(self.phrases) or [-1], dtype=np.int64)

    def _learn(self, table: dict[str, Any]) -> None:
        self.stop_words = frozenset(table["stop"].split())
        for name in (*CUES, "mute"):
            bit = 0 if name == "mute" else 1 << FLAG_BIT[name]
            entries = table[name].split() if isinstance(table[name], str) else table[name]
            for entry in entries:
                self._learn_entry(entry.strip(), bit)

    def _learn_entry(self, entry: str, bit: int) -> None:
        if " " in entry:
            stems = tuple(self._stem(_plain(word.rstrip("*"))) for word in entry.split())
            self.phrases.setdefault(stems[0] << STEM_BITS | stems[1], []).append((stems, bit))
        elif entry.endswith("*"):
            self.prefixes[entry[:-1]] = self.prefixes.get(entry[:-1], 0) | bit
        elif entry.startswith("*"):
            self.suffixes[entry[1:]] = self.suffixes.get(entry[1:], 0) | bit
        else:
            self.exact[entry] = self.exact.get(entry, 0) | bit

    def _stem(self, word: str) -> int:
        return self.stems.setdefault(word[:STEM_CHARACTERS], len(self.stems))

    def _cues(self, word: str) -> int:
        found = self.exact.get(word, 0)
        for end in range(3, min(len(word), self.max_prefix_characters) + 1):
            found |= self.prefixes.get(word[:end], 0)
        for suffix, bits in self.suffixes.items():
            if word.endswith(suffix):
                found |= bits
        return found

    def __missing__(self, chunk: str) -> int:
        core = chunk.strip(_EDGES)
        word = _plain(core.lower())
        flags = self._cues(word)
        if chunk[0] in _OPENERS or chunk[:2] in ('("', "'\"", "``"):
            flags |= 1 << FLAG_BIT["opens"]
        elif chunk.rstrip(".,;:!?)'’")[-1:] in _CLOSERS and chunk.rstrip(".,;:!?)'’"):
            flags |= 1 << FLAG_BIT["closes"]
        if chunk.endswith(("?", "؟", "？")):
            flags |= 1 << FLAG_BIT["question"]
        if core[:1].isupper():
            flags |= 1 << FLAG_BIT["name"]
        if any(letter.isdigit() for letter in core):
            flags |= 1 << FLAG_BIT["number"]
        if word and self._is_term(word):
            flags |= 1 << FLAG_BIT["term"]
        code = self._stem(word) << FLAG_BITS | flags
        if len(chunk) <= MAX_CACHED_TOKEN_CHARACTERS:
            self[chunk] = code
        return code

    def _is_term(self, word: str) -> bool:
        if self.has_cues:
            return len(word) > 1 and word not in self.stop_words
        return len(word) > 3 or not word.isascii()


def _plain(word: str) -> str:
    """Return the word without possessive or elided article: `doha's` and `l'accord` are `doha`, `accord`."""
    word = word.replace("’", "'").removesuffix("'s")
    head, mark, tail = word.partition("'")
    return tail if mark and len(head) <= 2 and len(tail) > 2 else word


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("cues.toml").read_text(encoding="utf-8"))


@cache
def _cached_lexicon(language: str) -> list[Lexicon]:
    return [Lexicon(_tables().get(language))]


def lexicon_for(language: str) -> Lexicon:
    """Return the words of a language (`en`, `en-GB`); forgets them when they have grown too many."""
    place = _cached_lexicon(language[:2].lower() if language[:2].lower() in _tables() else "")
    if len(place[0]) > MAX_CACHED_TOKENS:
        place[0] = Lexicon(_tables().get(language[:2].lower()))
    return place[0]


def has_cue_words(language: str) -> bool:
    """Tell whether there are cue words for this language, so that caveats can be found."""
    return language[:2].lower() in _tables()


def tokenize(text: str) -> list[str]:
    """Return the text's chunks: at white space, and pairs of signs where a script writes without it."""
    if text.isascii() or not _BROAD.search(text):
        return text.split()
    return _BROAD.sub(lambda run: " " + " ".join(_pairs(run.group())) + " ", text).split()


def _pairs(run: str) -> list[str]:
    return [run[k : k + 2] for k in range(max(1, len(run) - 1))]


def apply_phrases(codes: IntArray, lexicon: Lexicon) -> None:
    """Set the bits of every phrase on its first word, and clear those of muted words; in place."""
    stem = codes >> FLAG_BITS
    begins = stem[:-1] << STEM_BITS | stem[1:]
    known = lexicon.phrase_starts
    at = np.minimum(known.searchsorted(begins), len(known) - 1)
    found = [
        (start, len(stems), bits)
        for start in np.flatnonzero(known[at] == begins).tolist()
        for stems, bits in lexicon.phrases.get(int(begins[start]), ())
        if len(stems) == 2 or tuple(stem[start : start + len(stems)].tolist()) == stems
    ]
    for start, length, bits in found:
        if not bits:
            codes[start : start + length] &= ~CUE_MASK
    for start, _, bits in found:
        codes[start] |= bits
