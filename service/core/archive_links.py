"""Archive links: the addresses of the web pages of issues and of the lists of issues (pure).

An issue of a public newsletter has a plain address. That of any other newsletter has a key: whoever has the
link may read. It is the same link for all recipients, so that a forwarded mail gives nothing personal away.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.core import tokens

PUBLIC, SIGNED, NONE = "public", "signed", "none"
"""Values of `Newsletter.archive`: who may read its issues on the web."""

KEY = "key"
"""Query parameter of a signed link."""

ISSUES_PATH, NEWSLETTERS_PATH, SIGN_UP_PATH = "/issues/", "/newsletters/", "/subscribe/"


@dataclass(frozen=True, slots=True)
class IssueLinks:
    """The page of an issue, the page for reports of wrong sentences, two downloads, and its picture."""

    page: str
    report: str
    markdown: str = ""
    epub: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class NewsletterLinks:
    """The list of a newsletter's issues, as a page, as RSS and as JSON Feed."""

    page: str
    rss: str
    json: str


def issue_links(key: bytes, site_url: str, issue_id: str, archive: str) -> IssueLinks:
    """Return the addresses of an issue's pages; `site_url` has no trailing slash.

    They contain only characters that a URL holds unquoted.
    """
    page = f"{site_url}{ISSUES_PATH}{issue_id}"
    query = "" if archive == PUBLIC else f"?{KEY}={tokens.signature(key, tokens.ISSUE, issue_id)}"
    paths = ("", "/report", ".md", ".epub", "/picture.jpg")
    return IssueLinks(*(f"{page}{path}{query}" for path in paths))


def newsletter_links(key: bytes, site_url: str, newsletter: str, archive: str) -> NewsletterLinks:
    """Return the addresses of the list of a newsletter's issues; `site_url` has no trailing slash."""
    page = f"{site_url}{NEWSLETTERS_PATH}{newsletter}"
    query = "" if archive == PUBLIC else f"?{KEY}={tokens.signature(key, tokens.ARCHIVE, newsletter)}"
    return NewsletterLinks(page + query, f"{page}/feed.xml{query}", f"{page}/feed.json{query}")


def sign_up_url(site_url: str, newsletter: str) -> str:
    """Return the address of the form that subscribes to a newsletter (id)."""
    return f"{site_url}{SIGN_UP_PATH}{newsletter}"
