"""Parsing only new items gives the result of parsing everything, or is not done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.gather.entries.drafts import DocumentContext
from service.gather.entries.process import ProcessedDocument, process_document
from service.gather.entries.seen_items import seen_items_of, serialize, statistics_of
from service.gather.formats import rss_atom
from service.gather.formats.split_items import split_items
from tests.builders import NOON, a_feed
from tests.gather.fakes import items_of
from tests.gather.feeds import a_text, an_item, an_rss

FEED = a_feed()


def poll(body: str, seen_items: str = "", hours: int = 0) -> ProcessedDocument:
    since = NOON if seen_items else None
    return process_document(
        DocumentContext(FEED, seen_items, FEED.url, "", NOON + timedelta(hours=hours), since), body.encode()
    )


def parsed_whole(seen_items: str) -> str:
    """Return the seen items of a feed that is always parsed whole."""
    return serialize(replace(statistics_of(seen_items), splits=False), seen_items_of(seen_items).lines)


ODD_TEXTS = st.sampled_from(
    [
        "plain words",
        "<![CDATA[<p>Marked <b>up</b> & <item>not an item</item></p>]]>",
        "&lt;p&gt;Escaped &amp;amp; done&lt;/p&gt;",
        "<!-- <item> in a comment --> seen",
        "&#8220;quoted&#8221; Größe 橋",
        "<div xmlns='http://www.w3.org/1999/xhtml'><p>inline</p></div>",
        "",
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a feed and its next edition in one of four formats.

    Items stay, change, go, and come at the top, in the middle and at the end; some declare a namespace or a
    base of their own; the feed's own lines change or not.
    """
    head, item, foot = draw(st.sampled_from(SHAPES))
    texts = draw(st.lists(ODD_TEXTS, min_size=2, max_size=6))
    entries = [item.format(n=n, text=text, title=f"Title of number {n}") for n, text in enumerate(texts)]
    later = [
        entry if draw(st.booleans()) else entry.replace("Title of", "New title of")
        for entry in entries
        if draw(st.integers(0, 4))
    ]
    for n in range(draw(st.integers(0, 3))):
        fresh = item.format(n=100 + n, text=draw(ODD_TEXTS), title="Breaking")
        fresh = draw(st.sampled_from(OWN_WORDS))(fresh)
        later.insert(draw(st.integers(0, len(later))), fresh)
    gap = draw(st.sampled_from(["", "\n", "<!-- gap -->", "<!-- <item> -->", " \n ", "<?gap?>"]))
    later_head = head.replace(">T<", ">Renamed<") if draw(st.booleans()) else head
    return head + gap.join(entries) + foot, later_head + gap.join(later) + foot


OWN_WORDS = (
    str,
    str,
    lambda item: item.replace(">", " xmlns:dc='http://purl.org/dc/elements/1.1/'>", 1),
    lambda item: item.replace(">", " xml:base='https://b.example/'>", 1),
    lambda item: item.replace("Breaking", "<![CDATA[Breaking </item> <item>]]>"),
)


RSS_ITEM = (
    "<item><title>{title}</title><link>https://a.example/{n}</link><guid isPermaLink='false'>g{n}</guid>"
    "<description>{text}</description><pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate></item>"
)
RDF_ITEM = (
    '<item rdf:about="https://a.example/{n}"><title>{title}</title><link>https://a.example/{n}</link>'
    "<description>{text}</description></item>"
)
ATOM_ITEM = (
    '<entry a="x > y"><id>urn:{n}</id><title>{title}</title><link href="{n}"/>'
    '<summary type="html">{text}</summary>'
    "<updated>2026-03-02T10:00:00Z</updated></entry>"
)
PREFIXED_ITEM = (
    "<x:entry><x:id>urn:{n}</x:id><x:title>{title}</x:title><x:link href='https://a.example/{n}'/>"
    "<x:content type='html'>{text}</x:content></x:entry>"
)
RDF_HEAD = (
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>"
    "<channel><items/></channel>"
)
SHAPES = [
    ("<?xml version='1.0'?><rss version='2.0'><channel><title>T</title>", RSS_ITEM, "</channel></rss>"),
    (
        RDF_HEAD,
        RDF_ITEM,
        "</rdf:RDF>",
    ),
    (
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://a.example/'><title>T</title>",
        ATOM_ITEM,
        "</feed>",
    ),
    (
        "<x:feed xmlns:x='http://www.w3.org/2005/Atom'><x:title>T</x:title>",
        PREFIXED_ITEM,
        "</x:feed>",
    ),
]


