"""Mentions: the words of a sentence that lean on the sentences before it (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from service.text.references.words import PRONOUN, Opening, ReferenceWords, TokenClass, plain_word

MAX_TOKENS = 120  # read of a sentence; a longer one is no sentence
_DUMMY_REACH = 6  # tokens after a pronoun that may show that it means nothing
_NOUN_REACH = 3  # tokens after a comma in which the noun of an earlier pronoun stands
_ADVERBIAL_REACH = 7  # tokens of a phrase before the sentence proper: "In a statement,"
_TOKEN = re.compile(r"\S+")

_MAX_PRONOUNS = 4  # of a sentence; one further on has its noun before it
_BEGINNING = TokenClass.OPENING | TokenClass.THIS | TokenClass.THAT | TokenClass.OPENS
_THINGS = TokenClass.IT | TokenClass.THEY


class Leaning(NamedTuple):
    """What in a sentence leans on the sentences before it.

    `link_end` is the number of tokens of a connective that may be cut, 0 without one. `pronoun` is the place
    of a pronoun without its noun, -1 without one. `phrase` says that the sentence begins with another phrase
    that leans, `speaker` that it is a quotation without its speaker.
    """

    link_end: int = 0
    pronoun: int = -1
    phrase: bool = False
    speaker: bool = False

    @property
    def leans(self) -> bool:
        """Return whether anything leans."""
        return bool(self.link_end) or self.pronoun >= 0 or self.phrase or self.speaker

    @property
    def only_link(self) -> bool:
        """Return whether the sentence stands alone without its connective."""
        return bool(self.link_end) and self.pronoun < 0 and not self.phrase and not self.speaker


NOTHING = Leaning()


class SentenceReader:
    """Reads the sentences of one text. `lead` are the stems of the words in its first sentence."""

    def __init__(self, text: str, words: ReferenceWords, lead: frozenset[str]) -> None:
        self._text = text
        self._words = words
        self._lead = lead

    def read(self, tokens: Sequence[str]) -> Leaning:
        """Return what leans in the sentence."""
        codes = list(map(self._words.__getitem__, tokens[:MAX_TOKENS]))
        if not codes or (max(codes) < TokenClass.HE and not codes[0] & _BEGINNING):
            return NOTHING
        link, opening, length = 0, 0, 0
        if codes[0] & TokenClass.OPENING:
            opening, length = self._opening(tokens, 0)
            while opening in (Opening.CUT, Opening.CUT_BEFORE_COMMA):
                link += length
                opening, length = self._opening(tokens, link)
        phrase = opening == Opening.LEANS or (not opening and self._points_back(tokens, codes, link))
        quotations = _quotations(codes)
        pronoun = self._unresolved(tokens, codes, link, link + length, quotations)
        return Leaning(link, pronoun, phrase, quotations is not None and min(quotations) >= 0)

    def _opening(self, tokens: Sequence[str], first: int) -> tuple[int, int]:
        """Return what the phrase at a token says, and how many tokens it has."""
        if first >= len(tokens) or not self._words[tokens[first]] & TokenClass.OPENING:
            return 0, 0
        openings = self._words.openings
        begin = plain_word(tokens[first])
        longest = min(self._words.longest[begin], len(tokens) - first - 1)
        words = (begin, *map(plain_word, tokens[first + 1 : first + longest]))
        for length in range(longest, 0, -1):
            found = openings.get(words[:length])
            if self._words[tokens[first + length - 1]] & TokenClass.COMMA:
                found = openings.get((*words[:length], ""), found)
            if found is not None:
                return found, length
        return 0, 0

    def _points_back(self, tokens: Sequence[str], codes: Sequence[int], first: int) -> bool:
        """Return whether the sentence begins with a demonstrative whose noun is not in the lead."""
        if not codes[first] & (TokenClass.THIS | TokenClass.THAT) or codes[first] & TokenClass.OPENS:
            return False
        following = codes[first + 1 : first + 4]
        if codes[first] & TokenClass.THIS and any(code & TokenClass.TIME for code in following[:2]):
            return False
        return not any(stem_of(token) in self._lead for token in tokens[first + 1 : first + 3])

    def _unresolved(
        self,
        tokens: Sequence[str],
        codes: Sequence[int],
        first: int,
        after: int,
        quotations: Sequence[int] | None,
    ) -> int:
        """Return the place of the first pronoun without its noun, else -1.

        `first` is the first token, `after` the one behind an opening phrase.
        """
        pronouns = [place for place, code in enumerate(codes) if code >= TokenClass.HE and place >= after]
        for place in pronouns[:_MAX_PRONOUNS]:
            begin = quotations[place] if quotations else -1
            is_quoted = begin >= 0
            kinds = codes[place] & PRONOUN
            is_personal = not kinds & _THINGS
            if is_quoted and not is_personal and not kinds & TokenClass.THEY:
                continue  # "It's a victory": what the speaker means is the matter of the article
            places: Sequence[int] = range(max(begin, first), place)
            if quotations and not is_quoted:
                places = [k for k in places if quotations[k] < 0]
            if self._is_named(tokens, codes, places, is_personal=is_personal):
                if is_personal and not is_quoted:
                    return -1
                continue
            if codes[place] & TokenClass.DUMMY and _is_dummy(codes, place):
                continue
            if not self._noun_follows(tokens, codes, first, place, is_personal=is_personal):
                return place
        return -1

    def _is_named(
        self, tokens: Sequence[str], codes: Sequence[int], places: Sequence[int], *, is_personal: bool
    ) -> bool:
        """Return whether the tokens at the places name a person, or anything if that is enough."""
        is_name = False
        named = 0
        for place in places:
            code = codes[place]
            if code & (TokenClass.PERSON | TokenClass.TITLE):
                return True
            if code & TokenClass.NAME and not code & (TokenClass.SMALL | TokenClass.TIME):
                is_person, is_name = self._is_person(tokens, codes, places[0], place, after_name=is_name)
                if is_person:
                    return True
                named |= code
            else:
                named |= code & TokenClass.NOUN
                is_name = False
            if code & TokenClass.COMMA and codes[places[0]] & TokenClass.PLACE and place < _ADVERBIAL_REACH:
                named = 0
        return bool(named) and not is_personal

    def _noun_follows(
        self, tokens: Sequence[str], codes: Sequence[int], first: int, place: int, *, is_personal: bool
    ) -> bool:
        """Return whether the noun follows its pronoun: "After his arrest, Holm said"."""
        if not codes[first] & TokenClass.BEFORE or place == first:
            return False
        comma = next((k for k in range(place, len(codes)) if codes[k] & TokenClass.COMMA), len(codes))
        places = range(comma + 1, min(comma + 1 + _NOUN_REACH, len(codes)))
        before_pronoun = next((n for n, k in enumerate(places) if codes[k] & PRONOUN), len(places))
        return self._is_named(tokens, codes, places[:before_pronoun], is_personal=is_personal)

    def _is_person(
        self, tokens: Sequence[str], codes: Sequence[int], first: int, place: int, *, after_name: bool
    ) -> tuple[bool, bool]:
        """Return whether a capitalised token is a person's name, and whether it is another name."""
        if codes[place] & (TokenClass.GROUP | TokenClass.CAPITALS) or after_name:
            return False, True
        before = codes[place - 1] if place > first else 0
        if before & TokenClass.PLACE or (place > first and plain_word(tokens[place - 1]) == "the"):
            return False, True
        is_person = place > first or self._begins_with_name(tokens, codes, place)
        return is_person, not is_person

    def _begins_with_name(self, tokens: Sequence[str], codes: Sequence[int], place: int) -> bool:
        """Return whether the first word of a sentence, which has a capital anyway, is a name."""
        if place + 1 < len(codes) and codes[place + 1] & TokenClass.NAME:
            return not codes[place + 1] & TokenClass.GROUP
        word = tokens[place].strip(",.;:'’\"“”")
        at = self._text.find(f" {word}")
        for _ in range(4):
            if at < 0:
                return False
            before = self._text[at - 1 : at]
            if before.isalnum() or before == ",":
                return True
            at = self._text.find(f" {word}", at + 1)
        return False


