"""Datelines: the place, date and agency before the first words of a report (pure)."""

from __future__ import annotations

import re

MAX_DATELINE_CHARACTERS = 90
MAX_PLACE_WORDS = 6  # with the words of the date
MAX_PLACE_ONLY_WORDS = 3
MAX_SMALL_WORDS = 2  # words in small letters: the month, "de"

_DASH = re.compile(r"\s?\.?(?:\s[–—-]{1,3}|[–—]{1,2}|--)\s{0,3}(?=\S)")
_AGENCY = re.compile(r"[(\[][^()\[\]]{2,40}[)\]]")
_ONLY_AGENCY = re.compile(r"\([A-Z][\w./& -]{1,30}\)\s{0,2}(?:[–—:-]{1,2}\s{0,2})?(?=[\"“„«A-ZÀ-ÞА-Я])")
_DAY = re.compile(r"\b\d{1,2}\b|[٠-٩]{1,2}")
_WORD = re.compile(r"[^\W\d_][\w.'’-]*")


def dateline_end(text: str, start: int, end: int, *, is_first: bool) -> int:
    """Return where the sentence `text[start:end]` begins behind its dateline; `start` if it has none.

    A place in capitals, an agency in brackets or a date shows a dateline; a place alone ("Berlin – The") only
    in the first sentence of the text.
    """
    if not is_first and not _in_capitals(text[start : start + 2]) and text.find("(", start, start + 60) < 0:
        return start
    agency = _ONLY_AGENCY.match(text, start, min(end, start + MAX_DATELINE_CHARACTERS))
    if agency is not None and _is_agency(agency[0]):
        return agency.end()
    dash = _DASH.search(text, start, min(end, start + MAX_DATELINE_CHARACTERS))
    while dash is not None and dash.start() > start:
        head, rest = text[start : dash.start()], text[dash.end() : dash.end() + 1]
        if not rest.islower() and _is_dateline(head, is_first=is_first):
            return dash.end() if dash.end() < end else start
        dash = _DASH.search(text, dash.end(), min(end, start + MAX_DATELINE_CHARACTERS))
    return start


def _in_capitals(letters: str) -> bool:
    return letters.isalpha() and letters.isupper()


def _is_agency(text: str) -> bool:
    inside = text.strip(" :–—-()")
    return bool(inside) and len(inside.split()) <= MAX_PLACE_WORDS


def _is_dateline(head: str, *, is_first: bool) -> bool:
    """Return whether the words before a dash give a place, a date or an agency."""
    has_agency = _AGENCY.search(head) is not None
    place = _AGENCY.sub(" ", head)
    words: list[str] = _WORD.findall(place)
    if not words or len(words) > MAX_PLACE_WORDS or words[0][:1].islower():
        return has_agency and not words
    small = sum(word[:1].islower() for word in words)
    if has_agency or (len(words[0]) > 1 and words[0].isupper()):
        return small <= MAX_SMALL_WORDS
    if _DAY.search(place):
        return is_first and small <= MAX_SMALL_WORDS
    return is_first and len(words) <= MAX_PLACE_ONLY_WORDS and not small
