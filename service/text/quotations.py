"""Quotations: where quotation marks open and close, in the marks of any language (pure).

The same mark opens in one language and closes in another, and a straight mark does both. So a mark is
judged by what is open before it and by the characters beside it. Marks of one family (double, single,
angular ...) do not nest. Single marks are apostrophes too: one without a partner counts for nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from service.core.languages import primary_language
from service.text.scripts import IDEOGRAPH

MAX_LOST_CHARACTERS = 80  # of a quotation whose closing mark became a question mark

_FAMILIES = ('"“”„‟＂', "'‘’‚‛", "«»", "‹›", "「」｢｣", "『』", "〝〞〟")
QUOTATION_MARKS = "".join(_FAMILIES)
"""For a class of a pattern; the apostrophe is one of them."""
_DOUBLE, _SINGLE, _ANGULAR, _SINGLE_ANGULAR, *_CORNERS = _FAMILIES
MARKS_OF_LANGUAGES: Mapping[str, str] = {
    "en": "“”‘’",
    **dict.fromkeys(("de", "cs", "sk", "sl", "bg", "is", "lt", "et", "mk", "sq"), "„“‚‘"),
    **dict.fromkeys(("fr", "es", "it", "pt", "ca", "el", "ru", "uk", "be", "hy", "fa"), "«»“”"),
    **dict.fromkeys(("pl", "ro", "hu"), "„”«»"),
    "hr": "„”‚’",
    "ar": "«»“”",
    **dict.fromkeys(("nb", "nn", "no"), "«»‘’"),
    "da": "»«›‹",
    **dict.fromkeys(("sv", "fi", "he"), "””’’"),
    "ja": "「」『』",
}
"""The outer and the inner quotation marks of a language, mostly those of Unicode CLDR (`delimiters`)."""

_FAMILY = {mark: family for family in _FAMILIES for mark in family}
_MARK = re.compile(  # one class of characters first, which `re` finds fast
    rf"[{QUOTATION_MARKS}?](?:(?<![{_SINGLE}?])|(?<=[{_SINGLE}])(?:(?<![^\W_].)|(?![^\W_]))"
    r"|(?<=\?)(?=[.,;)]|\s[^\W\d_A-Z]))"
)
"""A quotation mark, but no apostrophe between letters or digits. A question mark in the middle of a sentence:
what a wrong encoding leaves of a closing mark."""
_ASCII_MARKS = "\"'?"  # looked for one by one, in a tenth of the pattern's time
_LOW = frozenset("„‟‚‛")  # open in every language
_OPENING_CORNERS = frozenset("「｢『〝")
_BEFORE_OPENING = frozenset("([{<（［【《〈—–-/¿¡:：") | frozenset(_FAMILY)
_AFTER_CLOSING = frozenset(".,;:!?…)]}>）］】》〉，。！？；：、؟،؛۔।—–-/") | frozenset(_FAMILY)
_POSSESSIVE = frozenset("sSxXzZ")  # the boys’ house


class Quotation(NamedTuple):
    """A quotation with both its marks: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Quotations:
    """The outermost quotations of a text in order, and the places of the marks without a partner."""

    spans: tuple[Quotation, ...]
    unmatched: tuple[int, ...]

    @property
    def is_empty(self) -> bool:
        """Return whether the text has no quotation mark with or without a partner."""
        return not self.spans and not self.unmatched

    def lost_between(self, start: int, end: int) -> tuple[int, ...]:
        """Return the places of the marks without a partner from `start` to before `end`."""
        if not self.unmatched:
            return ()
        return self.unmatched[bisect_left(self.unmatched, start) : bisect_left(self.unmatched, end)]


_NO_QUOTATIONS = Quotations((), ())


class _Role(Enum):
    OPENS = auto()
    CLOSES = auto()
    NONE = auto()


def quotation_marks(language: str, depth: int) -> tuple[str, str]:
    """Return the marks of a quotation that is inside `depth` others; English ones for an unknown language."""
    marks = MARKS_OF_LANGUAGES.get(primary_language(language), MARKS_OF_LANGUAGES["en"])
    return (marks[2], marks[3]) if depth % 2 else (marks[0], marks[1])