def _quotations(codes: Sequence[int]) -> list[int] | None:
    """Return for each token where the quotation that has it begins, -1 outside; None without a quotation."""
    if not any(code & TokenClass.OPENS for code in codes):
        return None
    begins, begin = [], -1
    for place, code in enumerate(codes):
        if code & TokenClass.OPENS and begin < 0:
            begin = place
        begins.append(begin)
        if code & TokenClass.CLOSES:
            begin = -1
    return begins


def _is_dummy(codes: Sequence[int], place: int) -> bool:
    """Return whether a pronoun means nothing: "it is unclear whether"."""
    return any(code & TokenClass.EMPTY for code in codes[place + 1 : place + 1 + _DUMMY_REACH])


def stem_of(token: str) -> str:
    """Return the first letters of a word, to compare it with the lead."""
    return plain_word(token).removesuffix("'s")[:6]


def lead_stems(tokens: Sequence[str], words: ReferenceWords) -> frozenset[str]:
    """Return the stems of the words of the lead that name something."""
    return frozenset(
        stem_of(token) for token in tokens if len(token) > 3 and not words[token] & TokenClass.SMALL
    )


def token_start(text: str, start: int, end: int, place: int) -> int:
    """Return where a token of `text[start:end]` starts; `start` if there are not so many."""
    for number, found in enumerate(_TOKEN.finditer(text, start, end)):
        if number == place:
            return found.start()
    return start
