"""Every format that feeds come in, and everything that is served in a feed's place.

Each file in fixtures/ carries its own expectation: a comment (or, in JSON, a key) with the part of the
answer that matters. A feed that was read wrongly becomes another file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import FeedUnreadable, UnknownName
from service.gather.formats import registry as formats
from service.gather.inspect import Inspection, inspect_document
from tests.gather.feeds import an_item, an_rss, numbered

FIXTURES = sorted((Path(__file__).parent / "fixtures").iterdir())
ATOM = (Path(__file__).parent / "fixtures" / "atom10.xml").read_text(encoding="utf-8")


def answer(body: bytes, content_type: str = "") -> dict[str, Any]:
    try:
        return inspect_document("x", body, content_type).as_json()
    except FeedUnreadable as trouble:
        return Inspection("x", ok=False, error=str(trouble)).as_json()


def expectation(text: str) -> dict[str, Any]:
    if text.startswith("{"):
        return json.loads(text)["_expect"]
    found = re.search(r"<!-- expect: (.*?) -->", text, re.DOTALL)
    assert found
    return json.loads(found.group(1))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_a_fixture_gives_its_expected_result(path: Path):
    expected = expectation(path.read_text(encoding="utf-8"))
    got = answer(path.read_bytes())

    entries = [
        {key: entry[key] for key in wanted}
        for wanted, entry in zip(expected["entries"], got["entries"], strict=True)
    ]
    assert {**{key: got[key] for key in expected}, "entries": entries} == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "cp037"])
def test_a_feed_in_a_wide_encoding_is_read_whatever_it_declares(encoding: str):
    text = an_rss(an_item(1, title="Smørrebrød"))
    got = answer(text.encode(encoding))

    assert [entry["title"] for entry in got["entries"]] == ["Smørrebrød"]


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("iso-8859-1", "Café Größe"),
        ("windows-1251", "Мост закрыт"),
        ("koi8-r", "Мост закрыт"),
        ("shift_jis", "橋が閉鎖"),
        ("gb2312", "大桥关闭"),
        ("iso-2022-jp", "橋が閉鎖"),
        ("euc-kr", "다리 폐쇄"),
    ],
)
def test_a_declared_encoding_holds_in_the_document_or_in_the_header(encoding: str, title: str):
    declared = an_rss(an_item(1, title=title)).replace("utf-8", encoding).encode(encoding)
    silent = an_rss(an_item(1, title=title)).replace(' encoding="utf-8"', "").encode(encoding)

    assert answer(declared)["entries"][0]["title"] == title
    assert answer(silent, f"application/rss+xml; charset={encoding}")["entries"][0]["title"] == title


def test_utf_8_is_utf_8_even_if_the_header_or_the_document_says_latin_1():
    feed = an_rss(an_item(1, title="Größe")).replace("utf-8", "iso-8859-1").encode("utf-8")

    assert answer(feed, "text/xml; charset=iso-8859-1")["entries"][0]["title"] == "Größe"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("windows-1251", "Мост через реку закрыт до весны, сообщил городской совет в понедельник."),
        ("shift_jis", "市議会は月曜日、古い橋を架け替えることを決めた。工事は春に始まる予定である。"),
        ("gb2312", "市议会周一决定重建旧桥。工程将于春季开始，为期两年。"),
        ("windows-1252", "Die Stadt beschließt, die „Brücke“ neu zu bauen – für später."),
    ],
)
def test_an_undeclared_encoding_is_detected_by_its_script(encoding: str, text: str):
    feed = an_rss(an_item(1, title=text, description=text)).encode(encoding)

    assert answer(feed)["entries"][0]["title"] == text


def test_one_invalid_byte_affects_one_character():
    feed = an_rss(*(an_item(n, title=f"Größe Nummer {n}") for n in range(1, 5))).encode()
    at = feed.index(b"Nummer 2")

    titles = [entry["title"] for entry in answer(feed[:at] + b"\xff" + feed[at + 1 :])["entries"]]

    assert titles == ["Größe Nummer 1", "Größe \ufffdummer 2", "Größe Nummer 3", "Größe Nummer 4"]


def test_what_was_meant_as_windows_1252_is_read_so():
    feed = an_rss(an_item(1, title="“Quotes” – and dashes")).encode("windows-1252")

    assert answer(feed)["entries"][0]["title"] == "“Quotes” – and dashes"


@pytest.mark.parametrize("percent", range(1, 100))
def test_a_feed_cut_off_anywhere_gives_whole_entries_or_none(percent: int):
    for feed in (numbered(range(1, 8)).encode(), ATOM.encode()):
        whole = [json.dumps(entry) for entry in answer(feed)["entries"]]

        got = answer(feed[: len(feed) * percent // 100])

        assert [json.dumps(entry) for entry in got["entries"]] == whole[: len(got["entries"])]


@given(st.data())
def test_flipped_bytes_never_raise_and_never_make_more_entries(data: st.DataObject):
    feed = bytearray(data.draw(st.sampled_from([numbered(range(1, 5)).encode(), ATOM.encode()])))
    count = len(answer(bytes(feed))["entries"])
    for _ in range(data.draw(st.integers(1, 8))):
        feed[data.draw(st.integers(0, len(feed) - 1))] = data.draw(st.integers(0, 255))

    got = answer(bytes(feed))

    assert len(got["entries"]) <= count
    assert all(entry["title"] or entry["url"] or entry["text"] for entry in got["entries"])


@given(st.binary(max_size=400))
def test_garbage_gives_a_sentence(body: bytes):
    got = answer(body)

    assert not got["ok"]
    assert got["error"]
    assert got["entries"] == []


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"%PDF-1.7 ...", "a PDF file, not a feed"),
        (b"\x1f\x8b\x08\x00", "a gzip file, not a feed"),
        (b"\x89PNG\r\n\x1a\n", "a picture, not a feed"),
        (b" \n ", "the response is empty"),
        (b"[" * 100_000, "the JSON is invalid (nested too deeply)"),
        (b"<rss>" + b"<a>" * 5_000, "the XML is invalid, and no entry could be read from it"),
    ],
    ids=["pdf", "gzip", "png", "blank", "deep json", "deep xml"],
)
def test_other_files_are_named_by_their_kind(body: bytes, what: str):
    assert answer(body)["error"].startswith(what)


def test_invalid_character_references_are_replaced():
    feed = an_rss(
        "<item><title>a &#1114112; b &#xD800; c &#x1F600;</title><link>https://a.example/1</link></item>"
    )

    assert answer(feed.encode())["entries"][0]["title"] == "a \ufffd b \ufffd c 😀"


def test_entities_that_expand_too_far_are_refused():
    item = f"<item><title>{'&a;' * 2000}</title></item>"
    bomb = f'<!DOCTYPE rss [<!ENTITY a "{"x" * 1000}">]><rss><channel>{item}</channel></rss>'

    assert answer(bomb.encode())["error"].endswith("expand to too much text")


def test_the_bytes_of_a_feed_are_never_taken_for_the_name_of_a_file():
    assert not answer(b"/etc/passwd")["ok"]


def test_a_very_long_name_takes_linear_time():
    author = "a" * 300_000  # quadratic, this would take minutes
    feed = an_rss(
        an_item(1, author=author),
        an_item(2).replace("</item>", f"<author><![CDATA[{author}]]></author></item>"),
    )

    assert len(answer(feed.encode())["entries"]) == 2


def test_a_large_document_that_cannot_be_split_is_refused():
    feed = an_rss("<item><title>x</title>" * 200_000)

    assert answer(feed.encode())["error"] == "the XML is larger than 4 MB and cannot be split into items"


def test_an_unknown_format_lists_the_known_ones():
    with pytest.raises(UnknownName, match="Known: json, xml"):
        formats.reader_for("rss")
