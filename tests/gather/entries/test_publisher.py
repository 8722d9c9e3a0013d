"""The publisher of an aggregator's entry is its source."""

from __future__ import annotations

import pytest

from service.core.ids import feed_id
from service.core.model import Entry, Feed
from service.gather.entries.publisher import repeats_title, source_name, without_publisher

URL = "https://news.aggregator.example/rss"
FEED = Feed(feed_id(URL), URL, "Lab Wire")


def name(source: str, source_url: str, url: str = URL) -> str:
    return source_name(Entry("", "", "", "", source=source, source_url=source_url), FEED, "All news", url)


def test_a_source_at_another_site_is_the_publisher() -> None:
    assert name("Velmarsh <b>Courier</b>", "https://courier.example") == "Velmarsh Courier"


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("lab wire", "https://courier.example"),
        ("All News", "https://courier.example"),
        ("World section", "https://www.aggregator.example/world"),
        ("World section", "https://world.aggregator.example/"),
        ("Courier", ""),
        ("Courier", "javascript:alert(1)"),
        ("Courier", "https://[broken"),
        ("", "https://courier.example"),
        ("x" * 200, "https://courier.example"),
    ],
)
def test_a_source_that_is_the_feed_itself_or_unknown_is_none(source: str, address: str) -> None:
    assert name(source, address) == ""


def test_the_address_after_redirects_is_the_feeds_own_too() -> None:
    assert name("Section", "https://moved.example/a", "https://moved.example/rss") == ""


@pytest.mark.parametrize("separator", [" - ", " – ", " | ", " · ", ": "])
def test_the_publisher_is_dropped_from_the_end_of_a_title(separator: str) -> None:
    assert without_publisher(f"Ferry approved{separator}The Courier", "The courier") == "Ferry approved"


@pytest.mark.parametrize("title", ["Fire at The Courier", "The Courier", "- The Courier", "Ferry approved"])
def test_a_publisher_that_belongs_to_the_sentence_stays(title: str) -> None:
    assert without_publisher(title, "The Courier") == title
    assert without_publisher(title, "") == title


def test_a_text_of_title_and_publisher_says_nothing_more() -> None:
    assert repeats_title("Ferry approved  The Courier", "Ferry approved", "The Courier")
    assert repeats_title("Ferry approved", "Ferry approved", "The Courier")
    assert not repeats_title("Ferry approved", "Ferry approved", "")
    assert not repeats_title("Ferry approved by all. The Courier", "Ferry approved", "The Courier")
