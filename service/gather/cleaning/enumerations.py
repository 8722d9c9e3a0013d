"""Enumerations: the items that a paragraph numbers in its running text. Pure."""

from __future__ import annotations

import re

MIN_ITEMS = 2
MIN_ITEM_CHARACTERS = 6  # shorter items are a count or a score

_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮"
_ITEM_MARK = re.compile(r"(?:[•‣▪●◦∙]\s?|[(（]?(?P<number>[1-9]\d?)(?:[.)]\s|[、．）]))(?=\S)")
_FIRST_MARK = re.compile(r"1(?<![\w.,]1)[.)、．）]|a(?<!\wa)[)）]|①")
_MARK = re.compile(
    rf"(?:\A|(?<=[:：；;.。!！?？…,，、”\"»])\s?)"
    rf"(?:(?P<number>[1-9]\d?)\.(?=\s+\S)|(?P<wide>[1-9]\d?)[、．]|(?P<circled>[{_CIRCLED}])\s?)"
    rf"|(?:\A|(?<=[\s:：；;,，。]))(?P<open>[(（]?)(?P<inner>[1-9]\d?|[a-h])[)）]\s?(?=\S)"
)


def item_text(paragraph: str, number: int) -> str:
    """Return the text of a paragraph that begins with a bullet or with this number, "" for any other."""
    mark = _ITEM_MARK.match(paragraph)
    if mark is None or (mark["number"] and int(mark["number"]) != number):
        return ""
    return paragraph[mark.end() :]


def enumerated_parts(text: str) -> tuple[str, list[str]] | None:
    """Return the text before an enumeration and its items, None when the paragraph has none.

    The marks ascend from 1, a or ① without a gap, have one form, and stand where an item can begin: at the
    start or after punctuation. So "on 1. May" and "3.5" are no marks.
    """
    if ("1" not in text and ")" not in text and "①" not in text) or not _FIRST_MARK.search(text):
        return None
    marks: list[re.Match[str]] = []
    form: tuple[object, ...] | None = None
    for mark in _MARK.finditer(text):
        if _number(mark) == len(marks) + 1 and (form is None or _form(mark) == form):
            form = _form(mark)
            marks.append(mark)
    if len(marks) < MIN_ITEMS or not _may_begin(text, marks[0]):
        return None
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    items = [text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True)]
    if any(len(item) < MIN_ITEM_CHARACTERS for item in items):
        return None
    return text[: marks[0].start()].strip(), items


def _may_begin(text: str, mark: re.Match[str]) -> bool:
    """Return whether an enumeration can begin here: after a comma only one with brackets can."""
    return mark["inner"] is not None or text[: mark.start()].rstrip()[-1:] not in (",", "，", "、")


def _number(mark: re.Match[str]) -> int:
    if mark["circled"]:
        return _CIRCLED.index(mark["circled"]) + 1
    number = mark["number"] or mark["wide"] or mark["inner"]
    return int(number) if number.isdecimal() else ord(number) - ord("a") + 1


def _form(mark: re.Match[str]) -> tuple[object, ...]:
    number = mark["number"] or mark["inner"] or ""
    return mark.lastgroup, mark["open"], number.isalpha()
