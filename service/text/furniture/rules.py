"""Furniture rules: whether a line is something that a publisher adds to articles, no news (pure).

By-lines, dates, credits, links to other articles, invitations, greetings, legal lines. Each rule joins
features that need no language (capitals, marks, addresses, length) with classes of words from furniture.toml.
A lost sentence of news is worse than a line of furniture that is shown: one word alone decides nothing, and
what is quoted is never furniture.
"""

from __future__ import annotations

import re

from service.text.furniture.first_look import can_be_furniture
from service.text.furniture.line import MAX_NAMING_WORDS, Line, is_name, names_only
from service.text.furniture.press_release import describes_publisher
from service.text.furniture.words import Hit, Word, WordClass, is_unspaced, words_of
from service.text.quotations import find_quotations

MAX_LINE_CHARACTERS = 300  # a longer line is text
MAX_UNSPACED_NAME = 5  # characters of a Chinese, Japanese or Korean name after a label
MAX_LABELLED_WORDS = 6  # after a label, of a text that does not consist of names
MAX_LINKED_WORDS = 24  # of the title of another article
MAX_INVITATION_WORDS = 40
MAX_MARKED_WORDS = 24  # beside names
MAX_SHORT_INVITATION_WORDS = 9
MAX_OPEN_QUOTATION = 1_000  # characters after a quotation mark without a partner, or before it
MAX_COUNT_WORDS = 8
MAX_LISTED_WORDS = 24  # of a line of dates
MAX_GREETING_WORDS = 8
MAX_MADE_DISTANCE = 10  # words between the article, named by itself, and what was done to it
MAX_WORDS_BESIDE_ADDRESS = 3  # in a line that is a link, an address or a handle
MIN_MENU_SEPARATORS = 2

_BRACKETED = re.compile(r"\s*+[\[［【][^\]］】]{1,200}[\]］】][\s.]{0,3}")
_SPACE = re.compile(r"\s")
_AFTER_LABEL = re.compile(r"\s{0,3}[:：/=|／｜→»>›]")
_AFTER_ALSO = re.compile(r"\s{0,3}(?:[:：|｜→»>›…]|[–—-]\s|\.{3}|[.!]?\s{0,3}\Z)")
_COPYRIGHT = re.compile(
    r"[©Ⓒⓒ]|(?<!\w)\(c\)\s{0,2}(?:19|20)\d\d|\A\W{0,3}copyright\s{0,3}(?::|\(c\)|(?:19|20)\d\d)",
    re.IGNORECASE,
)
_MENU_SEPARATOR = re.compile(r"\s[|·•»›]\s|\s{0,2}｜\s{0,2}")
_FINAL = re.compile(r"[.!?…。！？؟।]\W{0,3}\Z")
_COMMA = re.compile("[,،，、]")
_EXCLAMATION = re.compile(r"[!！]\W{0,3}\Z")
_PUBLISHER = WordClass.OWN | WordClass.OFFER | WordClass.US
_ANYONE = _PUBLISHER | WordClass.YOU


def is_furniture(line: str) -> bool:
    """Return whether a line, or a sentence of a paragraph, is furniture; quotations in it are not read."""
    return may_be_furniture(line) and is_furniture_outside_quotations(line, outside_quotations(line))


def may_be_furniture(line: str) -> bool:
    """Return False, quickly, for most lines that are no furniture."""
    return len(line) <= MAX_LINE_CHARACTERS and can_be_furniture(line)


def is_furniture_outside_quotations(line: str, unquoted: str) -> bool:
    """Return whether a line that may be furniture is; `unquoted` has spaces in place of what it quotes."""
    read = Line(unquoted)
    if not read.words and not read.addresses:
        return not words_of(line)
    if any(rule(read) for rule in _RULES):
        return True
    return unquoted == line and any(rule(read) for rule in _WHOLE_LINE_RULES)


