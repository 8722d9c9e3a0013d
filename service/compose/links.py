"""Links: to an article, and to one sentence on its page (pure)."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from service.core.places import without_marks

LONGEST_URL = 2000
SHORT_WORDS, SHORT_CHARACTERS = 9, 72
FIRST_WORDS, LAST_WORDS = 5, 4
DIRECTIVE = ":~:"
_QUOTES_BEFORE = "\"'“”„«»‘’‚‹›([{*•–—- "
_STOPS_AFTER = "\"'“”«»‘’‹›)]}.!?…,;:*–—- 。！？"
_CLAUSES = re.compile("[，、；：。！？]+")


def web_link(url: str) -> str:
    """Return `url` ready for an href, or an empty string for anything but an http(s) address.

    Spaces, quotes, angle brackets and other characters that RFC 3986 does not allow are percent-encoded.
    """
    url = without_marks(url).strip()
    if len(url) > LONGEST_URL:
        return ""
    try:
        parts = urlsplit(url)
        plain = url.encode().decode()
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        return ""
    return quote(plain, safe="%/:?#[]@!$&'()*+,;=-._~")


def sentence_link(url: str, sentence: str) -> str:
    """Return the link that opens the page at the sentence and marks it there; empty when `url` is no web link.

    By the text fragments of the WICG draft "URL Fragment Text Directives": `#:~:text=whole` for a short
    sentence, `#:~:text=start,end` for a long one. A browser that does not know them opens the page alone.
    """
    page = web_link(url)
    words = sentence.lstrip(_QUOTES_BEFORE).rstrip(_STOPS_AFTER).split()
    if not page or not words:
        return page
    page = page.partition(DIRECTIVE)[0].rstrip("#")
    joint = DIRECTIVE if "#" in page else f"#{DIRECTIVE}"
    link = f"{page}{joint}text=" + ",".join(_encoded(part) for part in _ends(words))
    return link if len(link) <= LONGEST_URL else page


def _ends(words: list[str]) -> tuple[str, ...]:
    """Return what finds the sentence: all of it when it is short, else how it begins and how it ends."""
    whole = " ".join(words)
    if len(whole) <= SHORT_CHARACTERS and len(words) <= SHORT_WORDS:
        return (whole,)
    if len(words) > FIRST_WORDS + LAST_WORDS:
        return " ".join(words[:FIRST_WORDS]), " ".join(words[-LAST_WORDS:])
    # Few words and yet long: a script without spaces, whose clauses are what a browser can find.
    clauses = [clause for clause in _CLAUSES.split(whole) if clause]
    return (clauses[0], clauses[-1]) if len(clauses) > 1 else (whole,)


def _encoded(text: str) -> str:
    # The draft's TextDirectiveString excludes "&", "-" and ","; `quote` leaves only the hyphen as it is.
    return quote(text.encode("utf-8", "replace"), safe="").replace("-", "%2D")
