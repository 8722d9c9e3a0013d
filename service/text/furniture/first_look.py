"""First look: whether a line can be furniture at all, in a fraction of the time that the rules take (pure).

Nearly all sentences of an article are refused here. Each condition is implied by the rules that it stands
for; a test compares the two.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from itertools import pairwise
from operator import or_

from service.text.furniture.words import (
    CLAUSE_MARKS,
    COMBINING_SIGN,
    UNSPACED_CHARACTER,
    WORD,
    WordClass,
    is_unspaced,
    lower,
    phrases,
)
from service.text.quotations import QUOTATION_MARKS

MAX_SHORT_UNSPACED = 40  # characters of a line in an unspaced script that the rules always read
MAX_LISTED_WORDS = 24  # of a line that consists of dates, counts or names
MAX_CACHED_TOKENS = 50_000  # a full cache is emptied
MAX_CACHED_TOKEN_CHARACTERS = 60  # longer tokens are addresses or noise and do not come again

_SEPARATORS = "|｜·•»›"
_SIGN = re.compile(  # one class first, which `re` finds fast
    rf"[©ⓒ@#.:({_SEPARATORS}](?:(?<![.:({_SEPARATORS}])|(?<=\()c\)|(?<=:)//|(?<=www\.)"
    r"|(?<=\.)(?:com?|org|net|news|info|fm|tv|app|io|eu)\b"
    rf"|(?<=[{_SEPARATORS}])[^{_SEPARATORS}]{{1,80}}[{_SEPARATORS}])"
)
_BRACKETS = ("[", "［", "【")
_DEPENDENT = re.compile(rf"[{_SEPARATORS}\[［【_]|{UNSPACED_CHARACTER.pattern}|{COMBINING_SIGN.pattern}")
_WORDS = re.compile(r"\w+")  # faster than WORD
_CLAUSE_START = re.compile(rf"[{CLAUSE_MARKS}{QUOTATION_MARKS}][\W_]{{0,40}}+([^\W_]++)")
"""The first word of a clause; one may begin behind a quotation, since the rules do not read that."""
_MARKS = string.punctuation.replace("_", "").encode()
_SPACES_FOR_MARKS = bytes.maketrans(_MARKS, b" " * len(_MARKS))
KEY_WORDS = 3
_KEY_SIZES = range(1, KEY_WORDS + 1)
_COMMON = (  # noqa: SIM905 - English words that are no sign of anything read best as a line
    "a about all and at by for from have here if in is it last ll more n next no now of on out part re "
    "report s t that the this time to today until up was week what when will with you your earlier "
    "information already medical additional available contributed following"
).split()
_MOST_COMMON = frozenset("a about all at for from in is it on that the this to with".split())  # noqa: SIM905
_OPENING = (
    WordClass.LABEL
    | WordClass.ALSO
    | WordClass.BY
    | WordClass.MOVE
    | WordClass.SELF
    | WordClass.GREET
    | WordClass.POLITE
    | WordClass.CREDIT
    | WordClass.THANK
    | WordClass.CAUSE
    | WordClass.ABOUT
)
_LISTED = (
    WordClass.TIME
    | WordClass.COUNT
    | WordClass.ROLE
    | WordClass.REPORT
    | WordClass.BY
    | WordClass.DATE
    | WordClass.PARTICLE
)


@dataclass(frozen=True)
class _Triggers:
    """What makes a line worth reading; of a phrase, its key is its first KEY_WORDS words.

    marks       the phrases that only furniture has, each between spaces, by their rarest words
    watched     the words without one of which a line has no such phrase and no invitation
    characters  the first two characters of the phrases of unspaced scripts
    openings    keys of the phrases that open a line, and their first words
    publisher, own, offers, asks, you   the rarest words of the phrases that together make an invitation
    first_asks  first words of its imperatives
    listed      words of dates, counts, roles and names
    """

    marks: Mapping[str, Sequence[str]]
    watched: frozenset[str]
    characters: frozenset[str]
    openings: frozenset[tuple[str, ...]]
    first_words: frozenset[str]
    publisher: frozenset[str]
    own: frozenset[str]
    offers: frozenset[str]
    asks: frozenset[str]
    first_asks: frozenset[str]
    you: frozenset[str]
    listed: frozenset[str]


class _TokenLooks(dict[str, int]):
    """A cache: token (word with its marks) -> what can make a line furniture, or that it cannot be a list."""

    def __missing__(self, token: str) -> int:
        triggers = _triggers()
        lowered = lower(token)
        # Words of these tokens may depend on what else the line has.
        is_plain = token.isprintable() and _DEPENDENT.search(token) is None
        words = _words_of(lowered) if is_plain else []
        if not is_plain or not triggers.watched.isdisjoint(words) or _SIGN.search(lowered):
            look = _LOOK_CLOSER
        else:
            look = 0 if all(_is_listed(word, triggers) for word in _words_of(token)) else _UNLISTED
        if not words or words[0] in triggers.first_words or words[0] in triggers.first_asks:
            look |= _MAY_OPEN
        if len(token) <= MAX_CACHED_TOKEN_CHARACTERS:
            self[token] = look
        return look


_LOOK_CLOSER, _UNLISTED, _MAY_OPEN = 1, 2, 4
_token_looks = _TokenLooks()


def can_be_furniture(line: str) -> bool:
    """Return False for most lines that are no furniture, True for all others."""
    if len(_token_looks) > MAX_CACHED_TOKENS:
        _token_looks.clear()
    looks = [_token_looks[token] for token in line.split()]
    if looks and not looks[0] & _MAY_OPEN and reduce(or_, looks) & ~_MAY_OPEN == _UNLISTED:
        return False
    return _may_be_furniture(line)


def _may_be_furniture(line: str) -> bool:
    triggers = _triggers()
    is_unspaced_line = not line.isascii() and UNSPACED_CHARACTER.search(line) is not None
    if is_unspaced_line and (len(line) <= MAX_SHORT_UNSPACED or _has_pair(line, triggers)):
        return True
    lowered = lower(line)
    words = WORD.findall(lowered) if is_unspaced_line else _words_of(lowered)
    if not words or (words[0] in triggers.first_words and _has_opening(words, triggers)):
        return True
    watched = triggers.watched.intersection(words)
    if watched and _has_mark(words, watched, triggers):
        return True
    if (watched or words[0] in triggers.first_asks) and _may_invite(lowered, words, watched, triggers):
        return True
    return _has_sign(lowered) or (len(words) <= MAX_LISTED_WORDS and _is_list(line, triggers))


def _words_of(line: str) -> list[str]:
    if line.isascii():  # this takes a fifth of the patterns' time
        return line.encode().translate(_SPACES_FOR_MARKS).decode().split()
    return WORD.findall(line) if COMBINING_SIGN.search(line) else _WORDS.findall(line)


def _has_sign(lowered: str) -> bool:
    return lowered.startswith(_BRACKETS) or _SIGN.search(lowered) is not None


def _has_opening(words: list[str], triggers: _Triggers) -> bool:
    return any(tuple(words[:count]) in triggers.openings for count in _KEY_SIZES)


def _is_list(line: str, triggers: _Triggers) -> bool:
    """Return whether all words are names, numbers or words of dates, counts and roles."""
    for word in line.split(None, 5)[:5]:  # `any` would take twice the time
        if word.islower() and word.isalpha() and word not in triggers.listed:
            return False
    return all(_is_listed(word, triggers) for word in _words_of(line))


def _is_listed(word: str, triggers: _Triggers) -> bool:
    return word in triggers.listed or word[0].isupper() or word[0].isdigit()


def _has_mark(words: list[str], watched: Collection[str], triggers: _Triggers) -> bool:
    phrases_of = [triggers.marks[word] for word in watched if word in triggers.marks]
    if not phrases_of:
        return False
    line = f" {' '.join(words)} "
    return any(phrase in line for phrases in phrases_of for phrase in phrases)


def _may_invite(lowered: str, words: list[str], watched: Collection[str], triggers: _Triggers) -> bool:
    """Return whether the line may ask the reader, at the start of a clause, or offer something."""
    if triggers.publisher.isdisjoint(watched):
        return words[0] in triggers.first_asks and not triggers.offers.isdisjoint(words)
    if not triggers.you.isdisjoint(watched) and not triggers.own.isdisjoint(words):
        return True
    return not triggers.asks.isdisjoint(words) and (
        words[0] in triggers.first_asks
        or not triggers.first_asks.isdisjoint(_CLAUSE_START.findall(lowered))
        or UNSPACED_CHARACTER.search(lowered) is not None
        or COMBINING_SIGN.search(lowered) is not None
    )


def _has_pair(line: str, triggers: _Triggers) -> bool:
    return not triggers.characters.isdisjoint(map("".join, pairwise(line)))


@cache
def _triggers() -> _Triggers:
    characters = ("".join(phrase[:2]) for phrase in phrases() if len(phrase) > 1 and is_unspaced(phrase[0]))
    marks: dict[str, list[str]] = {}
    for phrase in _of_class(WordClass.MARK):
        marks.setdefault(_rarest_word(phrase), []).append(f" {' '.join(phrase)} ")
    publisher, you = _rarest_words(WordClass.US), _rarest_words(WordClass.YOU)
    first_asks = frozenset(phrase[0] for phrase in _of_class(WordClass.ASK))
    return _Triggers(
        marks=marks,
        watched=publisher | you | frozenset(marks),
        characters=frozenset(characters),
        openings=_keys(_OPENING),
        first_words=frozenset(phrase[0] for phrase in _of_class(_OPENING)),
        publisher=publisher,
        own=_rarest_words(WordClass.OWN),
        offers=_rarest_words(WordClass.OWN | WordClass.OFFER),
        asks=_rarest_words(WordClass.ASK),
        first_asks=first_asks,
        you=you,
        listed=frozenset(word for phrase in _of_class(_LISTED) for word in phrase),
    )


def _of_class(kind: int) -> list[tuple[str, ...]]:
    return [tuple(map(lower, phrase)) for phrase, classes in phrases().items() if classes & kind]


def _keys(kind: int) -> frozenset[tuple[str, ...]]:
    return frozenset(phrase[:KEY_WORDS] for phrase in _of_class(kind))


def _rarest_words(kind: int) -> frozenset[str]:
    return frozenset(_rarest_word(phrase) for phrase in _of_class(kind))


def _rarest_word(phrase: tuple[str, ...]) -> str:
    """Return one word of a phrase, the longest, which is seldom a common one."""
    return max(phrase, key=lambda word: (word not in _COMMON, word not in _MOST_COMMON, len(word)))
