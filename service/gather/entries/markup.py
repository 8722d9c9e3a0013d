"""Clean untrusted markup: turn the text of feeds and pages into safe plain text."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import urlsplit

import nh3

from service.core.placeholders import without_placeholders
from service.gather.entries.boilerplate import BOILERPLATE_PARAGRAPH, READ_MORE, compiled

_PARAGRAPHS = (
    "p div br hr h1 h2 h3 h4 h5 h6 li ul ol dl dt dd blockquote pre table tr section article header footer "
    "main aside details summary address"
)
_DROPPED = (
    "script style noscript template iframe object embed svg math form button select textarea audio video "
    "canvas figcaption title"
)
PARAGRAPH_TAGS = frozenset(_PARAGRAPHS.split())
CELL_TAGS = frozenset({"td", "th"})
DROPPED_TAGS = frozenset(_DROPPED.split())
MAX_HTML_CHARACTERS = 400_000
MAX_TAGS = 8_000  # the parser's time is quadratic in the depth of nesting: 7 s for 50,000 open tags
MAX_TEXT_CHARACTERS = 100_000  # more than any article has; a longer text is cut
MAX_TITLE_CHARACTERS = 300
MAX_URL_CHARACTERS = 2_000

_TAG = re.compile(r"<(/?)([a-z0-9]+)>")
_SPACE = re.compile(r"[\s\u2028\u2029\u0085\u200b\ufeff]+")
_UNSAFE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\u00ad\u200e\u200f\u202a-\u202e\u2060-\u2069"
    "\ufff9-\ufffb\ufffe\uffff\ue000-\uf8ff]"
)
"""Control characters, lone surrogates, soft hyphens, direction marks, and private-use characters."""

_INVITATION = compiled(rf"\W{{0,3}}{READ_MORE}[^.!?]{{0,80}}\W{{0,4}}")
_BOILERPLATE = compiled(BOILERPLATE_PARAGRAPH)
_TAIL = compiled(
    r"(?:(?P<cut>\s*(?:\[\s*(?:…|\.{3})\s*\]|…|\.{3,4}))\s*|(?<=[.!?:\"”»)\]])\s+|\s+(?=(?-i:[A-Z])))"
    rf"\(?{READ_MORE}\b[^.!?\n]{{0,60}}(?:…|→|»|›|>|\.{{3}}|\)|\.)?\s*$"
)
"""An invitation to read more at the end: after an ellipsis or a sentence, or with a capital letter."""


def without_unsafe_characters(text: str) -> str:
    """Return the text without characters that break mail headers, terminals, offsets or placeholders."""
    return without_placeholders(_UNSAFE.sub("", text))


def _spaced(text: str) -> str:
    """Return the text with runs of white space folded to one space, and none at the ends."""
    return " ".join(text.replace("\u200b", " ").replace("\ufeff", " ").split())


def one_line(text: str, limit: int = MAX_TITLE_CHARACTERS) -> str:
    """Return plain text as one line of at most `limit` characters, cut between words."""
    line = _spaced(without_unsafe_characters(unicodedata.normalize("NFC", text[: limit * 20])))
    if len(line) <= limit:
        return line
    return line[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:-–—") + "…"


def title_text(markup: str) -> str:
    """Return a title as one line of plain text; feeds write text, escaped text or markup there."""
    short = markup[: MAX_TITLE_CHARACTERS * 20]
    if "<" in short:
        short = nh3.clean(_without_controls(short), tags=set(), clean_content_tags={"script", "style"})
    return one_line(html.unescape(short))


def plain_text(markup: str) -> str:
    """Return untrusted HTML as paragraphs of plain text separated by an empty line.

    The sanitizer parses the HTML as a browser does and removes what a browser would run or hide. Of its tags
    only those that end a paragraph are left. Captions and forms are removed with their content.
    """
    bounded = _bounded(_without_controls(markup))
    bare = nh3.clean(
        bounded,
        tags=set(PARAGRAPH_TAGS | CELL_TAGS),
        attributes={},
        clean_content_tags=set(DROPPED_TAGS),
        link_rel=None,
    )
    parts: list[str] = []
    current: list[str] = []
    position = 0
    for tag in _TAG.finditer(bare):
        current.append(bare[position : tag.start()])
        position = tag.end()
        if tag.group(2) in CELL_TAGS:
            current.append(" ")
        else:
            parts.append("".join(current))
            current = []
    parts.append("".join([*current, bare[position:]]))
    return paragraphs(html.unescape(part) for part in parts)


def paragraphs(parts: object) -> str:
    """Join pieces of text to paragraphs, without empty ones and boilerplate; white space is folded."""
    kept: list[str] = []
    for part in parts if not isinstance(parts, str) else parts.split("\n\n"):  # type: ignore[attr-defined]
        line = _spaced(without_unsafe_characters(unicodedata.normalize("NFC", part)))
        if line and not _BOILERPLATE.fullmatch(line) and not _INVITATION.fullmatch(line):
            kept.append(line)
    if kept:
        kept[-1] = _without_tail(kept[-1])
    return "\n\n".join(part for part in kept if part)


def shortened(text: str, limit: int) -> str:
    """Return at most `limit` characters of a text, cut between paragraphs, or else between sentences."""
    if len(text) <= limit:
        return text
    cut = max(
        text.rfind("\n\n", 0, limit), *(text.rfind(end, 0, limit) + 1 for end in (". ", "! ", "? ", "。"))
    )
    return text[: cut if cut > 0 else limit].rstrip()


def _without_tail(line: str) -> str:
    """Remove "… Read more" from the end of the last paragraph."""
    start = max(0, len(line) - 120)
    tail = _TAIL.search(line, start)
    if tail is None:
        return line
    return line[: tail.start()].rstrip() + ("…" if tail["cut"] or tail.group().endswith(("…", "...")) else "")


def _without_controls(text: str) -> str:
    return _UNSAFE.sub("", text)


def _bounded(markup: str) -> str:
    markup = markup[:MAX_HTML_CHARACTERS]
    if markup.count("<") <= MAX_TAGS:
        return markup
    at = -1
    for _ in range(MAX_TAGS):
        at = markup.index("<", at + 1)
    return markup[:at]


def safe_web_url(url: str) -> str:
    """Return the URL if a link to it is safe, else "".

    Refused are schemes other than http(s), control characters, white space, credentials, and host names that
    mix Latin with Cyrillic or Greek letters, as look-alike addresses do. A space in a path is escaped.
    """
    url = re.sub(r"(?<=[^:/]/)(.*)", lambda path: path.group().replace(" ", "%20"), url.strip(), count=1)
    if len(url) > MAX_URL_CHARACTERS or _UNSAFE.search(url) or _SPACE.search(url) or "\\" in url:
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - the property raises for an invalid port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return ""
    return "" if any(_mixes_scripts(label) for label in _readable(host).split(".")) else url


def _readable(host: str) -> str:
    try:
        return host.encode("ascii").decode("idna") if "xn--" in host else host
    except UnicodeError:
        return host


def _mixes_scripts(label: str) -> bool:
    scripts = {unicodedata.name(letter, "?").split(" ")[0] for letter in label if letter.isalpha()}
    return len(scripts & {"LATIN", "CYRILLIC", "GREEK"}) > 1
