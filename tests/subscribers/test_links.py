"""Signed links: content, purpose and signature."""

from __future__ import annotations

from service.subscribers.links import LinkClaim, read_preferences, read_unsubscribe, subscriber_links

KEY = b"k" * 32
LINKS = subscriber_links(KEY, "https://news.example.org", "a" * 32, "morning")


def test_a_link_contains_subscriber_and_newsletter():
    assert LINKS.unsubscribe == f"https://news.example.org/unsubscribe/{LINKS.token}"
    assert read_unsubscribe(KEY, LINKS.token) == LinkClaim("a" * 32, "morning")
    token = LINKS.preferences.rpartition("/")[2]
    assert read_preferences(KEY, token) == LinkClaim("a" * 32, "morning")


def test_a_link_is_valid_for_one_purpose():
    assert read_preferences(KEY, LINKS.token) is None
    assert read_unsubscribe(KEY, LINKS.preferences.rpartition("/")[2]) is None


def test_a_link_with_an_invalid_signature_is_refused():
    for token in ("", ".", LINKS.token[:-1], LINKS.token + "A", LINKS.token.upper(), "\ud800", "a" * 10_000):
        assert read_unsubscribe(KEY, token) is None
    assert read_unsubscribe(b"other" * 8, LINKS.token) is None


def test_a_link_is_the_same_in_every_mail_and_short_enough_for_one_line_of_a_header():
    assert subscriber_links(KEY, "https://news.example.org", "a" * 32, "morning") == LINKS
    assert len(LINKS.unsubscribe) < 200
    assert LINKS.unsubscribe.isascii()
