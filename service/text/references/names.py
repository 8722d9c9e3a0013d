"""Names: which capitalised words of a sentence name a person (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from service.text.references.words import ReferenceWords, TokenClass

MAX_CHARACTERS_SEARCHED = 20_000  # for other places of a name
_MAX_NAME_TOKENS = 4
_MAX_PLACES = 8  # of a name that are looked at
_MAX_AGE_DIGITS = 3
_EDGES = ",.;:!?()[]'’\"“”„«»"
_POSSESSIVES = ("'s", "’s", "'", "’")

NOT_A_NAME = TokenClass.SMALL | TokenClass.TIME | TokenClass.BEFORE | TokenClass.PHRASE | TokenClass.PLACE
_NO_PERSON = TokenClass.GROUP | TokenClass.CAPITALS
_PERSON = TokenClass.PERSON | TokenClass.TITLE


class PersonNames:
    """Tells names of persons from other words with a capital letter, by the rest of the text."""

    def __init__(self, text: str, words: ReferenceWords) -> None:
        self._text = text
        self._end = min(len(text), MAX_CHARACTERS_SEARCHED)
        self._words = words
        self._is_name: dict[str, bool] = {}
        self._is_person: dict[str, bool] = {}

    def may_be_person(
        self, tokens: Sequence[str], codes: Sequence[int], first: int, place: int, *, after_name: bool
    ) -> bool:
        """Return whether a capitalised token of a sentence may be a person's name.

        `first` is the first token of the sentence, `after_name` says that the token goes on with the name of
        something else.
        """
        if after_name or _is_of_group(codes, place):
            return False
        word = bare_name(tokens[place])
        if self._words.nouns_have_capitals:
            return self._follows_name(word)
        if place == first:
            is_followed = place + 1 < len(codes) and codes[place + 1] & TokenClass.NAME
            return not codes[place + 1] & TokenClass.GROUP if is_followed else self._has_capital_inside(word)
        return not codes[place - 1] & (TokenClass.PLACE | TokenClass.ARTICLE)

    def is_person(self, word: str) -> bool:
        """Return whether the word stands beside a title, a noun for a person or a verb of speech anywhere."""
        if word not in self._is_person:
            self._is_person[word] = any(self._shows_person(at, word) for at in self._places(word))
        return self._is_person[word]

    def stands_alone(self, name: str, given: str) -> bool:
        """Return whether a surname is used without the given name."""
        return any(self._word_before(at) != given for at in self._places(name))

    def _shows_person(self, at: int, word: str) -> bool:
        before, after = (
            self._words[self._word_before(at) or "."],
            self._words[self._word_after(at, word) or "."],
        )
        return bool(before & (_PERSON | TokenClass.SAID) or after & TokenClass.SAID)

    def _has_capital_inside(self, word: str) -> bool:
        """Return whether the word has its capital in the middle of a sentence too."""
        if word not in self._is_name:
            self._is_name[word] = any(
                self._text[at - 2 : at - 1].isalnum() or self._text[at - 2 : at - 1] == ","
                for at in self._places(word)
            )
        return self._is_name[word]

    def _follows_name(self, word: str) -> bool:
        """Return whether the word stands behind another capital, as a surname does."""
        if word not in self._is_name:
            befores = [self._word_before(at) for at in self._places(word)]
            self._is_name[word] = any(
                one[:1].isupper() and not self._words[one] & (_NO_PERSON | NOT_A_NAME) for one in befores
            )
        return self._is_name[word]

    def _places(self, word: str) -> list[int]:
        """Return where the word stands behind a space, at most _MAX_PLACES times."""
        found: list[int] = []
        at = -1
        for _ in range(_MAX_PLACES if word else 0):
            at = self._text.find(f" {word}", at + 1, self._end)
            if at < 0:
                break
            if not self._text[at + 1 + len(word) : at + 2 + len(word)].isalnum():
                found.append(at + 1)
        return found

    def _word_before(self, at: int) -> str:
        return (self._text[max(0, at - 40) : at - 1].split() or [""])[-1]

    def _word_after(self, at: int, word: str) -> str:
        following = self._text[at + len(word) : at + len(word) + 40]
        return (following.split() or [""])[0] if following[:1].isspace() else ""


def _is_of_group(codes: Sequence[int], place: int) -> bool:
    """Return whether the name that begins at a token has a word that persons' names do not have."""
    for code in codes[place : place + _MAX_NAME_TOKENS]:
        if not code & TokenClass.NAME:
            return False
        if code & _NO_PERSON:
            return True
        if code & TokenClass.COMMA:
            return False
    return False


def bare_name(token: str) -> str:
    """Return a token without the marks around it and without the possessive."""
    word = token.strip(_EDGES)
    for ending in _POSSESSIVES:
        word = word.removesuffix(ending)
    return word
