"""Leaning: what in a sentence leans on the sentences before it (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import NamedTuple

from service.text.references.names import PersonNames
from service.text.references.openings import DETERMINERS, Openings, points_at_noun
from service.text.references.pronouns import Pronouns, quotations_of, stands_alone
from service.text.references.words import PRONOUN, Opening, ReferenceWords, TokenClass

MAX_TOKENS = 120  # read of a sentence; a longer one is no sentence
MIN_CLAUSE_TOKENS = 4  # that stay behind a connective which is cut
MAX_SHORT_ANSWER_TOKENS = 6  # of an answer that says little without its question

_THAT = TokenClass.THAT
_SUBJECTS = (
    TokenClass.ARTICLE
    | TokenClass.NAME
    | TokenClass.NUMBER
    | TokenClass.PLURAL
    | TokenClass.PERSON
    | TokenClass.TITLE
    | TokenClass.SMALL
)
_QUESTION_MARKS = ("?", "؟", "？")
_AFTER_QUESTION = "\"”»’'"
_PREPOSITIONS = TokenClass.PHRASE | TokenClass.PLACE
_BEGINNING = TokenClass.WHOLE_OPENING | DETERMINERS | TokenClass.COUNT | TokenClass.SAID | TokenClass.OPENS


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
        return self != NOTHING

    @property
    def only_link(self) -> bool:
        """Return whether the sentence stands alone without its connective."""
        return self.leans and self._replace(link_end=0) == NOTHING

    @property
    def only_person(self) -> bool:
        """Return whether the sentence stands alone if it is said whom it means or who speaks."""
        return self.leans and not self.link_end and not self.phrase


NOTHING = Leaning()


class SentenceReader:
    """Reads the sentences of one text, whose first sentence has the tokens `lead`."""

    def __init__(self, text: str, words: ReferenceWords, lead: Sequence[str]) -> None:
        self.names = PersonNames(text, words)
        self._words = words
        self._openings = Openings(words, lead)
        self._pronouns = Pronouns(words, self.names)

    def codes_of(self, tokens: Sequence[str]) -> list[int]:
        """Return the classes of the tokens of a sentence."""
        return list(map(self._words.__getitem__, tokens[:MAX_TOKENS]))

    def read_first(self, tokens: Sequence[str]) -> Leaning:
        """Return what leans in the first sentence of a text, which has only the headline above it.

        A comparison or a quotation is understood there: "Another ferry sank".
        """
        codes = self.codes_of(tokens)
        phrase = self._openings.first_points_back(tokens, codes)
        return Leaning(pronoun=self._pronouns.first_unresolved(tokens, codes), phrase=phrase)

    def read(self, tokens: Sequence[str], before: Callable[[], Sequence[str]]) -> Leaning:
        """Return what leans in a later sentence; `before` gives the tokens of the one before it, if known."""
        codes = self.codes_of(tokens)
        classes = reduce(or_, codes, 0)  # few sentences have a token of the classes that are looked at
        if classes & TokenClass.CLOSES and _begins_inside(codes):
            return Leaning(phrase=True)
        has_that_noun = classes & _THAT > 0 and _has_that_noun(codes)
        if not codes or (
            not has_that_noun
            and not _may_point_back(codes)
            and (classes < TokenClass.HE or stands_alone(codes))
        ):
            return Leaning(phrase=self._openings.names_known(tokens, codes, before))
        link = 0
        opening, length = self._openings.phrase_at(tokens, 0)
        while opening in (Opening.CUT, Opening.CUT_BEFORE_COMMA):
            link += length
            opening, length = self._openings.phrase_at(tokens, link)
        phrase = (
            opening == Opening.LEANS
            or (not opening and self._openings.points_back(tokens, codes, link))
            or any(code & TokenClass.OPENS for code in codes[:link])  # half a quotation would stay behind
            or (
                (has_that_noun or classes >= TokenClass.THIS)
                and self._openings.names_again(tokens, codes, link)
            )
            or self._openings.names_known(tokens, codes, before)
            or (link > 0 and not self._is_clause(codes[link:]))
        )
        pronoun = self._pronouns.first_unresolved(tokens, codes, link, link + length)
        quotations = quotations_of(codes)
        is_quoted = quotations is not None and min(quotations[link:], default=-1) >= 0
        return Leaning(link, pronoun, phrase, is_quoted)

    def is_answer(self, tokens: Sequence[str], before: str) -> bool:
        """Return whether a sentence answers the one before it, which ends with the token `before`."""
        if not before.rstrip(_AFTER_QUESTION).endswith(_QUESTION_MARKS):
            return False
        codes = self.codes_of(tokens)
        if not codes:
            return False
        is_subject = codes[0] & (TokenClass.ARTICLE | PRONOUN)
        is_reply = codes[0] & (TokenClass.COMMA | TokenClass.BEFORE | TokenClass.SMALL) and not is_subject
        return bool(is_reply) or len(codes) <= MAX_SHORT_ANSWER_TOKENS

    def _is_clause(self, codes: Sequence[int]) -> bool:
        """Return whether the words behind a connective surely are a sentence with its subject.

        They are none if they begin with a preposition or a verb ("But for years", "Instead, stretch"), and
        they may have lost a part of a name before a comma and a verb of speech.
        """
        if len(codes) < MIN_CLAUSE_TOKENS:
            return False
        begin = codes[0]
        commas = [place for place, code in enumerate(codes[:-1]) if code & TokenClass.COMMA]
        if commas and codes[commas[0] + 1] & TokenClass.SAID:
            return False
        if begin & TokenClass.BEFORE and not begin & (TokenClass.ARTICLE | TokenClass.PHRASE):
            return bool(commas)  # "If it rains, the game"
        if begin & (_PREPOSITIONS | TokenClass.BEFORE) and not begin & TokenClass.ARTICLE:
            return False
        return bool(begin & _SUBJECTS or not self._words.has_articles)


def may_end_question(mark: str) -> bool:
    """Return whether a sentence that ends with this character may be a question."""
    return mark in _QUESTION_MARKS or mark in _AFTER_QUESTION or mark.isspace()


def _begins_inside(codes: Sequence[int]) -> bool:
    """Return whether a sentence begins inside a quotation: `you must be joking," she said`."""
    for code in codes:
        if code & TokenClass.OPENS:
            return False
        if code & TokenClass.CLOSES and not code & TokenClass.NUMBER:  # "6 ft 2\""
            return True
    return False


def _has_that_noun(codes: Sequence[int]) -> bool:
    return any(points_at_noun(before, code) for before, code in pairwise(codes) if code & _THAT)


def _may_point_back(codes: Sequence[int]) -> bool:
    """Return whether the first two words may lean on the sentence before."""
    first, second = codes[0], codes[1] if len(codes) > 1 else 0
    is_determined = first & (TokenClass.PHRASE | TokenClass.BEFORE | TokenClass.ARTICLE)
    return bool(
        first & _BEGINNING
        or (first & TokenClass.OPENING and second & TokenClass.SECOND)
        or (is_determined and second & (DETERMINERS | TokenClass.COUNT))
    )