def outside_quotations(text: str) -> str:
    """Return the text, of the same length, with spaces in place of its quotations.

    A quotation without an end, or without a beginning, is taken to have MAX_OPEN_QUOTATION characters.
    """
    found = find_quotations(text)
    spans = [(span.start, span.end) for span in found.spans]
    if found.unmatched:
        first, last = found.unmatched[0], found.unmatched[-1]
        spans += [_open_quotation(text, place) for place in dict.fromkeys((first, last))]
    parts: list[str] = []
    place = 0
    for start, end in sorted(spans):
        if end > place:
            parts += [text[place:start], " " * (end - max(start, place))]
            place = end
    return "".join([*parts, text[place:]])


def _open_quotation(text: str, place: int) -> tuple[int, int]:
    """Return the span of a quotation that has only the mark at `place`."""
    if place > 0 and not text[place - 1].isspace():
        return max(0, place - MAX_OPEN_QUOTATION), place + 1
    return place, min(len(text), place + MAX_OPEN_QUOTATION)


def addresses_reader(unquoted: str) -> bool:
    """Return whether the line speaks to the reader, or of its publisher, in the second or first person."""
    line = Line(unquoted)
    return (
        line.has(WordClass.YOU | WordClass.US | WordClass.POLITE) and len(line.words) <= MAX_INVITATION_WORDS
    )


def is_notice_of_move(line: str) -> bool:
    """Return whether a title or line only says that the feed or its publisher has a new address."""
    return _move(Line(line))


def leads_elsewhere(line: str) -> bool:
    """Return whether a heading or an introduction announces links to other articles ("Read also")."""
    read = Line(line)
    return len(read.words) <= MAX_SHORT_INVITATION_WORDS and _also(read)


def _addresses_only(line: Line) -> bool:
    """Return whether it has only links, addresses, handles or hashtags: "Tips: desk@paper.example"."""
    if not line.addresses or len(line.words) > MAX_WORDS_BESIDE_ADDRESS:
        return False
    known = WordClass.LABEL | WordClass.ALSO | WordClass.ASK | WordClass.OFFER | WordClass.OWN | WordClass.US
    return not line.words or line.has(known) or line.is_rest(len(line.words), _AFTER_LABEL)


def _date(line: Line) -> bool:
    """Return whether it has only dates, times and durations: "Published 24 November, updated 2 hours ago"."""
    if not any(word.text[0].isdigit() for word in line.words) and not line.has(WordClass.DATE):
        return False
    if not line.has(WordClass.TIME | WordClass.DATE) and len(line.words) > 1 and ":" not in line.text:
        return False
    covered = line.covered(WordClass.TIME | WordClass.DATE)
    if len(line.words) <= MAX_LISTED_WORDS and len(covered) == len(line.words):
        return True
    allowed = WordClass.TIME | WordClass.DATE | WordClass.ROLE | WordClass.BY
    return bool(line.opening(WordClass.TIME)) and names_only(line, 0, allowed=allowed)


def _count(line: Line) -> bool:
    """Return whether it has only counts: "12 comments", "Share (3)"."""
    counted = line.covered(WordClass.COUNT)
    return (
        line.has(WordClass.COUNT) and len(line.words) <= MAX_COUNT_WORDS and len(counted) == len(line.words)
    )


def _rights(line: Line) -> bool:
    """Return whether it is a copyright line: the sign at its start, or in a short line."""
    sign = _COPYRIGHT.search(line.text)
    if sign is None or len(line.words) > MAX_INVITATION_WORDS:
        return False
    before = line.text[: sign.start()].rstrip()
    return not before or (len(line.words) <= MAX_NAMING_WORDS and not _FINAL.search(before))


