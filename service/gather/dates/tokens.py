"""Split a folded date into tokens: times, dates in numbers, numbers, offsets, words and marks. Pure.

One pattern without nested repetition reads the text once, so the time is linear in its length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

_DATE_TOKEN = re.compile(
    r"""
    \s*(?:
        (?P<time>(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(?![\d:]))
      | (?P<numeric>(\d{1,4})\s?([./-])\s?(\d{1,2})\s?\7\s?(\d{1,4})(?![\d:]))
      | (?P<hours>(\d{1,2})\s?h(?:\s?(\d\d))?(?!\w))
      | (?P<pair>(\d{1,2})\.(\d\d)(?![\d.]\d|\d|:))
      | (?P<unit>(\d+)\s?([年月日号號時时点點分秒년월일시초]|분))
      | (?P<number>\d+)
      | (?P<offset>[+-](\d{1,2})(?::?(\d\d))?(?![\d:]))
      | (?P<region>[a-z]+/[a-z_+\-0-9/]+)
      | (?P<word>[^\W\d_]+(?:\.[^\W\d_]+)*)
      | (?P<mark>[-,;.:|/()\[\]'"’،、·•ºª~])
    )\s*
    """,
    re.VERBOSE,
)
UNIT_NAMES = {
    **dict.fromkeys("年년", "year"),
    **dict.fromkeys("月월", "month"),
    **dict.fromkeys("日号號일", "day"),
    **dict.fromkeys("時时点點시", "hour"),
    **dict.fromkeys("分분", "minute"),
    **dict.fromkeys("秒초", "second"),
}
_DASHES = str.maketrans("\u2212\u2010\u2011\u2012\u2013\u2014", "------")


class Kind(Enum):
    """The kind of a token."""

    TIME = auto()
    NUMERIC = auto()
    PAIR = auto()
    UNIT = auto()
    NUMBER = auto()
    OFFSET = auto()
    REGION = auto()
    WORD = auto()
    MARK = auto()


class Token(NamedTuple):
    """A token; `parts` are its numbers as written, or its word.

    TIME hour, minute, second; NUMERIC first, separator, second, third; PAIR the numbers around a dot;
    UNIT number and name of the unit; OFFSET sign, hours, minutes.
    """

    kind: Kind
    parts: tuple[str, ...]


def tokens_of(folded: str) -> Sequence[Token] | None:
    """Return the tokens of a text; None when a character belongs to none."""
    text, at = folded.translate(_DASHES), 0
    found: list[Token] = []
    while at < len(text):
        match = _DATE_TOKEN.match(text, at)
        if match is None:
            return None
        found.append(_token(match))
        at = match.end()
    return found


_PARTS = {"time": 3, "hours": 2, "numeric": 4, "pair": 2, "unit": 2, "offset": 2}
"""The number of groups inside of each token with numbers."""


def _token(match: re.Match[str]) -> Token:
    kind = match.lastgroup or "mark"
    text, at = match[kind], match.re.groupindex[kind]
    parts = tuple(part or "" for part in match.groups()[at : at + _PARTS.get(kind, 0)])
    if kind == "hours":
        return Token(Kind.TIME, (*parts, ""))
    if kind == "unit":
        return Token(Kind.UNIT, (parts[0], UNIT_NAMES[parts[1]]))
    if kind == "offset":
        return Token(Kind.OFFSET, (text[0], *parts))
    return Token(Kind[kind.upper()], parts or (text.replace(".", "") if kind == "word" else text,))
