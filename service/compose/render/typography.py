"""Typography: straight quotation marks and apostrophes as their language prints them (pure).

This is a step of the display only. Offsets, links and everything that is stored keep the verbatim text. Where
it is not clear what a mark does, and in code, it stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.languages import primary_language
from service.text.quotations import quotation_marks

APOSTROPHE = "’"
NO_BREAK_SPACE = "\u00a0"  # inside French marks; the narrow one is missing in many fonts of mail programs
GERESH, GERSHAYIM = "׳", "״"

_TYPESET = re.compile("[“”„«»]")
_STRAIGHT = re.compile("[\"']")
_CODE = re.compile(
    r"""`|=>|->|::|\w[(\[{]["']|[=+]\s?["']|["']\s?[=+}]|["']\)\s?;|["']:\s?["'\[{]|\\["']"""
    r"""|<\w+[ /][^<>"']{0,80}["']"""
)
_HEBREW = re.compile("[א-ת]")
_BEFORE_OPENING = frozenset("([{<¿¡—–-/:…«“„‚‘「『\"'")
_POSSESSIVE = frozenset("sSxXzZ")  # the boys' house
_ELISIONS = frozenset(
    {"n", "em", "tis", "twas", "til", "till", "cause", "bout", "round", "cos", "cuz"}
    | {"s", "t", "k", "n", "ne", "nen", "nem", "ner"}  # Dutch and German: 's morgens, 'ne
)
"""Words whose first letters an apostrophe replaces, in lower case."""
_WORD = re.compile(r"[^\W\d_]+")
_DECADE = re.compile(r"\d\ds?\b")


def typographic(text: str, language: str) -> str:
    """Return the text with the quotation marks and apostrophes of its language in place of straight ones."""
    if _STRAIGHT.search(text) is None or _CODE.search(text):
        return text
    shown = list(text)
    for place, mark in _replacements(text, primary_language(language)):
        shown[place] = mark
    return "".join(shown)


def _replacements(text: str, language: str) -> Iterator[tuple[int, str]]:
    """Yield the place of each mark that is clear, and what is shown there."""
    pairs, apostrophes = _roles(text)
    typeset = [found.start() for found in _TYPESET.finditer(text)]
    outer = list(zip(typeset[::2], typeset[1::2], strict=False))
    for start, end in pairs:
        is_inside = any(first < start and end < last for first, last in outer)
        opening, closing = quotation_marks(language, 1 if is_inside or text[start] == "'" else 0)
        yield start, f"«{NO_BREAK_SPACE}" if opening == "«" and language == "fr" else opening
        yield end, f"{NO_BREAK_SPACE}»" if closing == "»" and language == "fr" else closing
    for place in apostrophes:
        is_hebrew = place > 0 and _HEBREW.match(text[place - 1]) is not None
        if text[place] == "'":
            yield place, GERESH if is_hebrew else APOSTROPHE
        elif is_hebrew:
            yield place, GERSHAYIM


def _roles(text: str) -> tuple[list[tuple[int, int]], list[int]]:
    """Return the pairs of straight quotation marks, and the places of marks inside or beside words."""
    pairs: list[tuple[int, int]] = []
    apostrophes: list[int] = []
    opened: dict[str, int] = {}
    places = [found.start() for found in _STRAIGHT.finditer(text)]
    last_closing = max((at for at in places if text[at] == "'" and _closes(text, at)), default=-1)
    for place in places:
        mark = text[place]
        if _is_inside_word(text, place):
            apostrophes.append(place)
        elif _opens(text, place) and not (mark == "'" and _is_elision(text, place)) and mark not in opened:
            opened[mark] = place
        elif mark in opened and _closes(text, place) and not _is_possessive(text, place, last_closing):
            start = opened.pop(mark)
            pairs.append((start, place))
            if mark == '"' and opened.get("'", -1) > start:
                apostrophes.append(opened.pop("'"))  # it has no partner inside the quotation that ends
        elif mark == "'" and _is_beside_letter(text, place):
            apostrophes.append(place)
    if "'" in opened and _is_beside_letter(text, opened["'"]):
        apostrophes.append(opened["'"])
    return pairs, apostrophes


def _around(text: str, place: int) -> tuple[str, str]:
    return text[place - 1 : place] or " ", text[place + 1 : place + 2] or " "


def _is_inside_word(text: str, place: int) -> bool:
    """Return whether a letter is on one side of the mark and a letter or digit on the other."""
    before, after = _around(text, place)
    is_word = before.isalnum() and after.isalnum() and (before.isalpha() or after.isalpha())
    return is_word and (text[place] == "'" or _HEBREW.match(before) is not None)


def _is_beside_letter(text: str, place: int) -> bool:
    before, after = _around(text, place)
    return before.isalpha() or after.isalpha() or _DECADE.match(text, place + 1) is not None


def _opens(text: str, place: int) -> bool:
    before, after = _around(text, place)
    return (before.isspace() or before in _BEFORE_OPENING) and not after.isspace()


def _closes(text: str, place: int) -> bool:
    before, after = _around(text, place)
    return not before.isspace() and not after.isalnum()


def _is_elision(text: str, place: int) -> bool:
    word = _WORD.match(text, place + 1)
    return _DECADE.match(text, place + 1) is not None or (word is not None and word[0].lower() in _ELISIONS)


def _is_possessive(text: str, place: int, last_closing: int) -> bool:
    """Return whether the mark may be a plural's possessive, with another one left to end the quotation."""
    return text[place] == "'" and text[place - 1] in _POSSESSIVE and place < last_closing
