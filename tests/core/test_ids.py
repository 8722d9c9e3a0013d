"""Ids are computed from content: equal content has the same id, different content has different ids."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import ids as identity
from service.core.model import Edition
from tests.builders import an_edition

any_text = st.text(st.characters())
"""All characters, lone surrogates included."""


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
def test_spellings_of_one_url_are_one_page(spelling: str):
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
def test_text_that_is_not_a_web_address_is_only_stripped(url: str):
    assert identity.canonical_url(f" {url} ") == url


@given(st.one_of(any_text, any_text.map("https://news.example/".__add__), st.from_regex(r"https?://\S*")))
def test_canonical_url_is_idempotent(url: str):
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


# --- subscribers -------------------------------------------------------------------------------


def test_a_subscriber_id_is_the_same_for_any_spelling_of_the_address():
    decomposed = unicodedata.normalize("NFD", "zoë@example.org")

    assert identity.subscriber_id(" Zoë@Example.ORG ") == identity.subscriber_id(decomposed)
    assert identity.address_hash("ZOË@example.org") == identity.address_hash(decomposed)


@given(any_text)
def test_fold_address_is_idempotent(email: str):
    once = identity.fold_address(email)

    assert identity.fold_address(once) == once


def test_a_suppressed_address_cannot_be_read_back():
    assert "amina" not in identity.address_hash("amina@example.org")


# --- editions, issues, deliveries --------------------------------------------------------------


def test_an_edition_is_its_preferences():
    assert identity.edition_key(an_edition()) == identity.edition_key(an_edition())
    assert identity.edition_key(an_edition()) != identity.edition_key(an_edition(stories=5))
    assert identity.edition_key(an_edition(topics=("a", "b"))) != identity.edition_key(
        an_edition(topics=("ab",))
    )


@pytest.mark.parametrize(
    ("edition", "stored_key"),
    [
        (an_edition(), "dffebf3285d698868737cfd6e318daa1"),
        (
            Edition("daily", "weekly mon,thu 07:00", "Asia/Qatar", (), 50, 3, "de", "text"),
            "c3bd5942a8587014c3890840b4b60544",
        ),
        (
            Edition("ünïcode", "monthly 1,15 08:00", "America/New_York", ("b", "a"), 1, 1, "ja", "html"),
            "53eab08e024f224ec028c7a9adbdc262",
        ),
    ],
)
def test_a_stored_edition_key_never_changes(edition: Edition, stored_key: str):
    assert identity.edition_key(edition) == stored_key


@dataclass(frozen=True, slots=True)
class LaterEdition(Edition):
    """The edition of a later version, with new preferences of several types."""

    show_images: bool = False
    channel: str | None = None
    muted_feeds: tuple[str, ...] = ()
    weights: dict[str, int] = field(default_factory=dict)


def test_a_new_preference_at_its_default_keeps_the_key():
    old = an_edition()

    assert identity.edition_key(LaterEdition(**asdict(old))) == identity.edition_key(old)


@pytest.mark.parametrize(
    "changed",
    [{"show_images": True}, {"channel": "smtp"}, {"muted_feeds": ("a",)}, {"weights": {"a": 1}}],
)
def test_a_new_preference_that_is_set_changes_the_key(changed: dict[str, object]):
    old = an_edition()

    assert identity.edition_key(LaterEdition(**asdict(old), **changed)) != identity.edition_key(old)


def test_an_issue_is_its_edition_occurrence_and_start():
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


@given(st.lists(any_text, min_size=1), st.lists(any_text, min_size=1))
def test_ids_differ_where_the_parts_do(one: list[str], other: list[str]):
    assert (identity.content_id("test", *one) == identity.content_id("test", *other)) == (one == other)


@given(any_text)
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