def _label(line: Line) -> bool:
    """Return whether a label names something: "Photo: NAME", "Tags: ferry, harbour", "Photo NAME"."""
    after = line.opening(WordClass.LABEL | WordClass.CREDIT)
    if not after:
        return False
    rest = len(line.words) - after
    if line.is_rest(after, _AFTER_LABEL):
        is_list = not _FINAL.search(line.text) and rest <= MAX_NAMING_WORDS
        return rest <= MAX_LABELLED_WORDS or is_list or _mostly_names(line, after)
    if not line.opening(WordClass.LABEL) or is_unspaced(line.words[0].text):
        return False
    return rest > 0 and names_only(line, after, allowed=WordClass.ROLE)


def _mostly_names(line: Line, after: int) -> bool:
    rest = line.words[after:]
    return len(rest) <= 2 * MAX_NAMING_WORDS and 2 * sum(map(is_name, rest)) > len(rest)


def _also(line: Line) -> bool:
    """Return whether it leads elsewhere: "Read also: TITLE", "Related", "Read more about Tarn here"."""
    after = line.opening(WordClass.ALSO)
    if not after:
        return False
    if line.is_rest(after, _AFTER_ALSO):
        return len(line.words) - after <= (MAX_LINKED_WORDS if after > 1 else MAX_NAMING_WORDS)
    if after < 2 or after == len(line.words) or is_unspaced(line.words[0].text):
        return after == len(line.words)
    following = line.words[after].text
    is_invitation = bool(line.opening(WordClass.ASK)) and len(line.words) <= MAX_NAMING_WORDS
    return is_invitation and (following[0].isupper() or not _FINAL.search(line.text) or line.addresses > 0)


def _by_line(line: Line) -> bool:
    """Return whether it is "By NAME, ROLE" or "NAME, ROLE"; names without capitals need a label."""
    after = line.opening(WordClass.BY)
    if not line.words or is_unspaced(line.words[0].text):
        rest = len(line.words) - after
        return after > 0 and 0 < rest <= MAX_UNSPACED_NAME and line.is_rest(after, _SPACE)
    allowed = WordClass.ROLE | WordClass.DATE | (WordClass.TIME if line.has(WordClass.DATE) else 0)
    if after and names_only(line, after, allowed=allowed):
        return True
    has_role = any(hit.first > 0 and hit.classes & WordClass.ROLE for hit in line.hits if _is_role(line, hit))
    return (
        has_role
        and "," in line.text
        and len(line.clause_starts) >= 2
        and names_only(line, 0, allowed=WordClass.ROLE)
    )


def _report(line: Line) -> bool:
    """Return whether it credits a reporter: "NAME reported from PLACE"."""
    return line.has(WordClass.REPORT, 1) and names_only(line, 0, allowed=WordClass.REPORT)


def _bracketed(line: Line) -> bool:
    """Return whether it is a remark in square brackets: "[Update, 9:04 p.m.]"."""
    return len(line.words) <= MAX_NAMING_WORDS and _BRACKETED.fullmatch(line.text) is not None


def _is_role(line: Line, hit: Hit) -> bool:
    return len(line.words[hit.first].text) > 4 and not hit.classes & WordClass.PARTICLE


def _marked(line: Line) -> bool:
    """Return whether it has a phrase that only furniture has, such as "all rights reserved"."""
    return line.has(WordClass.MARK) and sum(not is_name(word) for word in line.words) <= MAX_MARKED_WORDS


def _invitation(line: Line) -> bool:
    """Return whether it asks the reader to take what the publisher offers: "Download our app today."."""
    if not line.has(WordClass.ASK) or len(line.words) > MAX_INVITATION_WORDS:
        return False
    asks = [hit for hit in line.hits if hit.classes & WordClass.ASK and hit.first in line.clause_starts]
    if not asks:
        return False
    if line.has(WordClass.US) and (line.has(WordClass.OWN | WordClass.OFFER) or line.addresses):
        return True
    if any(_goes_on_with(line, hit.after, WordClass.US) for hit in asks):
        return True
    is_short = len(line.words) <= MAX_SHORT_INVITATION_WORDS
    starts = any(hit.first == 0 for hit in asks)
    if starts and is_short and (line.addresses or (len(asks) > 1 and line.has(WordClass.OFFER))):
        return True
    return starts and line.has(WordClass.OWN) and (is_short or line.has(WordClass.YOU | WordClass.PRICE))


