"""Lists of feeds, in from any reader and out to any other."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import FeedUnreadable
from service.gather.opml import Listed, read_opml, write_opml
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
        Listed("https://n.example/rss", "Nyanza & Co", ("world", "africa", "economy")),
        Listed("http://t.example/atom", "Top", ("money", "banks", "tech")),
        Listed("https://o.example/rss", "Old style"),
    )


def test_what_is_left_out_is_named():
    assert read_opml(LIST.encode()).left_out == ("Bad: 'javascript:alert(1)' is no web address",)


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
        (b"<html><body/></html>", "no list of feeds: it begins with <html>, not with <opml>"),
    ],
)
def test_what_is_no_list_is_a_sentence(body: bytes, sentence: str):
    with pytest.raises(FeedUnreadable) as trouble:
        read_opml(body)
    assert str(trouble.value) == sentence


def test_a_list_reads_no_other_file():
    evil = LIST.replace(
        "<!-- a list -->", '<!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    ).replace("Top", "&x;")

    with pytest.raises(FeedUnreadable):
        read_opml(evil.encode())


def test_a_very_deep_list_is_read_as_far_as_anybody_would_nest():
    folders, ends = "<outline text='x'>" * 5_000, "</outline>" * 5_000
    deep = f"<opml><body>{folders}<outline xmlUrl='https://a.example/'/>{ends}</body></opml>"

    assert read_opml(deep.encode()).feeds == ()


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


def test_an_export_is_tidy_and_keeps_files_at_home():
    written = write_opml([a_feed(), a_feed("file:notices.xml")], title="Mine", now=NOON)

    root = ET.fromstring(written)  # noqa: S314 - our own
    assert root.get("version") == "2.0"
    assert root.findtext("head/dateCreated") == "Mon, 02 Mar 2026 12:00:00 +0000"
    assert [outline.get("xmlUrl") for outline in root.iter("outline")] == [None, "https://news.example/rss"]
