"""Text of feeds and people has a direction of its own: no Arabic text stands on a page without `dir`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from service.core.model import Article
from service.store.database import Database
from tests.builders import NOON, an_article, condensed
from tests.end_to_end.installation import Clock
from tests.settings.config_folders import a_config_folder
from tests.store.stores import HOUR, Stores
from tests.web.admin.conftest import EditorsSite, a_site
from tests.web.admin.test_attacks_fields import crawled

NEWSLETTERS = """newsletters:
  - {id: morning, title: صحيفة الصباح, topics: [world], schedule: "daily 13:00", timezone: UTC, review: 2h}
  - {id: evening, title: صحيفة المساء, topics: [world], schedule: "daily 12:15", timezone: UTC}
"""
FEEDS = """feeds:
  - {url: "https://news.example/rss", name: البريد, topics: [world]}
"""
SUBSCRIBERS = """subscribers:
  - {email: amina@example.org, name: أمينة, newsletters: [morning, evening]}
"""
ARABIC = re.compile(r"[\u0600-\u06ff]")
WITHOUT_ELEMENTS = (
    "title",
    "textarea",
)  # a title has no elements; a field follows `dir` of its page and its text
VOID = {"br", "img", "input", "link", "meta", "rect", "line", "source", "wbr"}


class DirectionReader(HTMLParser):
    """Notes each Arabic text that no element below <body> gives a direction."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.undirected: list[str] = []
        self.directed = 0
        self._open: list[tuple[str, bool]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self._open.append((tag, tag != "html" and "dir" in dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while tag not in VOID and self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not ARABIC.search(data) or any(tag in WITHOUT_ELEMENTS for tag, _ in self._open):
            return
        if any(is_directed for _, is_directed in self._open):
            self.directed += 1
        else:
            self.undirected.append(data.strip())


def an_arabic_article(number: int) -> Article:
    """Return an article whose headline, text and publisher are Arabic."""
    return an_article(
        f"المدينة توافق على خط الترام {number}",
        "وافقت المدينة على خط الترام يوم الثلاثاء. لكن القرار يحتاج إلى موافقة المقاطعة.",
        language="ar",
        publisher="البريد",
        gathered_at=NOON - HOUR,
    )


@pytest.fixture
async def site(sqlite_database: Database, tmp_path: Path, clock: Clock) -> AsyncIterator[EditorsSite]:
    """Yield a site with a draft and an issue of Arabic stories, feeds and people."""
    stores, articles = Stores(sqlite_database), [an_arabic_article(1), an_arabic_article(2)]
    await stores.store_articles(articles)
    for article in articles:
        await stores.condense.record_summaries({article.id: condensed(article).summary}, NOON - HOUR)
    files = {"newsletters.yaml": NEWSLETTERS, "feeds.yaml": FEEDS, "subscribers.yaml": SUBSCRIBERS}
    async for one in a_site(a_config_folder(tmp_path / "config", files), sqlite_database, clock):
        clock.at += HOUR / 2
        await one.app.compose()
        yield one


async def test_no_arabic_text_stands_on_a_page_without_a_direction(site: EditorsSite):
    ada = await site.log_in("ada")
    pages, _ = await crawled(ada)
    found: dict[str, list[str]] = {}
    directed: dict[str, int] = {}
    for declared, target in pages.items():
        text = (await ada.get(target))[1]
        if '<main id="main"' not in text:  # a file, or a mail for its frame
            continue
        reader = DirectionReader(text)
        directed[declared] = reader.directed
        if reader.undirected:
            found[declared] = reader.undirected
    assert found == {}
    shown = {
        "/",
        "/issues/{id}",
        "/drafts/{draft}",
        "/stories",
        "/stories/{article}",
        "/feeds",
        "/subscribers",
    }
    assert all(directed.get(one) for one in shown), directed
