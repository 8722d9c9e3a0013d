"""Mentions: the words of a sentence that lean on the sentences before it (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from service.core.model import TextSpan
from service.text.references.names import NOT_A_NAME, PersonNames
from service.text.references.words import PRONOUN, Opening, ReferenceWords, TokenClass, plain_word

MAX_TOKENS = 120  # read of a sentence; a longer one is no sentence
_DUMMY_REACH = 5  # tokens after a pronoun that may show that it means nothing
_CLAUSE_REACH = 10  # tokens in which the first clause ends before a demonstrative
_NOUN_REACH = 3  # tokens after a comma in which the noun of an earlier pronoun stands
_ADVERBIAL_REACH = 7  # tokens of a phrase before the sentence proper: "In a statement,"
_TOKEN = re.compile(r"\S+")

_MAX_PRONOUNS = 4  # of a sentence; one further on has its noun before it
_DETERMINERS = TokenClass.THIS | TokenClass.THAT | TokenClass.OTHER
_BEGINNING = TokenClass.WHOLE_OPENING | _DETERMINERS | TokenClass.COUNT | TokenClass.OPENS
_PERSONS = TokenClass.PERSON | TokenClass.TITLE
_NAMES = TokenClass.NOUN | TokenClass.NAME
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
        self.names = PersonNames(text, words)
        self._words = words
        self._lead = lead

    def read_first(self, tokens: Sequence[str]) -> Leaning:
        """Return what leans in the first sentence of a text, which has only the headline above it.

        A comparison or a quotation is understood there: "Another ferry sank".
        """
        codes = list(map(self._words.__getitem__, tokens[:MAX_TOKENS]))
        phrase = self._lacks_noun(tokens, codes, 0, TokenClass.THIS | TokenClass.THAT, frozenset())
        return Leaning(0, self._unresolved(tokens, codes, 0, 0, quotations_of(codes)), phrase)

    def read(self, tokens: Sequence[str]) -> Leaning:
        """Return what leans in the sentence."""
        codes = list(map(self._words.__getitem__, tokens[:MAX_TOKENS]))
        if not codes or _stands_alone(codes):
            return NOTHING
        link, opening, length = 0, 0, 0
        if codes[0] & TokenClass.OPENING:
            opening, length = self._opening(tokens, 0)
            while opening in (Opening.CUT, Opening.CUT_BEFORE_COMMA):
                link += length
                opening, length = self._opening(tokens, link)
        phrase = opening == Opening.LEANS or (not opening and self._points_back(tokens, codes, link))
        quotations = quotations_of(codes)
        pronoun = -1
        if max(codes) >= TokenClass.HE:
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
        """Return whether the sentence begins with a demonstrative or comparison without its noun."""
        if first + 1 >= len(codes) or codes[first] & TokenClass.OPENS:
            return False
        if codes[first] & TokenClass.COUNT and codes[first + 1] & TokenClass.SAID:
            return True
        if codes[first] & (TokenClass.ARTICLE | TokenClass.PHRASE):
            pointing = (
                _DETERMINERS if codes[first] & TokenClass.PHRASE else TokenClass.OTHER | TokenClass.COUNT
            )
            return self._lacks_noun(tokens, codes, first + 1, pointing)
        if self._lacks_noun(tokens, codes, first, _DETERMINERS):
            return True
        near = codes[first : first + _CLAUSE_REACH]
        comma = next((n for n, code in enumerate(near) if code & TokenClass.COMMA), len(near))
        if comma < len(near) and near[comma] & (TokenClass.THIS | TokenClass.THAT):
            return True  # "Apart from this, ..."
        return self._lacks_noun(tokens, codes, first + comma + 1, TokenClass.THIS)

    def _lacks_noun(
        self,
        tokens: Sequence[str],
        codes: Sequence[int],
        place: int,
        pointing: int,
        lead: frozenset[str] | None = None,
    ) -> bool:
        """Return whether a word points at something that neither the lead nor the word after it names."""
        if place >= len(codes) or not codes[place] & pointing or codes[place] & TokenClass.OPENS:
            return False
        following = codes[place + 1 : place + 3]
        if codes[place] & TokenClass.THIS and any(code & TokenClass.TIME for code in following):
            return False
        if not codes[place] & (TokenClass.THIS | TokenClass.THAT) and any(
            code & TokenClass.NAME for code in following[:1]
        ):
            return False  # "Both Holm and Berg", "Other Democrats"
        known = self._lead if lead is None else lead
        return not any(stem_of(token) in known for token in tokens[place + 1 : place + 3])

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
        pronouns = [place for place, code in enumerate(codes) if code & PRONOUN and place >= after]
        for place in pronouns[:_MAX_PRONOUNS]:
            begin = quotations[place] if quotations else -1
            is_quoted = begin >= 0
            kinds = codes[place] & PRONOUN
            is_personal = not kinds & _THINGS or is_speaker(codes, place)
            if is_quoted and begin > first and not codes[begin - 1] & (TokenClass.COMMA | TokenClass.SAID):
                begin, is_quoted = first, False  # a part of the sentence in marks: he called Holm "a friend"
            if is_quoted and not is_personal and not kinds & TokenClass.THEY:
                continue  # "It's a victory": what the speaker means is the matter of the article
            places: Sequence[int] = range(max(begin, first), place)
            if quotations and quotations[place] < 0:
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
        named, is_name = 0, False
        for place in places:
            code = codes[place]
            if code & _PERSONS:
                return True
            if code & TokenClass.NAME and not code & NOT_A_NAME:
                if self.names.may_be_person(tokens, codes, places[0], place, after_name=is_name):
                    return True
                is_name = not code & TokenClass.COMMA
                named |= code
            else:
                named |= code & TokenClass.NOUN
                is_name = False
            if code & TokenClass.COMMA and place < _ADVERBIAL_REACH and _is_adverbial(codes[places[0]]):
                named = 0
        return bool(named) and not is_personal

    def _noun_follows(
        self, tokens: Sequence[str], codes: Sequence[int], first: int, place: int, *, is_personal: bool
    ) -> bool:
        """Return whether the noun follows its pronoun: "After his arrest, Holm said"."""
        is_clause = codes[first] & TokenClass.BEFORE or _is_adverbial(codes[first])
        if not is_clause or place == first:
            return False
        comma = next((k for k in range(first, len(codes)) if codes[k] & TokenClass.COMMA), len(codes))
        if comma < place or comma + 1 >= len(codes):
            return False
        if (
            codes[comma + 1] & (TokenClass.SMALL | TokenClass.BEFORE)
            and not codes[comma + 1] & TokenClass.ARTICLE
        ):
            return False
        places = range(comma + 1, min(comma + 1 + _NOUN_REACH, len(codes)))
        before_pronoun = next((n for n, k in enumerate(places) if codes[k] & PRONOUN), len(places))
        return self._is_named(tokens, codes, places[:before_pronoun], is_personal=is_personal)


def _is_adverbial(code: int) -> bool:
    """Return whether a sentence that begins so has a phrase without its subject before the first comma.

    "In a statement, it said", "Founded in 1962, it grew"; but "When the company grew, it" has its noun.
    """
    if code & TokenClass.BEFORE:
        return bool(code & TokenClass.PHRASE)
    return not code & TokenClass.ARTICLE and not code & TokenClass.SMALL


def is_speaker(codes: Sequence[int], place: int) -> bool:
    """Return whether a verb of speech stands beside a pronoun that may mean a person."""
    near = codes[max(0, place - 1) : place + 2]
    is_person = codes[place] & (TokenClass.HE | TokenClass.SHE)
    return bool(is_person and any(code & TokenClass.SAID for code in near))


def _stands_alone(codes: Sequence[int]) -> bool:
    """Return whether nothing leans in a sentence, judged at a glance; most sentences are such."""
    first, highest = codes[0], max(codes)
    second = codes[1] if len(codes) > 1 else 0
    if (
        first & _BEGINNING
        or (first & TokenClass.OPENING and second & TokenClass.SECOND)
        or (first & (TokenClass.PHRASE | TokenClass.ARTICLE) and second & (_DETERMINERS | TokenClass.COUNT))
    ):
        return False
    if highest < TokenClass.HE:
        return True
    seen = code = 0
    for code in codes:
        if code & (PRONOUN | TokenClass.THIS):
            break
        seen |= code
    else:
        return True
    if highest >= TokenClass.THIS:
        return False
    names_thing = seen & _NAMES and code & _THINGS and not _is_adverbial(first)
    return bool(seen & _PERSONS or names_thing)


def quotations_of(codes: Sequence[int]) -> list[int] | None:
    """Return for each token where the quotation that has it begins, -1 outside; None without a quotation."""
    if max(codes, default=0) < TokenClass.OPENS:
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
    for code in codes[place + 1 : place + 1 + _DUMMY_REACH]:
        if code & TokenClass.EMPTY:
            return True
        if code & PRONOUN:
            break
    return False


def stem_of(token: str) -> str:
    """Return the first letters of a word, to compare it with the lead."""
    return plain_word(token).removesuffix("'s")[:6]


def lead_stems(tokens: Sequence[str], words: ReferenceWords) -> frozenset[str]:
    """Return the stems of the words of the lead that name something."""
    return frozenset(
        stem_of(token) for token in tokens if len(token) > 3 and not words[token] & TokenClass.SMALL
    )


def token_spans(text: str, start: int, end: int) -> list[TextSpan]:
    """Return where the tokens of `text[start:end]` are."""
    return [TextSpan(*found.span()) for found in _TOKEN.finditer(text, start, end)]
