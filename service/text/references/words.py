"""Reference words: the tables of words.toml, and the class of each token of a text (pure)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from service.core.languages import primary_language
from service.text.stems import fold_spelling

MAX_CACHED_TOKENS = 100_000  # per language; a full cache is emptied
MAX_CACHED_TOKEN_CHARACTERS = 60  # longer tokens are addresses or noise and do not come again
MAX_PLAIN_WORDS = 16_384  # kept, of all languages
MIN_POSSESSED_CHARACTERS = 4  # a shorter word ends with letters of its own

_EDGES = " \t\n\r\"“”«»„‟‹›「」『』'‘’‚`()[]{}<>.,;:!?…-–—*/|،؛؟"
_OPENERS = '"“„«‟「『‹”»'
_CLOSERS = '"”“»」』›«'
_MARKS_ALONE = {"«": 1, "„": 1, "“": 1, "‹": 1, "»": 2, "”": 2, "›": 2}
_SINGULAR_ENDINGS = ("ss", "us", "is", "'s")
_AFTER_CLOSER = ".,;:!?…)]،؛"
_CLAUSE_MARKS = ",;:،؛"
_INVISIBLE = str.maketrans("", "", "\u200b\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff\u00ad")


class TokenClass:
    """The classes of words.toml, which explains each, and of the shape of a token. Each is one bit.

    They are plain numbers because an enum.Flag takes microseconds for each operation.
    """

    THAT = 1 << 0
    OTHER = 1 << 1
    COUNT = 1 << 2
    DUMMY = 1 << 3
    EMPTY = 1 << 4
    PERSON = 1 << 5
    MALE = 1 << 6
    FEMALE = 1 << 7
    TITLE = 1 << 8
    GROUP = 1 << 9
    SAID = 1 << 10
    ASKED = 1 << 11
    PLACE = 1 << 12
    BEFORE = 1 << 13
    PHRASE = 1 << 14
    ARTICLE = 1 << 15
    DEFINITE = 1 << 16
    TIME = 1 << 17
    SMALL = 1 << 18
    OBJECT = 1 << 19
    OPENING = 1 << 20  # first word of a phrase that may begin a sentence
    WHOLE_OPENING = 1 << 21  # such a phrase itself
    SECOND = 1 << 22  # second word of such a phrase
    NOUN = 1 << 23  # names something
    PLURAL = 1 << 24  # ends as several things do
    NAME = 1 << 25  # begins with a capital letter
    CAPITALS = 1 << 26  # has no small letter
    NUMBER = 1 << 27  # has a digit
    CLOSES = 1 << 28  # ends with a quotation mark
    COMMA = 1 << 29  # ends with a comma, a colon or a semicolon
    HE = 1 << 30  # from here on, the largest code of a sentence shows whether it has such a token
    SHE = 1 << 31
    IT = 1 << 32
    THEY = 1 << 33
    THIS = 1 << 34
    OPENS = 1 << 35  # begins with a quotation mark


PRONOUN = TokenClass.HE | TokenClass.SHE | TokenClass.IT | TokenClass.THEY
_NOUNLESS = (
    TokenClass.SMALL | TokenClass.TIME | TokenClass.SAID | TokenClass.PLACE | TokenClass.BEFORE | PRONOUN
)
_LISTS = (  # noqa: SIM905 - names read best as a line of words
    "that other count dummy empty person male female title group said asked place before phrase article "
    "definite time small object he she it they this"
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
    first word to the number of words of its longest phrase. `proclitics` are written together with the next
    word. `possessives` are endings that mean "his" or "its", where sentences begin with the verb.
    """

    def __init__(self, table: Mapping[str, str | list[str]]) -> None:
        super().__init__()
        self.nouns_have_capitals = bool(table.get("nouns_have_capitals"))
        self.has_articles = bool(table["article"])
        self.has_objects = bool(table["object"])
        self._plural_ending = str(table.get("plural_ending", ""))
        self.proclitics = tuple(str(table.get("proclitics", "")).split())
        self.possessives = tuple(str(table.get("possessives", "")).split())
        self._not_possessive = frozenset(str(table.get("not_possessive", "")).split())
        self.classes: dict[str, int] = {}
        for name in _LISTS:
            bit: int = getattr(TokenClass, name.upper())
            for word in fold_spelling(str(table[name])).split():
                self.classes[word] = self.classes.get(word, 0) | bit
        self.openings: dict[tuple[str, ...], int] = {}
        self.longest: dict[str, int] = {}
        self._seconds: set[str] = set()
        for name, opening in _OPENINGS:
            for phrase in table[name]:
                words = tuple(fold_spelling(phrase).split())
                self.openings[(*words, "") if opening == Opening.CUT_BEFORE_COMMA else words] = opening
                self._seconds.update(words[1:2])
                self.longest[words[0]] = max(self.longest.get(words[0], 0), len(words))

    def __missing__(self, token: str) -> int:
        core = token.translate(_INVISIBLE).strip(_EDGES)
        word = plain_word(core)
        found = self._listed(word)
        if word in self.longest:
            is_whole = (word,) in self.openings or (word, "") in self.openings
            found |= TokenClass.WHOLE_OPENING | TokenClass.OPENING if is_whole else TokenClass.OPENING
        if word in self._seconds:
            found |= TokenClass.SECOND
        if not found & (_NOUNLESS | TokenClass.EMPTY) and len(word) > 2 and not word.isdecimal():
            found |= TokenClass.NOUN
            if (
                self._plural_ending
                and word.endswith(self._plural_ending)
                and word[-2:] not in _SINGULAR_ENDINGS
            ):
                found |= TokenClass.PLURAL
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

    def is_possessed(self, token: str) -> bool:
        """Return whether the token ends with a possessive: `ابنته`, "his daughter"."""
        word = token.translate(_INVISIBLE).strip(_EDGES)
        return (
            len(word) >= MIN_POSSESSED_CHARACTERS
            and word.endswith(self.possessives)
            and not word.startswith(self.proclitics)
            and word not in self._not_possessive
        )

    def _listed(self, word: str) -> int:
        """Return the classes of a word: `he's` is he, `qu'il` and `a-t-il` il, `30-year-old` year-old."""
        found = self.classes.get(word)
        head, mark, tail = word.partition("'")
        if mark:
            behind = self.classes.get(tail, 0) | self.classes.get(head + mark, 0) & TokenClass.DEFINITE
            if found is not None:
                return found | behind & PRONOUN
            return behind if behind & PRONOUN or len(tail) > 2 or not head else self.classes.get(head, 0)
        if found is not None:
            return found
        first, hyphen, rest = word.partition("-")
        if not hyphen:
            return 0
        listed = (
            self.classes.get(rest, 0) if first.isdecimal() else self.classes.get(word.rpartition("-")[2], 0)
        )
        return listed & (PRONOUN | TokenClass.PERSON)


@lru_cache(maxsize=MAX_PLAIN_WORDS)
def plain_word(token: str) -> str:
    """Return the token in lower case and one spelling, without the marks around it."""
    return fold_spelling(token.translate(_INVISIBLE).strip(_EDGES).lower().replace("’", "'"))


def _marks(token: str) -> int:
    alone = _MARKS_ALONE.get(token.strip(_AFTER_CLOSER))
    if alone:
        return TokenClass.OPENS if alone == 1 else TokenClass.CLOSES
    bare = token.lstrip("([—–-'‘")
    found = TokenClass.OPENS if bare and bare[0] in _OPENERS else 0
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
