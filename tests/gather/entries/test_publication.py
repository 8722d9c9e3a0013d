"""The habits of a feed's dates are remembered from poll to poll."""

from __future__ import annotations

from datetime import UTC, datetime

from service.core.ids import feed_id
from service.core.model import Feed
from service.gather.entries.drafts import ArticleDraft, DocumentContext
from service.gather.entries.process import process_document
from service.gather.entries.seen_items import statistics_of

NOW = datetime(2026, 11, 29, 14, tzinfo=UTC)
FEED = Feed(feed_id("https://feed.example/"), "https://feed.example/", "Feed")


def document(*dates: str) -> bytes:
    items = "".join(
        f"<item><title>Title {date}</title><link>https://feed.example/{n}-{len(date)}</link>"
        f"<description>A text of {date}.</description><pubDate>{date}</pubDate></item>"
        for n, date in enumerate(dates)
    )
    return f'<rss version="2.0"><channel><title>Feed</title>{items}</channel></rss>'.encode()


def drafts(body: bytes, seen_items: str = "") -> tuple[dict[str, ArticleDraft], str]:
    """Return the drafts of a document by their date as written, and what is remembered."""
    context = DocumentContext(FEED, seen_items, "https://feed.example/", "text/xml", NOW, None)
    found = process_document(context, body)
    return {draft.title.removeprefix("Title "): draft for draft in found.new}, found.seen_items


def test_the_order_of_day_and_month_is_remembered() -> None:
    _, remembered = drafts(document("24/11/2026 09:00 +0100", "23/11/2026 09:00 +0100"))
    assert statistics_of(remembered).date_order == "day first"
    assert statistics_of(remembered).utc_offset == "+01:00"

    found, remembered = drafts(document("24/11/2026 09:00 +0100", "03/11/2026 09:00"), remembered)
    assert found["03/11/2026 09:00"].published_at == datetime(2026, 11, 3, 8, tzinfo=UTC)
    assert not found["03/11/2026 09:00"].published_day_only
    assert statistics_of(remembered).date_order == "day first"


def test_a_date_without_a_known_zone_is_that_of_a_day() -> None:
    found, _ = drafts(document("2026-11-29", "2026-11-28 09:00"))
    assert all(draft.published_day_only for draft in found.values())


def test_a_date_that_cannot_be_read_is_none() -> None:
    found, _ = drafts(document("yesterday", "03/04/2026"))
    assert [draft.published_at for draft in found.values()] == [None, None]


def test_remembered_habits_that_are_damaged_are_ignored() -> None:
    _, remembered = drafts(document("24/11/2026 09:00 +0100"))
    damaged = remembered.replace("day first", "what").replace("+01:00", "+xy")
    found, _ = drafts(document("02/01/2026 09:00"), damaged)
    assert found["02/01/2026 09:00"].published_at is None
