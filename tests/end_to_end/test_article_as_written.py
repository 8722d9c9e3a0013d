"""What readers see of articles as publishers write them: from the bytes of a feed to the text of a mail.

The articles are in articles/*.toml; the key `says` of each is the sentence that it proves. `shown` must be in
the mail and `hidden` must not; white space does not count, because the mail is wrapped. `after` is the text
that must come directly before another one. An article with `fails` is known not to work, and why.
"""

from __future__ import annotations

import asyncio
import re
import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from service.compose import layout
from service.compose.digest import make_digest
from service.compose.ranking import Ranker
from service.compose.render.theme import JinjaRenderer
from service.compose.stories.group import group_stories
from service.compose.stories.merging.merge import merge_key_points
from service.compose.stories.updates import growing_stories
from service.condense.stage import summarize_article
from service.core.model import Article, CondensedArticle, FeedState
from service.gather.poll import Gatherer, poll_feed
from service.gather.ports import Fetched, Fetcher, FetchFailed, FetchResult
from service.settings.packaged_files import templates_folder
from tests.builders import a_feed, an_edition
from tests.compose.digests import SITE
from tests.gather.fakes import Record

NOW = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
FOLDER = Path(__file__).parent / "articles"
POINTS = 8  # per article and per story: enough for every sentence of these short articles
MARGIN = re.compile(r"^ +\| ", re.MULTILINE)  # of the lines of a caveat
RULE = "=" * 76  # below the head, and above the footer


class Publishers(Fetcher):
    """Serves feeds and pages from memory."""

    def __init__(self, documents: dict[str, bytes]) -> None:
        self._documents = documents

    @override
    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> FetchResult:
        if url not in self._documents:
            return FetchFailed("not found", status=404)
        return Fetched(url, self._documents[url], "application/xml" if url.endswith(".xml") else "text/html")


@dataclass(frozen=True)
class Mail:
    """A mail's headlines, and its text without header, table of contents and footer."""

    headlines: tuple[str, ...]
    text: str


@pytest.fixture(autouse=True)
def _every_point_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "LEAD_POINTS", POINTS)
    monkeypatch.setattr(layout, "STORY_POINTS", POINTS)


def mail_about(case: dict[str, Any]) -> Mail:
    """Return the mail about the case's items, each an entry of its publisher's feed."""
    items = case.get("items") or [case]
    documents, feeds = {}, {}
    for number, item in enumerate(items):
        publisher = item.get("publisher", "Courier")
        url = f"https://{publisher.lower()}.example/{number}.html"
        feeds.setdefault(publisher, []).append((item, url))
        if "page" in item:
            documents[url] = item["page"].encode()
    for publisher, entries in feeds.items():
        feed = case.get("feed") or rss(entries, case.get("language", ""))
        documents[f"https://{publisher.lower()}.example/feed.xml"] = feed.encode()
    articles = asyncio.run(gathered(documents, tuple(feeds), case))
    return composed([condensed(replace(a, position=n)) for n, a in enumerate(articles, start=1)])


def rss(entries: list[tuple[dict[str, Any], str]], language: str) -> str:
    """Return a feed with these entries; the first is the newest."""
    items = (
        f"<item><title>{escape(item.get('title', ''))}</title><link>{url}</link>"
        f"<pubDate>{item.get('date', '')}</pubDate>"
        f"<description><![CDATA[{markup_of(item)}]]></description></item>"
        for item, url in entries
    )
    return f"<rss version='2.0'><channel><language>{language}</language>{''.join(items)}</channel></rss>"


def markup_of(item: dict[str, Any]) -> str:
    """Return the item's markup, with a picture of `picture` bytes in place of the word PICTURE."""
    return item.get("markup", "").replace("PICTURE", "A" * item.get("picture", 0))


async def gathered(
    documents: dict[str, bytes], publishers: tuple[str, ...], case: dict[str, Any]
) -> list[Article]:
    articles: list[Article] = []
    for publisher in publishers:
        url = f"https://{publisher.lower()}.example/feed.xml"
        feed = a_feed(url, name=publisher, full_text=case.get("full_text", "auto"))
        gatherer = Gatherer(Record(feed), Publishers(documents), FOLDER)
        result = await poll_feed(gatherer, FeedState(feed), NOW - timedelta(hours=1))
        assert result.error == ""
        articles += result.articles
    return articles


def condensed(article: Article) -> CondensedArticle:
    return CondensedArticle(article, summarize_article("keypoints", article, POINTS))


def composed(articles: list[CondensedArticle]) -> Mail:
    edition = an_edition(stories=20, points=POINTS, format="text")
    updates = growing_stories(group_stories(articles), 0).updates
    digest = make_digest(edition, Ranker({}).rank(updates, edition, NOW), at=NOW, merge=merge_key_points)
    mail = JinjaRenderer(templates_folder(), SITE).render(digest, title="T", theme="daily", issue_id="i")
    _, *stories, _ = mail.text.split(RULE)
    return Mail(tuple(story.headline for story in digest.stories), "\n".join(stories))


def squeezed(text: str) -> str:
    return "".join(MARGIN.sub("", text).split())


def all_cases() -> list[Any]:
    cases = [
        case for path in sorted(FOLDER.glob("*.toml")) for case in tomllib.loads(path.read_text())["article"]
    ]
    return [pytest.param(case, id=case["says"], marks=marks_of(case)) for case in cases]


def marks_of(case: dict[str, Any]) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xfail(reason=case["fails"], strict=True)] if "fails" in case else []


@pytest.mark.parametrize("case", all_cases())
def test_reader_sees_the_article_as_it_was_written(case: dict[str, Any]) -> None:
    mail = mail_about(case)
    text = squeezed(mail.text)

    assert [words for words in case.get("shown", ()) if squeezed(words) not in text] == []
    assert [words for words in case.get("hidden", ()) if squeezed(words) in text] == []
    assert [pair for pair in case.get("after", ()) if squeezed("".join(pair)) not in text] == []
    assert len(mail.headlines) == case.get("stories", 1)
