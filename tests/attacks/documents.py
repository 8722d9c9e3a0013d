"""Feeds, pages, robots.txt files and tables that may cost a parser time or depth."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from itertools import product

from protego import Protego

from service.gather.entries.page_paths import LearnedPath
from service.gather.formats import registry as formats
from service.gather.formats.html_links import feed_links
from service.gather.pages.full_text import read_page
from service.subscribers.import_formats import read_rows
from service.web.request_bodies import fields_of
from tests.attacks.budget import Attack

BYTES = 200_000
FEED_BYTES = 60_000  # feedparser takes milliseconds for a kilobyte of tags

FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>A</title>'
FEED_HEADS = (
    "",
    FEED,
    FEED + "<item><description>",
    "<!DOCTYPE rss [",
    "<feed ",
    '{"items": [',
)
FEED_PIECES = (
    "<item>", "<item><title>x</title><link>https://a.example/</link></item>", "<a>", "<", "<!--",
    "<![CDATA[", "&",
    "&lt;", "&#", "&amp;", "<a b=", "<a b='", '<a b="c" ', " ", "\n", "]]>", "<!ENTITY a 'b'>", "%a;",
    "<?a ?>",
    "<textinput>", "[", "{", "[[", '{"a":', '"', "\\", "9", "1,", "<author>a", "</item>", "a:",
    "xmlns:a='b' ",
    "&lt;p", "&lt;!--", "&lt;b&gt;", "(", "a@b.", "中",
)  # fmt: skip
PAGE_HEADS = ("", "<html><head>", "<html><body><article><p>")
PAGE_PIECES = (
    "<p>", "<div>", "<a href=", "<b>", "<table><tr><td>", "<!--", "<script>", "<style>", "<", "</p>",
    "&", " ",
    "<p>Some words here that go on.", "<link rel=alternate type=application/rss+xml href=a>",
    "<meta charset=a>",
    "<title>", "a", "<br>", "<font><b>", "<select>", "<svg>", "<ul><li>", "'", "\n", "<a b='", "<p a=1 ", "(",
)  # fmt: skip
TABLES = ('"', "a,", ",", "\n", "a\n", '""', "a;", "\t", " ", '","', "\0", "[", '{"email": ')
FORMS = ("a=b&", "&", "=", "%", "%41", "+", "a", "a=%ff&")
RULES = ("User-agent: *\nDisallow: /", "", "User-agent: ", "User-agent: *\nDisallow: /a\n")
RULE_PIECES = (
    "*a",
    "*",
    "%",
    "$",
    "a",
    " ",
    "#",
    ":",
    "\n",
    "User-agent: a\n",
    "Disallow: /*a$\n",
    "Sitemap: a\n",
)
PATH = "https://x.example/" + "ab" * 900


def feeds() -> Iterator[Attack]:
    """Yield reading each feed."""
    for head, piece in product(FEED_HEADS, FEED_PIECES):
        yield f"{head[-40:]!r} and {piece!r}", partial(feed, (head + repeated(piece, FEED_BYTES)).encode())
    charsets = (
        "punycode",
        "idna",
        "utf-7",
        "unicode_escape",
        "hz",
        "iso2022_kr",
        "undefined",
        "base64",
        "zlib",
    )
    for charset, piece in product(charsets, ("a-", "+AGE-", "~{", "\\u0041", "é")):
        document = f'<?xml version="1.0" encoding="{charset}"?><rss>{repeated(piece, FEED_BYTES)}'.encode(
            "latin-1"
        )
        yield f"{charset} and {piece!r}", partial(feed, document)
    # "~{" keeps a document from being detected as UTF-8; the insertions follow the hyphen.
    yield "insertions of punycode", partial(feed, b"<?xml encoding='punycode'?><rss>~{-" + b"a" * 2 * BYTES)


def feed(body: bytes) -> object:
    """Read a feed as the pool does."""
    formats.sniff(body)
    return formats.read(body)


def pages() -> Iterator[Attack]:
    """Yield reading each page for the feeds that it names."""
    for head, piece in product(PAGE_HEADS, PAGE_PIECES):
        yield f"{head!r} and {piece!r}", partial(feed_links, head + repeated(piece), PATH)


def articles() -> Iterator[Attack]:
    """Yield reading each page for its article, first where other pages have it."""
    learned = LearnedPath("p", is_trusted=True)
    for head, piece in product(PAGE_HEADS, PAGE_PIECES):
        page = (head + repeated(piece)).encode()
        yield (
            f"{head!r} and {piece!r}",
            partial(read_page, page, "A title", "A teaser", PATH, learned=learned),
        )


def texts() -> Iterator[Attack]:
    """Yield reading each table, form and robots.txt."""
    for head, piece in product(("email,name\n", "", "[\n"), TABLES):
        for name in ("people.csv", "people.jsonl"):
            body = (head + repeated(piece)).encode()
            yield f"{name}: {head!r} and {piece!r}", partial(table, body, name)
    for piece in FORMS:
        yield f"a form of {piece!r}", partial(fields_of, repeated(piece, 64 * 1024).encode())
    for head, piece in product(RULES, RULE_PIECES):
        yield f"robots.txt: {head!r} and {piece!r}", partial(robots, head + repeated(piece))


def table(body: bytes, name: str) -> object:
    """Read every row."""
    return list(read_rows(io.BytesIO(body), name))


def robots(text: str) -> object:
    """Parse the rules and check the longest path that the service checks."""
    return Protego.parse(text).can_fetch(PATH, "Caveat")


def repeated(piece: str, length: int = BYTES) -> str:
    """Return the piece as often as it fits."""
    return piece * (length // len(piece.encode()))
