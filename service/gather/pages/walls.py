"""Walls: recognize pages that ask for a subscription, for consent or for a browser. Pure.

Articles are written about pay walls and cookies too. So a phrase counts only in a sentence that is addressed
to the reader: it is at the beginning of the sentence, or nearly all of it, and is not quoted. Such sentences
decide only if they end the text, or are all of it, and if little is left without them. Otherwise they are
only removed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import takewhile

from service.core.model import Block
from service.gather.cleaning.block_text import BlockText
from service.gather.pages.block_selection import selected
from service.text.marks import FINAL_MARK
from service.text.quotations import find_quotations
from service.text.scripts import CJK, HANGUL
from service.text.sentences import Sentence, sentences_of_block

MAX_WALL_CHARACTERS = 800  # of a block that is nothing but a wall
MAX_WALL_SENTENCE_CHARACTERS = 200  # a longer sentence is part of an article
MAX_LEAD_CHARACTERS = 8  # before the phrase in a sentence to the reader: "Please "
MAX_DENSE_LEAD_CHARACTERS = 3  # the same in scripts that write a word in one or two characters
MIN_PHRASE_SHARE = 0.6  # of a sentence that is nothing but the phrase
MAX_PHRASE_CHARACTERS = 70  # of a sentence about a subscription that is known by its first words
MIN_LONG_PHRASE_SHARE = 0.3  # of a longer one
MAX_EXTRA_CHARACTERS = 45  # of another sentence beside it: "Log in", "From 3 crowns a month"
MAX_CUT_CHARACTERS = 1_200  # left by a pay wall that ends the text, or cuts it in a sentence
MAX_COMPLETE_CHARACTERS = 500  # left beside any other pay wall
MAX_REST_CHARACTERS = 250  # left beside other walls, which pages with an article have too

MIN_LETTERS_AROUND_QUOTATION = 15  # in a sentence that says something about what it quotes

_DENSE = re.compile(f"[{CJK}{HANGUL}]")
_KINDS = ("access", "browser", "consent", "offer")
_PAY_WALLS = frozenset({"access", "offer"})
_WORD = re.compile(r"\w+")
_MARKS_AROUND = " \t\"'“”„«»¿¡!?.…。！？–—-•*>→"


@dataclass(frozen=True, slots=True)
class WithoutWalls:
    """The text without sentences of walls, and whether it is only what a wall has left of an article."""

    text: BlockText
    is_wall: bool


def without_walls(text: BlockText, *, closed: bool = False) -> WithoutWalls:
    """Remove walls from a text; `closed` says that the page's data declares the article as not free."""
    kinds: set[str] = {"access"} if closed else set()
    are_last = closed
    kept: list[int] = []
    last = len(text.blocks) - 1
    walls = [_walls_of(text.text, block, is_last=n == last) for n, block in enumerate(text.blocks)]
    end = _end_of_article(text.blocks, walls)
    for number, (block, found) in enumerate(zip(text.blocks, walls, strict=True)):
        if found.is_all or (found.begins and number >= end):
            kinds.update(found.kinds)
            are_last = are_last or "access" in found.kinds
        else:
            kept.append(number)
            kinds.update(found.ending)
            are_last = closed or bool(found.ending) or (are_last and _is_extra(block))
    rest = selected(text, kept)
    return WithoutWalls(
        rest, is_wall=bool(kinds) and length_of(rest.text) < _least_left(rest, kinds, are_last)
    )


def length_of(text: str) -> int:
    """Return the length of a text in characters of an alphabet: those of a dense script count twice."""
    return len(text) + (0 if text.isascii() else len(_DENSE.findall(text)))


@dataclass(frozen=True, slots=True)
class _BlockWalls:
    """The kinds of the walls in a block, and of those at the end of the text.

    `is_all`: the block is nothing else. `begins`: it begins with a pay wall; an offer may follow.
    """

    kinds: frozenset[str] = frozenset()
    ending: frozenset[str] = frozenset()
    is_all: bool = False
    begins: bool = False


def _walls_of(text: str, block: Block, *, is_last: bool) -> _BlockWalls:
    line = text[block.start : block.end]
    if (len(line) > MAX_WALL_CHARACTERS and not is_last) or not _phrases().may_be_in(line.casefold()):
        return _BlockWalls()
    sentences = list(sentences_of_block(text, block)) or [Sentence(block.start, block.end)]
    kinds = [_kind_of(text[sentence.start : sentence.end]) for sentence in sentences]
    others = [sentence for sentence, kind in zip(sentences, kinds, strict=True) if not kind]
    ending = takewhile(bool, reversed(kinds)) if is_last else ()
    is_all = len(others) < len(kinds) and all(map(_is_extra, others))
    return _BlockWalls(frozenset(kinds) - {""}, frozenset(ending), is_all, kinds[0] == "access")


