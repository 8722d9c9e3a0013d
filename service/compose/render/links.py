"""Links: to an article, and to one sentence on its page (pure)."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

from service.core.placeholders import without_placeholders

MAX_URL_CHARACTERS = 2000
MAX_SENTENCE_URL_CHARACTERS = 1000
MAX_WHOLE_WORDS, MAX_WHOLE_CHARACTERS = 9, 72
FIRST_WORDS, LAST_WORDS = 5, 4
DIRECTIVE = ":~:"
_ALLOWED = "%/:?#[]@!$&'()*+,;=-._~"
_UNSEEN = re.compile(r"^[\x00-\x20]+|[\t\n\r]+|[\x00-\x20]+$")
_HOST = re.compile(r"[A-Za-z0-9.:_-]+")
_QUOTES_BEFORE = "\"'“”„«»‘’‚‹›([{*•–—- "
_STOPS_AFTER = "\"'“”«»‘’‹›)]}.!?…,;:*–—- 。！？"
_CLAUSES = re.compile("[，、；：。！？]+")


def web_link(url: str) -> str:
    """Return `url` ready for an href, or an empty string for anything but a plain http(s) address.

    Spaces, quotes, angle brackets and other characters that RFC 3986 does not allow are percent-encoded, a
    host in another script becomes its ASCII form. An address with a user in front of its host is none that a
    news page has; it is how a link pretends to lead elsewhere.
    """
    try:
        # Tabs and line ends are dropped by browsers too (WHATWG URL, 4.4), so that they hide nothing here.
        parts = urlsplit("".join(_UNSEEN.split(without_placeholders(url))))
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
        rest = [quote(part, safe=_ALLOWED) for part in parts[2:]]
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host) or "@" in parts.netloc:
        return ""
    host = f"[{host}]" if ":" in host else host
    link = urlunsplit((parts.scheme, host if port is None else f"{host}:{port}", *rest))
    return link if _weight(link) <= MAX_URL_CHARACTERS else ""


def sentence_link(url: str, sentence: str) -> str:
    """Return the link that opens the page at the sentence and marks it.

    By the text fragments of the WICG draft "URL Fragment Text Directives": `#:~:text=whole` for a short
    sentence, `#:~:text=start,end` for a long one. A browser that does not know them opens the page alone.
    Empty when `url` is no web link, or too long to stand behind every sentence of a story.
    """
    page = web_link(url)
    words = sentence.lstrip(_QUOTES_BEFORE).rstrip(_STOPS_AFTER).split()
    if _weight(page) > MAX_SENTENCE_URL_CHARACTERS:
        return ""
    if not page or not words:
        return page
    page = page.partition(DIRECTIVE)[0].rstrip("#")
    joint = DIRECTIVE if "#" in page else f"#{DIRECTIVE}"
    link = f"{page}{joint}text=" + ",".join(_encoded(part) for part in _ends(words))
    return link if _weight(link) <= MAX_SENTENCE_URL_CHARACTERS else page


def _weight(link: str) -> int:
    """Return the length of the link in a mail, where `&` is written `&amp;` and `=` is written `=3D`."""
    return len(link) + 4 * link.count("&") + 2 * link.count("=")


def _ends(words: list[str]) -> tuple[str, ...]:
    """Return what finds the sentence: all of it when it is short, else how it begins and how it ends."""
    whole = " ".join(words)
    if len(whole) <= MAX_WHOLE_CHARACTERS and len(words) <= MAX_WHOLE_WORDS:
        return (whole,)
    if len(words) > FIRST_WORDS + LAST_WORDS:
        return " ".join(words[:FIRST_WORDS]), " ".join(words[-LAST_WORDS:])
    # Few words and yet long: a script without spaces, whose clauses are what a browser can find.
    clauses = [clause for clause in _CLAUSES.split(whole) if clause]
    return (clauses[0], clauses[-1]) if len(clauses) > 1 else (whole,)


def _encoded(text: str) -> str:
    # The draft's TextDirectiveString excludes "&", "-" and ","; `quote` leaves only the hyphen as it is.
    return quote(text.encode("utf-8", "replace"), safe="").replace("-", "%2D")
