"""Ids are computed from content: the same thing has the same id, and different things have different ones."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import ids as identity
from tests.builders import an_edition

anything = st.text(st.characters())
"""Text of every kind, lone surrogates among it."""


# --- pages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling",
    [
        "https://news.example/a",
        "http://news.example/a",
        "https://www.news.example/a/",
        "HTTPS://NEWS.example:443/a",
        "http://news.example:80/a#comments",
        " https://news.example/a?utm_source=rss&fbclid=x ",
        "https://reader@news.example/a?UTM_Medium=feed",
    ],
)
def test_spellings_of_one_address_are_one_page(spelling: str):
    assert identity.canonical_url(spelling) == "https://news.example/a"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://news.example/a", "https://news.example/b"),
        ("https://news.example/?id=1", "https://news.example/?id=2"),
        ("https://news.example/a", "https://news.example/A"),
        ("https://news.example/", "https://news.example:8443/"),
        ("https://[2001:db8::1]/", "https://[2001:db8::2]/"),
    ],
)
def test_different_pages_stay_apart(one: str, other: str):
    assert identity.canonical_url(one) != identity.canonical_url(other)


@pytest.mark.parametrize(
    "url", ["", "mailto:a@b.example", "urn:isbn:1", "https://", "http://[::1", "//x.example"]
)
def test_what_is_no_web_address_is_left_as_it_is(url: str):
    assert identity.canonical_url(f" {url} ") == url


@given(st.one_of(anything, anything.map("https://news.example/".__add__), st.from_regex(r"https?://\S*")))
def test_an_address_is_canonical_after_one_round_whatever_it_holds(url: str):
    once = identity.canonical_url(url)

    assert identity.canonical_url(once) == once


def test_an_article_is_its_page_whatever_its_feed_calls_it():
    ours = identity.article_id("feed-1", "guid-1", "https://news.example/a", "A title")

    assert ours == identity.article_id(
        "feed-2", "guid-2", "http://www.news.example/a?utm_source=x", "Another"
    )


def test_an_article_without_a_page_is_its_guid_or_title_in_its_feed():
    by_guid = identity.article_id("feed", "guid", "", "A title")
    by_title = identity.article_id("feed", "", "", "A title")

    assert by_guid == identity.article_id("feed", "guid", "", "A new title")
    assert by_title == identity.article_id("feed", "", "", "A title")
    assert by_guid != by_title
    assert by_title != identity.article_id("another feed", "", "", "A title")


def test_a_story_is_its_articles_in_any_order():
    assert identity.story_id(["a", "b"]) == identity.story_id(["b", "a"])
    assert identity.story_id(["a", "b"]) != identity.story_id(["ab"])


# --- people ------------------------------------------------------------------------------------


def test_a_person_is_their_address_in_any_spelling():
    decomposed = unicodedata.normalize("NFD", "zoë@example.org")

    assert identity.subscriber_id(" Zoë@Example.ORG ") == identity.subscriber_id(decomposed)
    assert identity.address_hash("ZOË@example.org") == identity.address_hash(decomposed)


@given(anything)
def test_a_folded_address_stays_as_it_is(email: str):
    once = identity.fold_address(email)

    assert identity.fold_address(once) == once


def test_a_suppressed_address_cannot_be_read_back():
    assert "amina" not in identity.address_hash("amina@example.org")


# --- editions, issues, deliveries --------------------------------------------------------------


def test_an_edition_is_its_wishes():
    assert identity.edition_key(an_edition()) == identity.edition_key(an_edition())
    assert identity.edition_key(an_edition()) != identity.edition_key(an_edition(stories=5))
    assert identity.edition_key(an_edition(topics=("a", "b"))) != identity.edition_key(
        an_edition(topics=("ab",))
    )


def test_an_issue_is_its_edition_moment_and_beginning():
    ids = {
        identity.issue_id("edition", "2026-03-02T07:00", 0),
        identity.issue_id("edition", "2026-03-03T07:00", 0),
        identity.issue_id("edition", "2026-03-02T07:00", 1),
        identity.issue_id("another", "2026-03-02T07:00", 0),
    }
    assert len(ids) == 4


def test_a_delivery_is_its_issue_reader_and_channel():
    assert identity.delivery_id("issue", "person", "smtp") == identity.delivery_id("issue", "person", "smtp")
    assert identity.delivery_id("issue", "person", "smtp") != identity.delivery_id("issue", "person", "file")


@given(st.lists(anything, min_size=1), st.lists(anything, min_size=1))
def test_ids_differ_where_the_parts_do(one: list[str], other: list[str]):
    assert (identity.content_id("test", *one) == identity.content_id("test", *other)) == (one == other)


@given(anything)
def test_an_id_is_32_hex_digits_and_its_kind_counts(part: str):
    assert re.fullmatch("[0-9a-f]{32}", identity.content_id("article", part))
    assert identity.content_id("article", part) != identity.content_id("story", part)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-5, 10_000))
def test_jitter_stays_within_its_span_and_can_be_repeated(identifier: str, span: int):
    jitter = identity.stable_jitter(identifier, span)

    assert 0 <= jitter < max(span, 1)
    assert jitter == identity.stable_jitter(identifier, span)


def test_jitter_spreads_evenly():
    shares = [identity.stable_jitter(f"id-{n}", 4) for n in range(4_000)]

    assert all(900 < shares.count(share) < 1_100 for share in range(4))