def find_quotations(text: str, start: int = 0, end: int | None = None) -> Quotations:
    """Return the quotations of `text[start:end]`, a paragraph, in time linear in its length.

    No letter stands directly before the paragraph.
    """
    stop = len(text) if end is None else end
    if not _has_mark(text, start, stop):
        return _NO_QUOTATIONS
    opened: dict[str, int] = {}
    spans: list[Quotation] = []
    unmatched: list[int] = []
    for match in _MARK.finditer(text, start, stop):
        place, mark = match.start(), match[0]
        if mark == "?":
            if _DOUBLE in opened and place - opened[_DOUBLE] <= MAX_LOST_CHARACTERS:
                unmatched.append(opened.pop(_DOUBLE))
            continue
        family = _FAMILY[mark]
        before = text[place - 1] if place > start else " "
        after = text[place + 1] if place + 1 < stop else " "
        role = _role(mark, before, after, text[opened[family]] if family in opened else "")
        if role is _Role.OPENS:
            if family in opened:
                unmatched.append(opened[family])
            opened[family] = place
        elif role is _Role.CLOSES and family in opened:
            spans.append(Quotation(opened.pop(family), place + 1))
            if family is not _SINGLE and opened.get(_SINGLE, -1) > spans[-1].start:
                del opened[_SINGLE]  # an apostrophe inside the quotation that ends
        elif role is _Role.CLOSES:
            unmatched.append(place)
    unmatched += opened.values()
    lost = sorted(place for place in unmatched if _FAMILY[text[place]] is not _SINGLE)
    return Quotations(_outermost(spans), tuple(lost))


def _has_mark(text: str, start: int, stop: int) -> bool:
    if text.isascii() and all(text.find(mark, start, stop) < 0 for mark in _ASCII_MARKS):
        return False
    return _MARK.search(text, start, stop) is not None


def _outermost(spans: list[Quotation]) -> tuple[Quotation, ...]:
    """Return the spans without those inside others; overlapping ones are united."""
    united: list[Quotation] = []
    for span in sorted(spans):
        if united and span.start < united[-1].end:
            united[-1] = Quotation(united[-1].start, max(united[-1].end, span.end))
        else:
            united.append(span)
    return tuple(united)


def _role(mark: str, before: str, after: str, opened: str) -> _Role:
    """Return what a mark between two characters does; `opened` is the open mark of its family, or ""."""
    family = _FAMILY[mark]
    if family in _CORNERS:
        return _Role.OPENS if mark in _OPENING_CORNERS else _Role.CLOSES
    if family in (_ANGULAR, _SINGLE_ANGULAR):
        return _angular_role(mark == family[0], before, after, opened)
    if family is _SINGLE:
        return _single_role(mark, before, after, opened)
    return _double_role(mark, before, after, opened)


def _angular_role(points_left: bool, before: str, after: str, opened: str) -> _Role:
    """Return the role of « and »: «French», »German«, »Swedish», with or without spaces inside."""
    if points_left:
        return _Role.CLOSES if opened in ("»", "›") else _Role.OPENS
    if opened:
        return _Role.CLOSES
    return _Role.OPENS if _may_open(before, after) and not _may_close(before, after) else _Role.CLOSES


def _double_role(mark: str, before: str, after: str, opened: str) -> _Role:
    if mark in _LOW:
        return _Role.OPENS
    if before.isalnum() and after.isalnum() and not IDEOGRAPH.match(before):
        return _Role.NONE  # Hebrew writes an abbreviation with a straight mark: צה"ל
    opens, closes = _may_open(before, after), _may_close(before, after)
    if opened:
        # A second opening mark: the first has no end, as at the start of each paragraph of a long quotation.
        is_second = opens and not closes and (mark == "“" or mark == opened == '"') and opened not in _LOW
        return _Role.OPENS if is_second else _Role.CLOSES
    if closes and not opens:
        is_inch = mark in '"”' and before.isdigit()
        return _Role.NONE if is_inch else _Role.CLOSES
    return _Role.OPENS


def _single_role(mark: str, before: str, after: str, opened: str) -> _Role:
    if before.isalnum() and after.isalnum():
        return _Role.NONE
    if opened and _may_close(before, after) and mark not in _LOW:
        return _Role.NONE if before in _POSSESSIVE and after.isspace() else _Role.CLOSES
    return _Role.OPENS if _may_open(before, after) and after.isalnum() else _Role.NONE


def _may_open(before: str, after: str) -> bool:
    return (before.isspace() or before in _BEFORE_OPENING) and not (after.isspace() or after in ".,;!?)")


def _may_close(before: str, after: str) -> bool:
    return not before.isspace() and before not in "([{" and (after.isspace() or after in _AFTER_CLOSING)
