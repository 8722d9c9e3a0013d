"""Pronouns: the first one in a sentence whose noun is not in the sentence (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from service.text.references.names import NOT_A_NAME, PersonNames
from service.text.references.words import PRONOUN, ReferenceWords, TokenClass

_MAX_PRONOUNS = 4  # of a sentence; one further on has its noun before it
_DUMMY_REACH = 5  # tokens after a pronoun that may show that it means nothing
_NOUN_REACH = 3  # tokens after a comma in which the noun of an earlier pronoun stands
_MAX_ASIDES = 3  # commas behind which the noun of an earlier pronoun is looked for
_PHRASE_REACH = 4  # tokens of a phrase that a pronoun follows without a comma: "In the end they"
_ADVERBIAL_REACH = 7  # tokens of a phrase before the sentence proper: "In a statement,"
_SPEECH_REACH = 2  # tokens from a pronoun to its verb of speech: "il a dit"

PERSONAL = TokenClass.HE | TokenClass.SHE
_THINGS = TokenClass.IT | TokenClass.THEY
_PERSONS = TokenClass.PERSON | TokenClass.TITLE
_NOUN_STARTS = (
    TokenClass.ARTICLE
    | TokenClass.NAME
    | TokenClass.NUMBER
    | TokenClass.PLURAL
    | TokenClass.PERSON
    | TokenClass.TITLE
)
_AFTER_SPEECH = TokenClass.PHRASE | TokenClass.PLACE | TokenClass.TIME
_NAMES = TokenClass.NOUN | TokenClass.NAME


class Pronouns:
    """Looks for the nouns of the pronouns in the sentences of one text."""

    def __init__(self, words: ReferenceWords, names: PersonNames) -> None:
        self._words = words
        self._names = names

    def first_unresolved(
        self, tokens: Sequence[str], codes: Sequence[int], first: int = 0, after: int = 0
    ) -> int:
        """Return the place of the first pronoun without its noun, else -1.

        `first` is the first token of the sentence, `after` the one behind a phrase whose words do not count.
        """
        if max(codes, default=0) < TokenClass.HE:
            return -1
        quotations = quotations_of(codes)
        pronouns = [place for place, code in enumerate(codes) if code & PRONOUN and place >= after]
        for place in pronouns[:_MAX_PRONOUNS]:
            begin = quotations[place] if quotations else -1
            if begin > first and not codes[begin - 1] & (TokenClass.COMMA | TokenClass.SAID):
                begin = -1  # words of the sentence itself in marks: he called Holm "a friend"
            if begin >= 0 and not codes[place] & (PERSONAL | TokenClass.THEY):
                continue  # "It's a victory": what the speaker means is the matter of the article
            places: Sequence[int] = range(max(begin, first), place)
            if quotations and quotations[place] < 0:
                places = [k for k in places if quotations[k] < 0]
            if self._words.has_objects and _begins_clause(codes, place):
                places = places[:-1]
            if self._has_noun(tokens, codes, first, place, places):
                if begin < 0 and is_personal(codes, place):
                    return -1
            else:
                return place
        return -1

    def _has_noun(
        self, tokens: Sequence[str], codes: Sequence[int], first: int, place: int, places: Sequence[int]
    ) -> bool:
        """Return whether the noun of a pronoun stands at one of the places or after it, or it needs none."""
        needs_person = is_personal(codes, place)
        if needs_person and _ends_report(codes, place):
            return False
        return (
            self._is_named(tokens, codes, places, needs_person=needs_person, is_one=_is_one(codes[place]))
            or (codes[place] & TokenClass.DUMMY and _is_dummy(codes, place))
            or self._noun_follows(tokens, codes, first, place, needs_person=needs_person)
        )

    def _is_named(
        self,
        tokens: Sequence[str],
        codes: Sequence[int],
        places: Sequence[int],
        *,
        needs_person: bool,
        is_one: bool = False,
    ) -> bool:
        """Return whether the tokens at the places name a person, or anything if that is enough.

        `is_one` says that a plural is not enough: "Officials said it was safe".
        """
        named, is_name = 0, False
        for place in places:
            code = codes[place]
            if is_one and code & TokenClass.PLURAL:
                continue
            if code & _PERSONS:
                return True
            if code & TokenClass.NAME and not code & NOT_A_NAME:
                if self._names.may_be_person(tokens, codes, places[0], place, after_name=is_name):
                    return True
                is_name = not code & TokenClass.COMMA
                named |= code
            else:
                named |= code & TokenClass.NOUN
                is_name = False
        return bool(named) and not needs_person and not self._are_adverbial(codes, places)

    def _are_adverbial(self, codes: Sequence[int], places: Sequence[int]) -> bool:
        """Return whether the tokens are a phrase without a subject: "In a statement," "Founded in 1962,"."""
        begin, last = codes[places[0]], places[-1]
        is_short = begin & TokenClass.PHRASE and last - places[0] < _PHRASE_REACH
        if is_short and not any(codes[k] & TokenClass.NAME for k in places[1:]):
            return True  # "In the end they"
        if not codes[last] & TokenClass.COMMA or any(codes[k] & TokenClass.COMMA for k in places[:-1]):
            return False
        is_participle = begin & TokenClass.BEFORE > 0 and last == places[0] + 1  # "If treated,"
        is_near = last < _ADVERBIAL_REACH or begin & TokenClass.PHRASE
        return is_participle or (bool(is_near) and self._begins_adverbial(begin))

    def _begins_adverbial(self, code: int) -> bool:
        """Return whether a sentence that begins so has its subject behind the first comma.

        "When the company grew, it" has its noun before. Where nouns need no article, any may begin so.
        """
        if code & TokenClass.BEFORE or not self._words.has_articles:
            return bool(code & TokenClass.PHRASE)
        return not code & (TokenClass.ARTICLE | TokenClass.SMALL)

    def _noun_follows(
        self, tokens: Sequence[str], codes: Sequence[int], first: int, place: int, *, needs_person: bool
    ) -> bool:
        """Return whether the noun follows its pronoun behind a comma: "After his arrest, Holm"."""
        if place == first or not (codes[first] & TokenClass.BEFORE or self._begins_adverbial(codes[first])):
            return False
        commas = [k for k in range(first, len(codes)) if codes[k] & TokenClass.COMMA]
        if not commas or commas[0] < place:
            return False
        # Behind the first comma may stand an aside: "In his letter, published on Monday, Holm".
        for comma in commas[: _MAX_ASIDES if needs_person else 1]:
            if comma + 1 == len(codes) or codes[comma + 1] & PRONOUN:
                return False
            if self._is_named_at(tokens, codes, comma + 1, needs_person=needs_person):
                return True
        return False

    def _is_named_at(
        self, tokens: Sequence[str], codes: Sequence[int], first: int, *, needs_person: bool
    ) -> bool:
        """Return whether a clause that begins at a token begins with the noun of a pronoun before it."""
        places = range(first, min(first + _NOUN_REACH, len(codes)))
        if not places or _goes_on(codes[first]):
            return False
        if self._words.has_articles and not codes[first] & _NOUN_STARTS:
            return False
        before_pronoun = next((n for n, k in enumerate(places) if codes[k] & PRONOUN), len(places))
        return self._is_named(tokens, codes, places[:before_pronoun], needs_person=needs_person)


def stands_alone(codes: Sequence[int]) -> bool:
    """Return whether no pronoun or later demonstrative leans, judged at a glance; so it is in most sentences.

    False says that a closer look is needed.
    """
    highest = max(codes)
    if highest < TokenClass.HE:
        return True
    seen = code = before = 0
    for code in codes:
        if code & (PRONOUN | TokenClass.THIS):
            break
        seen |= code if code & TokenClass.NOUN else code & ~TokenClass.NAME
        before = code
    else:
        return True
    if highest >= TokenClass.THIS:
        return False
    if before & TokenClass.PERSON and code & PERSONAL:
        return False
    is_late = codes[0] & TokenClass.PHRASE or before & TokenClass.COMMA
    is_late = is_late or (_is_one(code) and seen & TokenClass.PLURAL)
    is_named = seen & _PERSONS or (seen & _NAMES and code & _THINGS and not is_late)
    may_end_report = any(a & TokenClass.COMMA and b & PERSONAL for a, b in pairwise(codes))
    return bool(is_named) and not may_end_report


def _begins_clause(codes: Sequence[int], place: int) -> bool:
    """Return whether a pronoun begins a clause on the noun before it, not meant by it: "the man he met"."""
    before, code = codes[place - 1] if place else 0, codes[place]
    is_subject = code & PERSONAL and not code & TokenClass.OBJECT
    return bool(is_subject and before & TokenClass.PERSON) and not before & (
        TokenClass.NAME | TokenClass.COMMA
    )


def _is_one(code: int) -> bool:
    """Return whether a pronoun means one thing."""
    return code & PRONOUN == TokenClass.IT


def is_personal(codes: Sequence[int], place: int) -> bool:
    """Return whether a pronoun means one person: "he", or "il" beside a verb of speech."""
    return bool(codes[place] & PERSONAL) and (not codes[place] & _THINGS or speaks(codes, place))


def _ends_report(codes: Sequence[int], place: int) -> bool:
    """Return whether a pronoun says who spoke the words before it: "The roof is unsafe, he said"."""
    if place == 0 or codes[place - 1] & TokenClass.COMMA == 0 or codes[place - 1] & TokenClass.SAID:
        return False
    said = next((k for k in range(place, place + 1 + _SPEECH_REACH) if _is_said(codes, k)), -1)
    if said < 0:
        return False
    following = codes[said + 1] if said + 1 < len(codes) else TokenClass.COMMA
    ends = codes[said] & TokenClass.COMMA or following & (_AFTER_SPEECH | TokenClass.COMMA)
    return said + 1 == len(codes) or bool(ends)


def _is_said(codes: Sequence[int], place: int) -> bool:
    return place < len(codes) and codes[place] & TokenClass.SAID > 0


def speaks(codes: Sequence[int], place: int) -> bool:
    """Return whether a verb of speech stands beside a token."""
    near = codes[max(0, place - 1) : place + 1 + _SPEECH_REACH]
    return any(code & TokenClass.SAID for code in near)


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


def _goes_on(code: int) -> bool:
    """Return whether a word behind a comma goes on with the clause before it: "and", "who"."""
    return bool(code & (TokenClass.SMALL | TokenClass.BEFORE) and not code & TokenClass.ARTICLE)


def _is_dummy(codes: Sequence[int], place: int) -> bool:
    """Return whether a pronoun means nothing: "it is unclear whether"."""
    nouns = 0
    for code in codes[place + 1 : place + 1 + _DUMMY_REACH]:
        if code & TokenClass.EMPTY:
            return True
        nouns += code & TokenClass.NOUN > 0  # an adverb may look like one: "not immediately clear"
        if code & (PRONOUN | TokenClass.ARTICLE | TokenClass.SAID) or nouns > 1:
            break
    return False
