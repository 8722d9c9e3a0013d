"""Reference words: the tables of words.toml, and the class of each token of a text (pure)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from service.text.languages import primary_language

MAX_CACHED_TOKENS = 100_000  # per language; a full cache is emptied
MAX_CACHED_TOKEN_CHARACTERS = 60  # longer tokens are addresses or noise and do not come again
MAX_PHRASE_WORDS = 5

_EDGES = " \t\n\r\"“”«»„‟‹›「」『』'‘’‚`()[]{}<>.,;:!?…-–—*/|،؛؟"
_OPENERS = '"“„«‟「『‹”»'
_CLOSERS = '"”“»」』›«'
_MARKS_ALONE = {"«": 1, "„": 1, "“": 1, "‹": 1, "»": 2, "”": 2, "›": 2}
_AFTER_CLOSER = ".,;:!?…)]،؛"
_CLAUSE_MARKS = ",;:،؛"
_INVISIBLE = str.maketrans("", "", "\u200b\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff\u00ad")


class TokenClass:
    """The classes of words.toml, which explains each, and of the shape of a token. Each is one bit.

    They are plain numbers because an enum.Flag takes microseconds for each operation.
    """

    THIS = 1 << 0
    THAT = 1 << 1
    DUMMY = 1 << 2
    EMPTY = 1 << 3
    PERSON = 1 << 4
    MALE = 1 << 5
    FEMALE = 1 << 6
    TITLE = 1 << 7
    GROUP = 1 << 8
    SAID = 1 << 9
    PLACE = 1 << 10
    BEFORE = 1 << 11
    TIME = 1 << 12
    SMALL = 1 << 13
    OPENING = 1 << 14  # first word of a phrase that may begin a sentence
    NOUN = 1 << 15  # names something
    NAME = 1 << 16  # begins with a capital letter
    CAPITALS = 1 << 17  # has no small letter
    NUMBER = 1 << 18  # has a digit
    OPENS = 1 << 19  # begins with a quotation mark
    CLOSES = 1 << 20  # ends with one
    COMMA = 1 << 21  # ends with a comma, a colon or a semicolon
    HE = (
        1 << 22
    )  # the pronouns have the highest bits: the largest code of a sentence shows whether it has one
    SHE = 1 << 23
    IT = 1 << 24
    THEY = 1 << 25


PRONOUN = TokenClass.HE | TokenClass.SHE | TokenClass.IT | TokenClass.THEY
_NOUNLESS = (
    TokenClass.SMALL | TokenClass.TIME | TokenClass.SAID | TokenClass.PLACE | TokenClass.BEFORE | PRONOUN
)
_LISTS = (  # noqa: SIM905 - names read best as a line of words
    "this that dummy empty person male female title group said place before time small he she it they"
).split()


class Opening:
    """What a phrase at the start of a sentence says of it."""

    ALONE = 1
    LEANS = 2
    CUT = 3
    CUT_BEFORE_COMMA = 4


_OPENINGS = (
    ("alone", Opening.ALONE),
    ("cut", Opening.CUT),
    ("cut_comma", Opening.CUT_BEFORE_COMMA),
    ("leans", Opening.LEANS),
)


class ReferenceWords(dict[str, int]):
    """A cache of one language: token -> its classes.

    `openings` maps the words of a phrase to what it says; before a comma, "" follows them. `longest` maps a
    first word to the number of words of its longest phrase.
    """

    def __init__(self, table: Mapping[str, str | list[str]]) -> None:
        super().__init__()
        self.classes: dict[str, int] = {}
        for name in _LISTS:
            bit: int = getattr(TokenClass, name.upper())
            for word in str(table[name]).split():
                self.classes[word] = self.classes.get(word, 0) | bit
        self.openings: dict[tuple[str, ...], int] = {}
        self.longest: dict[str, int] = {}
        for name, opening in _OPENINGS:
            for phrase in table[name]:
                words = tuple(phrase.split())
                self.openings[(*words, "") if opening == Opening.CUT_BEFORE_COMMA else words] = opening
                self.longest[words[0]] = max(self.longest.get(words[0], 0), len(words))

    def __missing__(self, token: str) -> int:
        core = token.translate(_INVISIBLE).strip(_EDGES)
        word = core.lower().replace("’", "'")
        found = self._listed(word)
        if word in self.longest:
            found |= TokenClass.OPENING
        if not found & _NOUNLESS and len(word) > 2 and not word.isdecimal():
            found |= TokenClass.NOUN
        if core[:1].isupper():
            found |= TokenClass.NAME
            if len(core) > 1 and core.isupper():
                found |= TokenClass.CAPITALS
        if any(letter.isdigit() for letter in core):
            found |= TokenClass.NUMBER
        found |= _marks(token)
        if len(token) <= MAX_CACHED_TOKEN_CHARACTERS:
            self[token] = found
        return found

    def _listed(self, word: str) -> int:
        """Return the classes of a word: `he's` is he, `qu'il` is il, `a-t-il` is il."""
        found = self.classes.get(word)
        if found is not None:
            return found
        head, mark, tail = word.partition("'")
        if mark:
            return self.classes.get(tail, 0) if len(tail) > 2 or not head else self.classes.get(head, 0)
        last = word.rpartition("-")[2]
        return self.classes.get(last, 0) & (PRONOUN | TokenClass.PERSON) if last != word else 0


def plain_word(token: str) -> str:
    """Return the token in lower case without the marks around it."""
    return token.translate(_INVISIBLE).strip(_EDGES).lower().replace("’", "'")


def _marks(token: str) -> int:
    alone = _MARKS_ALONE.get(token.strip(_AFTER_CLOSER))
    if alone:
        return TokenClass.OPENS if alone == 1 else TokenClass.CLOSES
    found = TokenClass.OPENS if token.lstrip("([—–-'‘")[:1] in _OPENERS and token[:1] else 0
    if token.endswith(tuple(_CLAUSE_MARKS)) or token.rstrip("\"”“»'’")[-1:] in _CLAUSE_MARKS:
        found |= TokenClass.COMMA
    bare = token.rstrip(_AFTER_CLOSER + "'’")
    if len(bare) > 1 and bare[-1] in _CLOSERS:
        found |= TokenClass.CLOSES
    return found


@cache
def _tables() -> dict[str, dict[str, str | list[str]]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


@cache
def _cached_words(language: str) -> list[ReferenceWords]:
    return [ReferenceWords(_tables()[language])]


def reference_words(language: str) -> ReferenceWords | None:
    """Return the words of a language tag (`en`, `en-GB`); None if words.toml does not have the language."""
    primary = primary_language(language)
    if primary not in _tables():
        return None
    cached = _cached_words(primary)
    if len(cached[0]) > MAX_CACHED_TOKENS:
        cached[0] = ReferenceWords(_tables()[primary])
    return cached[0]