@given(documents())
@settings(max_examples=120, deadline=None)
def test_only_what_is_new_is_parsed_and_comes_out_the_same(feeds: tuple[str, str]):
    before, after = feeds
    seen_items = poll(before).seen_items

    quick, whole = poll(after, seen_items, 1), poll(after, parsed_whole(seen_items), 1)

    assert quick.new == whole.new
    assert (quick.edited, quick.held, quick.note) == (whole.edited, whole.held, whole.note)
    assert items_of(quick.seen_items) == items_of(whole.seen_items) or not statistics_of(seen_items).splits


@given(documents())
@settings(deadline=None)
def test_a_split_document_joins_to_itself_and_its_parts_parse_alone(feeds: tuple[str, str]):
    document = rss_atom.to_utf8(feeds[0].encode())
    pieces = split_items(document)

    assert pieces is not None
    assert pieces.with_items(range(len(pieces.items))) == document
    whole = rss_atom.read(document, "https://a.example/feed").entries
    for n in range(len(whole)):
        assert rss_atom.read(pieces.with_items({n}), "https://a.example/feed").entries == (whole[n],)


@given(st.text(alphabet="<>/item![CDATA]-? \"'=x:", max_size=60))
def test_splitting_never_raises_and_never_loses_a_byte(text: str):
    pieces = split_items(text.encode())

    assert pieces is None or pieces.with_items(range(len(pieces.items))) == text.encode()


@pytest.mark.parametrize(
    "document",
    [
        "<rss><item><title>a</title>",
        "<rss><item><item>nested</item></item></rss>",
        "<rss><item>a</item><entry>b</entry></rss>",
        "<rss></item><item></item></rss>",
        "<rss><item>a</item><!-- never closed <item>b</item></rss>",
        "<rss><item><![CDATA[never closed</item></rss>",
    ],
)
def test_an_ambiguous_document_is_not_split(document: str):
    assert split_items(document.encode()) is None


def test_a_feed_with_broken_markup_is_parsed_whole_every_time():
    broken = an_rss(an_item(1, description=None), "<item><title>Fish & chips</title></item>")

    assert not statistics_of(poll(broken).seen_items).splits


def test_a_feed_that_becomes_broken_is_parsed_whole_and_loses_nothing():
    seen_items = poll(an_rss(an_item(1), an_item(2))).seen_items
    assert statistics_of(seen_items).splits

    later = poll(an_rss("<item><title>Fish & chips</title></item>", an_item(1), an_item(2)), seen_items, 1)

    assert [draft.title for draft in later.new] == ["Fish & chips"]
    assert not statistics_of(later.seen_items).splits


def test_a_feed_of_a_hundred_thousand_items_costs_no_more_than_its_ends(monkeypatch):
    monkeypatch.setattr("service.gather.entries.process.MAX_ENTRIES", 200)
    items = "".join(f"<item><title>Item {n}</title><guid>g{n}</guid></item>" for n in range(100_000))

    found = poll(an_rss(items))

    assert statistics_of(found.seen_items).entries == 200
    assert [draft.title for draft in found.new] == [f"Item {n}" for n in reversed(range(10))]


def test_the_memory_of_a_large_feed_stays_small():
    found = poll(an_rss(*(an_item(n, description=a_text(str(n), 1)) for n in range(1_000))))

    assert len(found.seen_items) < 70_000