def _end_of_article(blocks: Sequence[Block], walls: Sequence[_BlockWalls]) -> int:
    """Return the number of the first of the last blocks that are or begin with walls, or are short."""
    end = len(blocks)
    while end and (walls[end - 1].is_all or walls[end - 1].begins or _is_extra(blocks[end - 1])):
        end -= 1
    return end


def _is_extra(part: Block | Sentence) -> bool:
    return part.end - part.start <= MAX_EXTRA_CHARACTERS


def _kind_of(sentence: str) -> str:
    """Return the kind of the wall that speaks to the reader in a sentence, "" if none does."""
    if len(sentence) > MAX_WALL_SENTENCE_CHARACTERS:
        return ""
    folded = _unquoted(sentence).casefold().strip(_MARKS_AROUND)
    lead = MAX_DENSE_LEAD_CHARACTERS if _DENSE.search(folded) else MAX_LEAD_CHARACTERS
    places = list(_phrases().places(folded))
    share = sum(end - start for start, end, _ in places) / max(1, len(folded))
    kind = min((kind for _, _, kind in places), key=_KINDS.index, default="")
    if share >= MIN_PHRASE_SHARE:
        return kind
    if kind in _PAY_WALLS and len(folded) > MAX_PHRASE_CHARACTERS and share < MIN_LONG_PHRASE_SHARE:
        return ""
    return kind if any(start <= lead for start, _, _ in places) else ""


def _unquoted(sentence: str) -> str:
    """Return a sentence without what it quotes; whole if there is hardly anything else in it."""
    rest, end = [], 0
    for quotation in find_quotations(sentence).spans:
        rest.append(sentence[end : quotation.start])
        end = quotation.end
    outside = " ".join((*rest, sentence[end:]))
    return outside if sum(map(str.isalpha, outside)) >= MIN_LETTERS_AROUND_QUOTATION else sentence


def _least_left(rest: BlockText, kinds: set[str], are_last: bool) -> int:
    """Return how long the text without the walls is at least if it is an article."""
    if "access" not in kinds:
        return MAX_REST_CHARACTERS
    return MAX_CUT_CHARACTERS if are_last or not _is_complete(rest) else MAX_COMPLETE_CHARACTERS


def _is_complete(rest: BlockText) -> bool:
    """Return whether the last sentence of a text is complete; a credit after it, such as "(dpa)", is not."""
    sentences = [block for block in rest.blocks if not _is_extra(block)]
    text = rest.text[: sentences[-1].end] if sentences else rest.text
    return bool(FINAL_MARK.search(text, max(0, len(text) - 8))) and not text.endswith(("…", "..."))


class _Phrases:
    """The phrases of all kinds and languages. A phrase is looked for only where its longest word is."""

    def __init__(self, kinds: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        self._by_first_word: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        self._longest_words: set[str] = set()
        self._dense: list[tuple[str, str]] = []
        for kind, languages in kinds.items():
            for phrase in {phrase.casefold() for phrases in languages.values() for phrase in phrases}:
                words = _WORD.findall(phrase)
                if _DENSE.search(phrase):
                    self._dense.append((phrase, kind))
                else:
                    pattern = re.compile(rf"{_pattern(phrase)}\b")
                    self._by_first_word.setdefault(words[0], []).append((pattern, kind))
                    self._longest_words.add(max(words, key=len))

    def may_be_in(self, folded: str) -> bool:
        """Return False only if no phrase is in the text."""
        if not self._longest_words.isdisjoint(_WORD.findall(folded)):
            return True
        if folded.isascii() or not _DENSE.search(folded):
            return False
        return any(phrase in folded for phrase, _ in self._dense)

    def places(self, folded: str) -> Iterator[tuple[int, int, str]]:
        """Yield start, end and kind of each phrase in a text."""
        for word in _WORD.finditer(folded):
            for pattern, kind in self._by_first_word.get(word[0], ()):
                if found := pattern.match(folded, word.start()):
                    yield *found.span(), kind
        for phrase, kind in self._dense:
            if (start := folded.find(phrase)) >= 0:
                yield start, start + len(phrase), kind


@cache
def _phrases() -> _Phrases:
    return _Phrases(tomllib.loads((files("service.gather.pages") / "walls.toml").read_text("utf-8")))


def _pattern(phrase: str) -> str:
    """Return the pattern of a phrase: white space may be of any kind, `*` stands for up to four words."""
    pattern = r"\s".join(re.escape(word) for word in phrase.split())
    return pattern.replace(r"\s\*", r"(?:\s\S{1,30}){0,4}")
