"""Links: to an article, and to one sentence of its page (pure)."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, urlsplit, urlunsplit

from service.compose.render.tracking import without_tracking
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


@lru_cache(maxsize=8192)  # one article is asked for several times in an issue, and in many issues
def web_link(url: str) -> str:
    """Return `url` for an href, "" unless it is an http(s) address without a user name.

    Parameters that only track readers are left out. Characters that RFC 3986 does not allow, such as spaces
    and quotes, are percent-encoded; an internationalized host becomes its ASCII form. A user name before the
    host disguises where a link leads.
    """
    try:
        # Browsers drop tabs and line ends too (WHATWG URL, 4.4): they must not hide anything here.
        parts = urlsplit("".join(_UNSEEN.split(without_placeholders(url))))
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
        shown = (parts.path, without_tracking(parts.query), without_tracking(parts.fragment))
        rest = [quote(part, safe=_ALLOWED) for part in shown]
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host) or "@" in parts.netloc:
        return ""
    host = f"[{host}]" if ":" in host else host
    link = urlunsplit((parts.scheme, host if port is None else f"{host}:{port}", *rest))
    return link if _weight(link) <= MAX_URL_CHARACTERS else ""


def sentence_link(url: str, sentence: str) -> str:
    """Return the link that opens the page at the sentence and highlights it.

    It has a text fragment of the WICG draft "URL Fragment Text Directives": `#:~:text=whole` for a short
    sentence, `#:~:text=start,end` for a long one. Browsers without support open the page. "" if `url` is no
    web link or too long to be repeated for every sentence of a story.
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
    """Return the length of the link in a mail, where `&` becomes `&amp;` and `=` becomes `=3D`."""
    return len(link) + 4 * link.count("&") + 2 * link.count("=")


def _ends(words: list[str]) -> tuple[str, ...]:
    """Return what identifies the sentence: all of it if it is short, else its start and its end."""
    whole = " ".join(words)
    if len(whole) <= MAX_WHOLE_CHARACTERS and len(words) <= MAX_WHOLE_WORDS:
        return (whole,)
    if len(words) > FIRST_WORDS + LAST_WORDS:
        return " ".join(words[:FIRST_WORDS]), " ".join(words[-LAST_WORDS:])
    # Few words but long: an unspaced script, where browsers find whole clauses.
    clauses = [clause for clause in _CLAUSES.split(whole) if clause]
    return (clauses[0], clauses[-1]) if len(clauses) > 1 else (whole,)


def _encoded(text: str) -> str:
    # The draft's TextDirectiveString excludes "&", "-" and ","; `quote` leaves the hyphen.
    return quote(text.encode("utf-8", "replace"), safe="").replace("-", "%2D")
