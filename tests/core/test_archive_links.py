"""The pages of an issue have plain addresses in a public newsletter, and signed ones otherwise."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from service.core.archive_links import KEY, NONE, PUBLIC, SIGNED, issue_links, sign_up_url
from service.core.tokens import ISSUE, is_signature

SECRET = b"k" * 32
SITE_URL = "https://news.example.org"


def test_the_pages_of_a_public_issue_have_plain_addresses():
    links = issue_links(SECRET, SITE_URL, "4a66", PUBLIC)

    assert links.page == "https://news.example.org/issues/4a66"
    assert links.report == "https://news.example.org/issues/4a66/report"


@pytest.mark.parametrize("archive", [SIGNED, NONE])
def test_the_pages_of_another_issue_have_its_key(archive: str):
    links = issue_links(SECRET, SITE_URL, "4a66", archive)

    assert links.page.startswith("https://news.example.org/issues/4a66?key=")
    assert links.report.startswith("https://news.example.org/issues/4a66/report?key=")
    for url in (links.page, links.report):
        (key,) = parse_qs(urlsplit(url).query)[KEY]
        assert is_signature(SECRET, ISSUE, "4a66", key)
        assert not is_signature(SECRET, ISSUE, "4a67", key)


def test_the_sign_up_page_of_a_newsletter_is_below_that_of_all():
    assert sign_up_url(SITE_URL, "morning") == "https://news.example.org/subscribe/morning"