def _goes_on_with(line: Line, place: int, kind: int) -> bool:
    """Return whether a phrase of the class is at `place` and ends its clause there, or one word later."""
    return any(
        hit.first == place
        and hit.classes & kind
        and (hit.after >= len(line.words) or hit.after in line.clause_starts)
        for hit in line.hits
    )


def _offer(line: Line) -> bool:
    """Return whether it offers or asks for something: "Our briefing, in your inbox", "Got a tip?"."""
    if len(line.words) > MAX_INVITATION_WORDS:
        return False
    polite = line.opening(WordClass.POLITE)
    if polite:
        asks = any(hit.classes & WordClass.ASK and hit.first in line.clause_starts for hit in line.hits)
        return line.has(WordClass.US | WordClass.YOU, polite) or line.addresses > 0 or asks
    return line.has(WordClass.OWN) and line.has(WordClass.YOU) and line.has(WordClass.US)


def _move(line: Line) -> bool:
    """Return whether it tells a new address: "We have moved", "This feed has moved to a new address"."""
    after = line.opening(WordClass.MOVE)
    if not after or len(line.words) > MAX_INVITATION_WORDS:
        return False
    return (
        after == len(line.words)
        or line.has(WordClass.OWN | WordClass.OFFER | WordClass.YOU)
        or line.addresses > 0
    )


def _self_description(line: Line) -> bool:
    """Return whether it says what was done to the article: "This article was updated on Monday"."""
    after = line.opening(WordClass.SELF)
    return after > 0 and any(
        hit.classes & WordClass.MADE and after <= hit.first <= after + MAX_MADE_DISTANCE for hit in line.hits
    )


def _greeting(line: Line) -> bool:
    """Return whether it greets or takes leave: "Good morning.", "We will be back tomorrow."."""
    after = line.opening(WordClass.GREET)
    if not after or len(line.words) > MAX_INVITATION_WORDS:
        return False
    rest = line.words[after:]
    if not rest or (after in line.clause_starts and line.has(_ANYONE | WordClass.GREET, after)):
        return True
    if line.has(WordClass.YOU | WordClass.SELF, after) or (
        line.has(WordClass.US) and line.has(WordClass.OWN | WordClass.OFFER)
    ):
        return True
    known = line.covered(WordClass.DATE)
    return (
        len(line.words) <= MAX_GREETING_WORDS
        and not any(word.text[0].isupper() and place not in known for place, word in enumerate(rest, after))
        and not _is_uncased_text(rest)
    )


def _thanks(line: Line) -> bool:
    """Return whether it thanks people: "Thanks to everybody who contributed!"."""
    if len(line.words) > MAX_INVITATION_WORDS:
        return False
    is_cause = _COMMA.search(line.text) is not None and not _EXCLAMATION.search(line.text)
    return line.opening(WordClass.THANK) > 0 or (line.opening(WordClass.CAUSE) > 0 and not is_cause)


def _is_uncased_text(words: list[Word]) -> bool:
    return all(word.text.lower() == word.text.upper() for word in words)


def _menu(line: Line) -> bool:
    """Return whether it is a row of links: "Home | News | Sport"."""
    parts = _MENU_SEPARATOR.split(line.text)
    return (
        len(parts) > MIN_MENU_SEPARATORS
        and not _FINAL.search(line.text)
        and not any(word.text[0].isdigit() for word in line.words)
        and all(len(part.split()) <= 3 for part in parts)
    )


_WHOLE_LINE_RULES = (_addresses_only, _date, _count, _menu)
"""Rules for lines without a quotation."""
_RULES = (
    _rights,
    _label,
    _also,
    _by_line,
    _report,
    _bracketed,
    _marked,
    _invitation,
    _offer,
    _move,
    _self_description,
    _greeting,
    _thanks,
    describes_publisher,
)
