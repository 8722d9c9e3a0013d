"""Lists of feeds: import from any feed reader and export to any other."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import FeedUnreadable
from service.gather.formats.opml import MAX_OPML_BYTES, ListedFeed, read_opml, write_opml
from tests.attacks.budget import overspent
from tests.builders import NOON, a_feed

LIST = """<?xml version="1.0" encoding="UTF-8"?>
<!-- a list -->
<opml version="1.0"><head><title>Mine</title></head><body>
  <outline text="World"><outline text="Africa" title="Africa">
    <outline type="rss" text="Nyanza &amp; Co" title="Nyanza &amp; Co" xmlUrl="https://n.example/rss" htmlUrl="https://n.example/"/>
  </outline></outline>
  <outline text="Top" xmlurl="http://t.example/atom" category="/Money/Banks,tech"/>
  <outline type="link" text="A page" url="https://p.example/"/>
  <outline type="rss" text="Old style" url="https://o.example/rss"/>
  <outline text="Economy"><outline text="Nyanza again" xmlUrl="https://n.example/rss"/></outline>
  <outline text="Bad" xmlUrl="javascript:alert(1)"/>
</body></opml>"""


def test_folders_and_categories_become_topics():
    assert read_opml(LIST.encode()).feeds == (
        ListedFeed("https://n.example/rss", "Nyanza & Co", ("world", "africa", "economy")),
        ListedFeed("http://t.example/atom", "Top", ("money", "banks", "tech")),
        ListedFeed("https://o.example/rss", "Old style"),
    )


def test_skipped_feeds_are_named():
    assert read_opml(LIST.encode()).skipped == ("line 11: Bad: 'javascript:alert(1)' is not a web address",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_lists_come_in_any_encoding(encoding: str):
    text = LIST.replace("UTF-8", encoding).replace("Top", "Größe")

    assert read_opml(text.encode(encoding)).feeds[1].name == "Größe"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the list is broken in line 1: it holds no element"),
        (b"hello", "the list is broken in line 1: not well-formed"),
        (b"<opml>\n<body>\n<outline>\n</body></opml>", "the list is broken in line 4: the tags do not match"),
        (b"<?xml version='1.0'?>\n<opml>\n</body>", "the list is broken in line 3: the tags do not match"),
        (b"<html><body/></html>", "not a list of feeds: it starts with <html>, not with <opml>"),
    ],
)
def test_a_document_that_is_not_a_list_gives_a_sentence(body: bytes, sentence: str):
    with pytest.raises(FeedUnreadable) as trouble:
        read_opml(body)
    assert str(trouble.value) == sentence


ENTITIES = (
    '<!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE opml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY x "&b;&b;&b;">]>',
    '<!doctype opml [\n<!entity x "y">\n]>',
)


@pytest.mark.parametrize("doctype", ENTITIES)
def test_a_list_that_declares_entities_is_refused(doctype: str):
    evil = LIST.replace("<!-- a list -->", doctype).replace("Top", "&x;")

    with pytest.raises(FeedUnreadable, match="declares XML entities"):
        read_opml(evil.encode())


def test_a_feed_nested_too_deeply_is_named():
    folders, ends = "<outline text='x'>" * 50_000, "</outline>" * 50_000
    deep = f"<opml><body>{folders}<outline xmlUrl='https://a.example/'/>{ends}</body></opml>"

    assert read_opml(deep.encode()).feeds == ()
    assert read_opml(deep.encode()).skipped == (
        "line 1: a feed without a name: it is nested in more than 50 folders",
    )


A = '<outline text="A" type="rss" xmlUrl="https://a.example/rss"/>\n'
Z = '<outline text="Z" type="rss" xmlUrl="https://z.example/rss"/>\n'


def a_list(*outlines: str) -> str:
    """Return a list of the outlines between two valid ones; the first of them is in line 4."""
    between = "\n".join(outlines)
    return f'<?xml version="1.0"?>\n<opml version="2.0"><body>\n{A}{between}\n{Z}</body></opml>\n'


B = "https://b.example/?a=1&b=2"
FAULTS = {
    "a raw & in an address": (f'<outline text="B" xmlUrl="{B}"/>', "B", B),
    "a raw & in a title": ('<outline text="B & Co" xmlUrl="https://b.example/"/>', "B & Co", "https://b.example/"),
    "a raw < in a title": ('<outline text="B <3" xmlUrl="https://b.example/"/>', "B <3", "https://b.example/"),
    "tags in a title": (
        '<outline text="B <b>now</b>" xmlUrl="https://b.example/"/>', "B <b>now</b>", "https://b.example/",
    ),
    "raw quotes in a title": (
        '<outline text="B "now" or "then"" xmlUrl="https://b.example/"/>',
        'B "now" or "then"', "https://b.example/",
    ),
    "an equals sign and raw quotes in a title": (
        '<outline text="B 1="2"" xmlUrl="https://b.example/"/>', 'B 1="2"', "https://b.example/",
    ),
    "an entity of HTML": (
        '<outline text="B&nbsp;caf&eacute;" xmlUrl="https://b.example/"/>', "B café", "https://b.example/",
    ),
    "a reference to a control character": (
        '<outline text="B&#1;" xmlUrl="https://b.example/"/>', "B", "https://b.example/",
    ),
    "an attribute twice": (
        '<outline text="B" text="C" xmlUrl="https://b.example/"/>', "B", "https://b.example/",
    ),
    "no blank between attributes": (
        '<outline text="B"xmlUrl="https://b.example/"/>', "B", "https://b.example/",
    ),
    "a namespace that nobody declared": (
        '<outline text="B" ns:a="1" xmlUrl="https://b.example/"/>', "B", "https://b.example/",
    ),
    "other case": ('<OUTLINE TEXT="B" XMLURL="https://b.example/" TYPE="RSS"/>', "B", "https://b.example/"),
    "single quotes": ("<outline text='B' xmlurl='https://b.example/'/>", "B", "https://b.example/"),
    "url for xmlUrl": ('<outline text="B" type="rss" url="https://b.example/"/>', "B", "https://b.example/"),
    "url without a type": ('<outline text="B" url="https://b.example/"/>', "B", "https://b.example/"),
    "an address escaped twice": (
        '<outline text="B &amp;amp; Co" xmlUrl="https://b.example/?a=1&amp;amp;b=2"/>', "B & Co", B,
    ),
    "a feed scheme": ('<outline text="B" xmlUrl="feed://b.example/"/>', "B", "http://b.example/"),
    "a feed scheme before another": (
        '<outline text="B" xmlUrl="feed:https://b.example/"/>', "B", "https://b.example/",
    ),
    "blanks around the address": (
        '<outline text="B" xmlUrl=" https://b.example/\n"/>', "B", "https://b.example/",
    ),
    "a tag that is never closed": (
        '<outline text="B" xmlUrl="https://b.example/">', "B", "https://b.example/",
    ),
    "a comment with two hyphens": (
        f'<!-- no -- {A.replace("a.example", "no.example")} --><outline text="B" xmlUrl="https://b.example/"/>',
        "B", "https://b.example/",
    ),
    "a stray end": ('</outline><outline text="B" xmlUrl="https://b.example/"/>', "B", "https://b.example/"),
    "control characters": (
        '<outline text="B\x01\x0b" xmlUrl="https://b.example/"/>', "B", "https://b.example/",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_feed_is_imported_in_spite_of(fault: str):
    outline, name, url = FAULTS[fault]
    listing = read_opml(a_list(outline).encode())

    assert [feed.url for feed in listing.feeds] == ["https://a.example/rss", url, "https://z.example/rss"]
    assert listing.feeds[1].name == name
    assert listing.skipped == ()


LOST = {
    '<outline text="B" xmlUrl="https://b.example/ />': "B: its attributes cannot be separated",
    '<outline text="B xmlUrl="https://b.example/" />': (
        'B xmlUrl="https://b.example/: its address cannot be read'
    ),
    '<outline text="B & C" xmlUrl="javascript:alert(1)"/>': (
        "B & C: 'javascript:alert(1)' is not a web address"
    ),
    '<outline text="B & C" xmlUrl=https://b.example/ />': (
        "a feed without a name: its attributes cannot be separated"
    ),
}


@pytest.mark.parametrize("outline", LOST)
def test_a_skipped_outline_is_named_with_its_line_and_the_rest_imported(outline: str):
    listing = read_opml(a_list("<outline text='R & D'/>", outline).encode())

    assert [feed.name for feed in listing.feeds] == ["A", "Z"]
    assert listing.skipped == (f"line 5: {LOST[outline]}",)


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("\n\n", ""),
        ("Warning: something in line 3\n", ""),
        ("\ufeff", ""),
        ("", "</body></opml>"),
        ("", "<script>track()</script>"),
        ("", "\x00\x00"),
        ("<!DOCTYPE opml>\n", ""),
    ],
)
def test_text_around_a_list_is_ignored(before: str, behind: str):
    assert len(read_opml((before + a_list() + behind).encode()).feeds) == 2


def test_an_incomplete_list_gives_its_complete_outlines():
    whole = a_list('<outline text="B" xmlUrl="https://b.example/"/>')
    listing = read_opml(whole[: whole.index("b.example")].encode())

    assert [feed.name for feed in listing.feeds] == ["A"]
    assert listing.skipped == ("line 4: B: it is incomplete",)


def test_folders_are_topics_in_a_list_that_is_not_well_formed():
    feed = A.replace("a.example", "b.example")
    folders = f'<outline text="R & D"><outline text="Deep">{feed}</outline></outline>'
    feeds = read_opml(a_list(folders).encode()).feeds

    assert [feed.topics for feed in feeds] == [(), ("r & d", "deep"), ()]


def test_latin_1_declared_as_utf_8_is_read():
    text = a_list('<outline text="Größe & Co" xmlUrl="https://b.example/"/>')
    text = text.replace('"1.0"', '"1.0" encoding="utf-8"')

    assert read_opml(text.encode("latin-1")).feeds[1].name == "Größe & Co"


def test_a_too_large_list_is_refused():
    with pytest.raises(FeedUnreadable, match="larger than 16 MB"):
        read_opml(b" " * (MAX_OPML_BYTES + 1))


@pytest.mark.long
def test_reading_any_list_takes_time_in_proportion_to_its_length():
    assert not overspent("tests.attacks.lists:lists")


TOPICS = st.lists(
    st.sampled_from(["world", "economy", "science & tech", 'a "quoted" <one>']), max_size=3, unique=True
)
NAMES = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30)


@given(st.lists(st.tuples(NAMES, TOPICS), max_size=6))
def test_what_is_written_is_read(names: list[tuple[str, list[str]]]):
    feeds = [
        replace(a_feed(f"https://{n}.example/?a=1&b=2"), name=name, topics=tuple(topics))
        for n, (name, topics) in enumerate(names)
    ]

    read = read_opml(write_opml(feeds, title="Mine", now=NOON)).feeds

    assert sorted((f.url, f.topics) for f in read) == sorted((f.url, f.topics) for f in feeds)


def test_an_export_is_sorted_into_folders_without_file_feeds():
    written = write_opml([a_feed(), a_feed("file:notices.xml")], title="Mine", now=NOON)

    root = ET.fromstring(written)  # noqa: S314 - our own
    assert root.get("version") == "2.0"
    assert root.findtext("head/dateCreated") == "Mon, 02 Mar 2026 12:00:00 +0000"
    assert [outline.get("xmlUrl") for outline in root.iter("outline")] == [None, "https://news.example/rss"]
