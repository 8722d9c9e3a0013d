"""Openings: words at the start of a sentence that lean on the sentence before (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from service.text.references.pronouns import quotations_of
from service.text.references.words import MAX_PLAIN_WORDS, Opening, ReferenceWords, TokenClass, plain_word

_CLAUSE_REACH = 10  # tokens in which the first clause ends before a demonstrative
_STEM_CHARACTERS = 6  # of a word that is compared with those of the lead
_ADJECTIVE_REACH = 3  # tokens from a demonstrative to its noun
_MAX_ELIDED = 2  # letters of an article before its apostrophe: "l'", "un'"
_MIN_STEM_WORD = 4  # characters of a word of the lead

DETERMINERS = TokenClass.THIS | TokenClass.THAT | TokenClass.OTHER
_DEMONSTRATIVES = TokenClass.THIS | TokenClass.THAT
_BEFORE_NOUN = TokenClass.COUNT | TokenClass.OTHER | TokenClass.ARTICLE
_NOTHING_KNOWN: frozenset[str] = frozenset()


class Openings:
    """Reads the starts of the sentences of one text, whose first sentence has the tokens `lead`.

    What the lead names may be pointed at from anywhere: "This agreement".
    """

    def __init__(self, words: ReferenceWords, lead: Sequence[str]) -> None:
        self._words = words
        self._lead = frozenset(
            self._stem(token)
            for token in lead
            if len(token) >= _MIN_STEM_WORD and not words[token] & TokenClass.SMALL
        )

    def phrase_at(self, tokens: Sequence[str], first: int) -> tuple[int, int]:
        """Return what the longest listed phrase at a token says, and its number of tokens; 0 without one."""
        if first >= len(tokens) or not self._words[tokens[first]] & TokenClass.OPENING:
            return 0, 0
        begin = plain_word(tokens[first])
        longest = min(self._words.longest[begin], len(tokens) - first - 1)
        for length in range(1, longest):
            if self._words[tokens[first + length - 1]] & TokenClass.COMMA:
                longest = length
                break
        words = (begin, *map(plain_word, tokens[first + 1 : first + longest]))
        for length in range(longest, 0, -1):
            found = self._words.openings.get(words[:length])
            if self._words[tokens[first + length - 1]] & TokenClass.COMMA:
                found = self._words.openings.get((*words[:length], ""), found)
            if found is not None:
                return found, length
        return 0, 0

    def points_back(self, tokens: Sequence[str], codes: Sequence[int], first: int) -> bool:
        """Return whether the sentence begins with a demonstrative or comparison without its noun."""
        if first + 1 >= len(codes) or codes[first] & TokenClass.OPENS:
            return False
        begin = codes[first]
        if begin & (TokenClass.COUNT | TokenClass.SAID) and _lacks_speaker(begin, codes[first + 1]):
            return True
        if self._words.possessives and self._subject_points_back(tokens, codes, first + 1):
            return True
        if begin & (TokenClass.PHRASE | TokenClass.BEFORE):  # "In this case", "When this"
            pointing = DETERMINERS if begin & TokenClass.PHRASE else _DEMONSTRATIVES
            return self._lacks_noun(tokens, codes, first + 1, pointing) or self._points_back_later(
                tokens, codes, first
            )
        if begin & TokenClass.ARTICLE:  # "The other one"
            return self._lacks_noun(tokens, codes, first + 1, TokenClass.OTHER | TokenClass.COUNT)
        return self._lacks_noun(tokens, codes, first, DETERMINERS) or self._points_back_later(
            tokens, codes, first
        )

    def names_known(
        self, tokens: Sequence[str], codes: Sequence[int], before: Callable[[], Sequence[str]]
    ) -> bool:
        """Return whether the sentence begins with "the" and a noun that the one before has, not the lead."""
        for place in range(min(3, len(codes))):
            token, code = tokens[place], codes[place]
            if place == 0 and not code & TokenClass.DEFINITE:
                return False
            is_name = code & TokenClass.NAME and place and not self._words.nouns_have_capitals
            if code & TokenClass.NOUN and not is_name:
                noun = self._stem(token)
                return noun not in self._lead and any(self._stem(one) == noun for one in before())
        return False

    def names_again(self, tokens: Sequence[str], codes: Sequence[int], first: int) -> bool:
        """Return whether a demonstrative inside the sentence has a noun that was named before it.

        "He had little faith in such statements". What a quotation points at is the matter of its speaker.
        """
        quotations = quotations_of(codes)
        return any(
            self._points(codes, place)
            and (quotations is None or quotations[place] < 0)
            and not self._is_named_before(tokens, codes, first, place)
            and self._lacks_noun(tokens, codes, place, _DEMONSTRATIVES)
            for place in range(first + 1, len(codes) - 1)
        )

    def _points(self, codes: Sequence[int], place: int) -> bool:
        """Return whether a token is a demonstrative with a noun: "these two claims", "such a move"."""
        following = codes[place + 1 : place + 1 + _ADJECTIVE_REACH]
        is_that = points_at_noun(codes[place - 1], codes[place])
        if is_that and any(code & TokenClass.TIME for code in following):
            return False  # "at that time"
        if not is_that and not codes[place] & TokenClass.THIS:
            return False
        return bool(next((code for code in following if not code & _BEFORE_NOUN), 0) & TokenClass.NOUN)

    def _is_named_before(self, tokens: Sequence[str], codes: Sequence[int], first: int, place: int) -> bool:
        nouns = self._stems_behind(tokens, codes, place)
        return any(self._stem(token) in nouns for token in tokens[first:place])

    def first_points_back(self, tokens: Sequence[str], codes: Sequence[int]) -> bool:
        """Return whether the first sentence of a text begins with a demonstrative."""
        is_listed = self.phrase_at(tokens, 0)[0] == Opening.ALONE
        return not is_listed and self._lacks_noun(tokens, codes, 0, _DEMONSTRATIVES, _NOTHING_KNOWN)

    def _points_back_later(self, tokens: Sequence[str], codes: Sequence[int], first: int) -> bool:
        """Return whether there is a demonstrative at the first comma: "Apart from this, ..."."""
        near = codes[first : first + _CLAUSE_REACH]
        comma = next((n for n, code in enumerate(near) if code & TokenClass.COMMA), len(near))
        if comma < len(near) and near[comma] & _DEMONSTRATIVES:
            return True
        return self._lacks_noun(tokens, codes, first + comma + 1, TokenClass.THIS)

    def _lacks_noun(
        self,
        tokens: Sequence[str],
        codes: Sequence[int],
        place: int,
        pointing: int,
        lead: frozenset[str] | None = None,
    ) -> bool:
        """Return whether a word of the classes `pointing` is not explained by the words behind it."""
        if place >= len(codes) or not codes[place] & pointing or codes[place] & TokenClass.OPENS:
            return False
        following = codes[place + 1 : place + 3]
        if codes[place] & TokenClass.THIS and any(code & TokenClass.TIME for code in following):
            return False  # "This week"
        is_comparison = not codes[place] & _DEMONSTRATIVES
        if is_comparison and following and following[0] & TokenClass.NAME:
            return False  # "Both Holm and Berg", "Other Democrats"
        known = self._lead if lead is None else lead
        return known.isdisjoint(self._stems_behind(tokens, codes, place))

    def _subject_points_back(self, tokens: Sequence[str], codes: Sequence[int], place: int) -> bool:
        """Return whether the subject behind a verb is "this", or is "his" or "its"."""
        if codes[place] & (TokenClass.OPENS | TokenClass.SMALL):
            return False
        return self._words.is_possessed(tokens[place]) or self._lacks_noun(
            tokens, codes, place, _DEMONSTRATIVES
        )

    def _stems_behind(self, tokens: Sequence[str], codes: Sequence[int], place: int) -> set[str]:
        """Return the stems of the two words behind a demonstrative, within its clause."""
        ends = place + 1 < len(codes) and codes[place + 1] & TokenClass.COMMA
        return {self._stem(token) for token in tokens[place + 1 : place + (2 if ends else 3)]}

    def _stem(self, token: str) -> str:
        return _stem(token, self._words.proclitics)


@lru_cache(maxsize=MAX_PLAIN_WORDS)
def _stem(token: str, proclitics: tuple[str, ...]) -> str:
    word = plain_word(token).removesuffix("'s")
    article, mark, noun = word.partition("'")
    if mark and len(article) <= _MAX_ELIDED:
        word = noun
    found = next((mark for mark in proclitics if word.startswith(mark)), "")
    return word[len(found) : len(found) + _STEM_CHARACTERS]


def points_at_noun(before: int, code: int) -> bool:
    """Return whether a token is "that" behind a preposition, and so no conjunction: "to that request"."""
    return bool(code & TokenClass.THAT and before & (TokenClass.PHRASE | TokenClass.PLACE))


def _lacks_speaker(begin: int, following: int) -> bool:
    """Return whether somebody speaks who is not named: "One warned ...", or in Spanish "Dijo: ..."."""
    if begin & TokenClass.COUNT:
        return following & TokenClass.SAID > 0
    return bool(begin & TokenClass.COMMA or following & TokenClass.OPENS)
