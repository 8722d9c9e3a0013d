"""Sentence rules: what is known of the abbreviations and sentence starts of a language (pure)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from service.core.languages import primary_language

MAX_TOKEN_CHARACTERS = 24  # read before a mark; no abbreviation is longer

_WHITE = re.compile(r"\s")
_JOINTS = re.compile("[-'’]")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")


@dataclass(frozen=True, slots=True)
class SentenceRules:
    """The rules of one language; abbreviations.toml explains each key."""

    never: frozenset[str]
    number: frozenset[str]
    may: frozenset[str]
    starters: frozenset[str]
    speech_verbs: frozenset[str]
    ordinal: bool

    def opens_sentence(self, word: str) -> bool:
        """Return whether the word (`It`, `It's`) starts more sentences than it follows abbreviations."""
        return word in self.starters or _JOINTS.split(word)[0] in self.starters

    def is_ordinary_word(self, token: str) -> bool:
        """Return whether `token` is clearly an ordinary word and no abbreviation (the fast path)."""
        return (
            len(token) > 2
            and token.isalpha()
            and token not in self.may
            and token not in self.never
            and (token.islower() or not (token.lower() in self.may or token.lower() in self.never))
        )

    def is_abbreviation(self, token: str) -> bool:
        """Return whether a full stop after `token` may be part of an abbreviation."""
        if len(token) == 1 and token.lower() != token.upper():
            return True
        if self.ordinal and len(token) <= 2 and token.isdigit():
            return True
        return is_listed(token, self.never) or is_listed(token, self.may) or bool(_DOTTED.fullmatch(token))


def rules_for(language: str) -> SentenceRules:
    """Return the rules of a language tag."""
    return _rules(primary_language(language))


@cache
def _tables() -> dict[str, dict[str, str | bool]]:
    return tomllib.loads(Path(__file__).with_name("abbreviations.toml").read_text(encoding="utf-8"))


@cache
def _rules(language: str) -> SentenceRules:
    common, own = _tables()["any"], _tables().get(language, {})

    def words(key: str) -> frozenset[str]:
        return frozenset(f"{common.get(key, '')} {own.get(key, '')}".split())

    return SentenceRules(
        words("never"),
        words("number"),
        words("may"),
        words("starters"),
        words("said"),
        bool(own.get("ordinal")),
    )


def is_listed(token: str, words: frozenset[str]) -> bool:
    """Return whether the token, or its part after the last hyphen or apostrophe, is one of the words."""
    if token not in words:
        token = _JOINTS.split(token)[-1]
    return token in words or (token[:1].isupper() and token.lower() in words)


def last_token(text: str, begin: int, end: int) -> str:
    """Return the characters between the last white space and `end`, at most MAX_TOKEN_CHARACTERS."""
    near = text[max(begin, end - MAX_TOKEN_CHARACTERS) : end]
    space = near.rfind(" ")
    if not near.isascii() or "\n" in near or "\t" in near:
        tokens = _WHITE.split(near)
        return tokens[-1]
    return near[space + 1 :]
