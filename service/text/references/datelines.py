"""Datelines: the place, date and agency before the first words of a report (pure)."""

from __future__ import annotations

import re

MAX_DATELINE_CHARACTERS = 90
MAX_PLACE_WORDS = 6  # with the words of the date
MAX_PLACE_ONLY_WORDS = 3
MAX_SMALL_WORDS = 2  # words in small letters: the month, "de"
_MAX_ASIDE = 200  # characters after a dash in which a second one shows an aside

_DASH = re.compile(r"\s?\.?(?:\s[–—―-]{1,3}|[–—―]{1,2}|--|(?<=\.)-(?=\s))\s{0,3}(?=\S)")
_LEADING_DASH = re.compile(r"[–—―-]{1,3}\s{1,3}(?=\S)")
_AGENCY = re.compile(r"[(\[][^()\[\]]{2,40}[)\]]")
_FIRST_AGENCY = re.compile(r"\([A-Z][\w./& -]{1,30}\)\s{0,2}(?:[–—:-]{1,2}\s{0,2})?(?=[\"“„«A-ZÀ-ÞА-Я])")
_LAST_AGENCY = re.compile(r"(?P<head>[^()\n]{3,50})\([A-Z][A-Z /-]{1,15}\)\s{1,2}(?=[\"“„«A-ZÀ-ÞА-Я])")
_DAY = re.compile(r"\b\d{1,2}\b|[٠-٩]{1,2}")
_WORD = re.compile(r"[^\W\d_][\w.'’-]*")


def dateline_end(text: str, start: int, end: int, *, is_first: bool) -> int:
    """Return where the sentence `text[start:end]` begins behind its dateline; `start` if it has none.

    A place in capitals shows a dateline ("WASHINGTON — "); at the start of a block, an agency in brackets
    does ("Doha, 4 May (HLN) - "); in the first sentence of the text, so do a date or a place alone. A dash
    at the start of a block is a mark of speech, or of a list.
    """
    begins_block = start == 0 or text[start - 1] == "\n"
    dash = _LEADING_DASH.match(text, start, end)
    if dash is not None:  # what stood before it was taken for a sentence: "AUGUSTA, Me."
        return start if begins_block or text[dash.end()].islower() else dash.end()
    if not begins_block and not _in_capitals(text[start : start + 2]) and text[start] != "(":
        return start
    stop = min(end, start + MAX_DATELINE_CHARACTERS)
    agency = _FIRST_AGENCY.match(text, start, stop)
    if agency is not None and len(agency[0].split()) <= MAX_PLACE_WORDS:
        return _end_of_place(text, agency.end(), end, begins_block=begins_block, is_first=is_first)
    dated = _LAST_AGENCY.match(text, start, stop) if begins_block else None
    if dated is not None and _DAY.search(dated["head"]):
        return dated.end()
    return _end_of_place(text, start, end, begins_block=begins_block, is_first=is_first)


def _end_of_place(text: str, start: int, end: int, *, begins_block: bool, is_first: bool) -> int:
    """Return where the sentence begins behind the dash of its dateline, `start` without one."""
    stop = min(end, start + MAX_DATELINE_CHARACTERS)
    dash = _DASH.search(text, start, stop)
    while dash is not None and dash.start() > start:
        head, rest = text[start : dash.start()], text[dash.end() : dash.end() + 1]
        if rest and not rest.islower() and _is_dateline(head, is_first=is_first, begins_block=begins_block):
            is_aside = _DASH.search(text, dash.end(), min(end, dash.end() + _MAX_ASIDE)) is not None
            return start if is_aside and not _in_capitals(head[:2]) else dash.end()
        dash = _DASH.search(text, dash.end(), stop)
    return start


def _in_capitals(letters: str) -> bool:
    return letters.isalpha() and letters.isupper()


def _is_dateline(head: str, *, is_first: bool, begins_block: bool) -> bool:
    """Return whether the words before a dash give a place, a date or an agency."""
    has_agency = begins_block and _AGENCY.search(head) is not None
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
