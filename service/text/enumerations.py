"""Enumerations: the items of a list inside a paragraph, "Three rules: 1. ... 2. ..." (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.core.model import TextSpan

MIN_ITEMS = 2
MIN_ORDINAL_ITEMS = 3  # with "1." where it also means "first"
MIN_ITEM_CHARACTERS = 4  # a shorter item is a reference: "see (1) and (2)"
MIN_DOTTED_ITEM_CHARACTERS = 6  # with "1."; a shorter item is a count or a score

_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_BULLETS = "•‣▪●◦∙⁃"
_ITEM_MARK = re.compile(rf"(?:[{_BULLETS}]\s?|[(（]?(?P<number>[1-9]\d?)(?:[.)]\s|[、．）]))(?=\S)")
_MARK = re.compile(
    r"(?:(?:(?<=[\s:：；;,，。、！？…”\"»])|^)(?P<open>[(（]?)"
    r"(?:(?P<number>[1-9]\d?)(?P<end>\.(?=\s)|[、．]|(?:\)\.?|）)(?!\d))|(?P<letter>[a-zа-я])[)）])"
    rf"|(?P<bullet>[{_BULLETS}])|(?P<circled>[{_CIRCLED}]))\s*+(?=\S)"
)
_FIRST_NUMBER = re.compile(r"1(?<![\w.,]1)[.)、．）]")
_FIRST_SIGNS = ("a)", "а)", "a）", "а）", "①", *_BULLETS)
"""Each enumeration begins with one of them or with a first number; most paragraphs have neither."""
_BEFORE_DOTTED = ".:;,!?…)]。：；，、！？”»\"'"
_COMMAS = ",，、"


@dataclass(frozen=True, slots=True)
class Enumeration:
    """The `items` of an enumeration, without their marks, and the span of the words that introduce them."""

    introduction: TextSpan | None
    items: tuple[TextSpan, ...]


@dataclass(frozen=True, slots=True)
class _Marker:
    kind: str
    number: int
    start: int
    end: int


def item_text(paragraph: str, number: int) -> str:
    """Return the text of a paragraph that begins with a bullet or with this number, "" for any other."""
    mark = _ITEM_MARK.match(paragraph)
    if mark is None or (mark["number"] and int(mark["number"]) != number):
        return ""
    return paragraph[mark.end() :]


def find_enumeration(text: str, start: int, end: int, *, ordinal: bool) -> Enumeration | None:
    """Return the enumeration in `text[start:end]`, a paragraph; None if there is none.

    Its marks have one form, ascend from the first without a gap, and stand where an item can begin: "1." and
    bullets at the start or after punctuation. `ordinal` says that "1." means "first" in the language of the
    text: then three marks are needed. Time is linear in the length of the paragraph.
    """
    if not _has_first_mark(text, start, end):
        return None
    runs: dict[str, list[_Marker]] = {}
    for match in _MARK.finditer(text, start, end):
        marker = _marker(match)
        run = runs.setdefault(marker.kind, [])
        follows = marker.number == len(run) + 1 or marker.kind == "bullet"
        before = text[max(start, match.start() - 3) : match.start()].rstrip()[-1:]
        if follows and _can_stand(before, marker, is_first=not run):
            run.append(marker)
    found = [_enumeration(text, start, end, run) for run in runs.values() if _is_whole(run, ordinal=ordinal)]
    return max(filter(None, found), key=lambda one: len(one.items), default=None)


def _has_first_mark(text: str, start: int, end: int) -> bool:
    """Return False only if there is no enumeration, which is found in little time."""
    if text.find("1", start, end) >= 0 and _FIRST_NUMBER.search(text, start, end):
        return True
    if text.isascii():
        return text.find(")", start, end) >= 0 and text.find("a)", start, end) >= 0
    return any(text.find(sign, start, end) >= 0 for sign in _FIRST_SIGNS)


def _marker(match: re.Match[str]) -> _Marker:
    """Return the mark: its form, and its place in the order of such marks."""
    if match["bullet"]:
        kind, number = "bullet", 0
    elif match["circled"]:
        kind, number = "circled", _CIRCLED.index(match["circled"]) + 1
    elif letter := match["letter"]:
        first = "a" if letter.isascii() else "а"
        kind, number = match["open"] + first, ord(letter) - ord(first) + 1
    else:
        kind, number = match["open"] + match["end"], int(match["number"])
    return _Marker(kind, number, match.start(), match.end())


def _can_stand(before: str, marker: _Marker, *, is_first: bool) -> bool:
    """Return whether the mark can stand after this character, "" for none.

    "On 1. May" has no mark, and the first one does not follow a comma, unless it has a bracket.
    """
    if marker.kind == "bullet":
        return not is_first or not before or before in _BEFORE_DOTTED
    if marker.kind not in (".", "、", "．", "circled"):
        return True
    if is_first and before and before in _COMMAS:
        return False
    return marker.kind == "circled" or not before or before in _BEFORE_DOTTED


def _is_whole(run: list[_Marker], *, ordinal: bool) -> bool:
    return bool(run) and len(run) >= (MIN_ORDINAL_ITEMS if ordinal and run[0].kind == "." else MIN_ITEMS)


def _enumeration(text: str, start: int, end: int, run: list[_Marker]) -> Enumeration | None:
    """Return the enumeration with these marks, None if an item is too short for one."""
    ends = [*(marker.start for marker in run[1:]), end]
    items = tuple(_trimmed(text, marker.end, stop) for marker, stop in zip(run, ends, strict=True))
    least = MIN_DOTTED_ITEM_CHARACTERS if run[0].kind == "." else MIN_ITEM_CHARACTERS
    if any(item.end - item.start < least for item in items):
        return None
    before = _trimmed(text, start, run[0].start)
    return Enumeration(before if before.end > before.start else None, items)


def _trimmed(text: str, start: int, end: int) -> TextSpan:
    """Return the span without white space around it."""
    while end > start and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    return TextSpan(start, end)
