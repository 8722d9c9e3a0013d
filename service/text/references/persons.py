"""Persons: whether a sentence names one person, and with which words (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from service.text.references.names import NOT_A_NAME, PersonNames, bare_name
from service.text.references.words import TokenClass

_TITLED = TokenClass.TITLE | TokenClass.PERSON
_NO_PERSON = TokenClass.GROUP | TokenClass.CAPITALS | TokenClass.NUMBER
_GENDERS = TokenClass.MALE | TokenClass.FEMALE
_MAX_AGE_DIGITS = 3
_MAX_APPOSITION = 10  # tokens
_MAX_INITIAL = 3  # characters with the full stop: "F.", "Jr."


class NamedPerson(NamedTuple):
    """A person in a sentence: the places of the first and last token of the name, -1 for a noun alone.

    `gender` has the classes MALE or FEMALE if the words show it. `is_sure` is false for a name that may be
    that of something else; `speaks` is true if a verb of speech stands beside it.
    """

    first: int
    last: int
    gender: int = 0
    is_sure: bool = True
    speaks: bool = False


def persons_named(tokens: Sequence[str], codes: Sequence[int], names: PersonNames) -> list[NamedPerson]:
    """Return the persons in a sentence, each once; a name's title, age and apposition belong to it."""
    found: list[NamedPerson] = []
    place = 0
    apposition_ends = -1
    while place < len(codes):
        if _begins_name(codes[place]):
            last = _end_of_name(tokens, codes, place)
            person = _person(tokens, codes, place, last, names)
            if person is not None:
                _add(found, person, tokens)
                if person.first >= 0 and codes[last] & TokenClass.COMMA:
                    apposition_ends = _next_comma(codes, last + 1)
            place = last + 1
        else:
            is_noun = codes[place] & TokenClass.PERSON and place > apposition_ends
            if is_noun and not _is_title(codes, place):
                found.append(NamedPerson(-1, place))
            place += 1
    return found


def _begins_name(code: int) -> bool:
    return bool(code & TokenClass.NAME and not code & NOT_A_NAME)


def _is_title(codes: Sequence[int], place: int) -> bool:
    """Return whether a noun stands directly before a name: "spokesman Anders Holm"."""
    is_followed = place + 1 < len(codes) and not codes[place] & TokenClass.COMMA
    return is_followed and _begins_name(codes[place + 1])


def _end_of_name(tokens: Sequence[str], codes: Sequence[int], place: int) -> int:
    last = place
    while (
        last + 1 < len(codes)
        and not codes[last] & (TokenClass.COMMA | TokenClass.CLOSES)
        and not tokens[last].endswith(("'s", "’s"))
        and not _ends_sentence(tokens[last], codes[last])
        and _begins_name(codes[last + 1])
    ):
        last += 1
    return last


def _ends_sentence(token: str, code: int) -> bool:
    """Return whether a sentence ends with a token: "Pugh.", but not "Mr." or "F."."""
    return token.endswith((".", "!", "?")) and len(token) > _MAX_INITIAL and not code & TokenClass.TITLE


def _next_comma(codes: Sequence[int], place: int) -> int:
    return next((k for k in range(place, len(codes)) if codes[k] & TokenClass.COMMA), len(codes))


def _person(
    tokens: Sequence[str], codes: Sequence[int], first: int, last: int, names: PersonNames
) -> NamedPerson | None:
    """Return the person that a row of capitalised tokens names; None if it names something else."""
    before = codes[first - 1] if first else 0
    titles = [place for place in range(first, last + 1) if codes[place] & TokenClass.TITLE]
    start = titles[-1] + 1 if titles else first
    is_titled = bool(titles or before & _TITLED)
    gender = before & _GENDERS if before & _TITLED else 0
    for place in titles:
        gender |= codes[place] & _GENDERS
    if start > last or (start == last and codes[last] & TokenClass.PERSON):
        return NamedPerson(-1, last, gender)
    if any(code & _NO_PERSON for code in codes[start : last + 1]):
        return NamedPerson(-1, last, gender) if is_titled else None
    is_described = is_titled or _has_age(tokens, codes, last) or _has_apposition(codes, last)
    if not is_described:
        if before & (TokenClass.PLACE | TokenClass.ARTICLE):
            return None
        if start == last and not names.may_be_person(tokens, codes, 0, start, after_name=False):
            return None
    speaks = _speaks(codes, first, last)
    is_sure = is_described or speaks or names.is_person(bare_name(tokens[last]))
    return NamedPerson(start, last, gender, is_sure, speaks)


def _speaks(codes: Sequence[int], first: int, last: int) -> bool:
    """Return whether a verb of speech stands beside a name."""
    if first and codes[first - 1] & TokenClass.SAID:
        return True
    is_followed = last + 1 < len(codes) and not codes[last] & TokenClass.COMMA
    return is_followed and codes[last + 1] & TokenClass.SAID > 0


def _has_age(tokens: Sequence[str], codes: Sequence[int], last: int) -> bool:
    """Return whether an age follows a name: "Anders Holm, 45,"."""
    if last + 1 >= len(codes) or not codes[last] & TokenClass.COMMA:
        return False
    age = bare_name(tokens[last + 1])
    return age.isdecimal() and len(age) <= _MAX_AGE_DIGITS


def _has_apposition(codes: Sequence[int], last: int) -> bool:
    """Return whether a noun for a person follows a name between commas: "Holm, the mayor of Bergen,"."""
    if not codes[last] & TokenClass.COMMA:
        return False
    end = _next_comma(codes, last + 1)
    is_short = end < len(codes) and end - last <= _MAX_APPOSITION
    return is_short and any(code & TokenClass.PERSON for code in codes[last + 1 : end + 1])


def _add(found: list[NamedPerson], person: NamedPerson, tokens: Sequence[str]) -> None:
    """Add a person, or what is new of one who is named already."""
    if person.first >= 0:
        surname = bare_name(tokens[person.last])
        for place, known in enumerate(found):
            if known.first >= 0 and bare_name(tokens[known.last]) == surname:
                found[place] = known._replace(
                    gender=known.gender | person.gender,
                    is_sure=known.is_sure or person.is_sure,
                    speaks=known.speaks or person.speaks,
                )
                return
    found.append(person)
