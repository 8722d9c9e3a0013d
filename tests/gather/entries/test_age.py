"""Items that are much older than the feed's rhythm are no news."""

from __future__ import annotations

from datetime import timedelta

from service.core.ids import feed_id
from service.core.model import Feed
from service.gather.entries.age import age_limit
from service.gather.entries.drafts import DocumentContext
from service.gather.entries.process import ProcessedDocument, process_document
from service.gather.entries.seen_items import statistics_of
from tests.builders import NOON
from tests.gather.feeds import an_item, an_rss

DAY = timedelta(days=1)
URL = "https://feed.example/"


def a_feed(**changes: object) -> Feed:
    return Feed(feed_id(URL), URL, "Feed", **changes)  # type: ignore[arg-type]


def process(feed: Feed, *ages: int, seen_items: str = "") -> ProcessedDocument:
    """Process a document of items of these ages in days, after a poll a day ago if `seen_items` are given."""
    items = [an_item(age, pubDate=NOON - age * DAY) for age in ages]
    last = NOON - DAY if seen_items else None
    return process_document(
        DocumentContext(feed, seen_items, URL, "text/xml", NOON, last), an_rss(*items).encode()
    )


def ages(document: ProcessedDocument) -> list[int]:
    return sorted(int(draft.url.rpartition("/")[2]) for draft in document.new)


def test_the_archive_of_a_new_feed_is_no_news() -> None:
    found = process(a_feed(), 1, 2, 3, 40, 400)

    assert ages(found) == [1, 2, 3]
    assert found.held == 2
    assert "max_age" in found.note


def test_max_age_counts_from_now() -> None:
    assert ages(process(a_feed(max_age=3 * DAY), 1, 2, 4, 5)) == [1, 2]
    assert ages(process(a_feed(max_age=3 * DAY), 20, 21)) == []


def test_a_feed_that_is_quiet_for_some_weeks_shows_its_latest_items() -> None:
    assert ages(process(a_feed(), 20, 21, 100)) == [20, 21]


def test_a_feed_that_ended_long_ago_shows_nothing() -> None:
    assert ages(process(a_feed(), 400, 401)) == []


def test_a_feed_with_a_slow_rhythm_gets_more_time() -> None:
    assert ages(process(a_feed(), 5, 35, 65, 95)) == [5, 35, 65]


def test_a_monthly_newsletter_gets_more_time() -> None:
    assert ages(process(a_feed(default_max_age=62 * DAY), 1, 2, 3, 40)) == [1, 2, 3, 40]


def test_items_without_a_date_are_news() -> None:
    document = an_rss(an_item(1, pubDate=None), an_item(2, pubDate=None))
    context = DocumentContext(a_feed(max_age=DAY), "", URL, "text/xml", NOON, None)
    assert len(process_document(context, document.encode()).new) == 2


def test_an_old_item_that_appears_later_is_held_once() -> None:
    feed = a_feed(max_age=5 * DAY)
    first = process(feed, 1, 2)
    found = process(feed, 0, 1, 2, 300, seen_items=first.seen_items)

    assert ages(found) == [0]
    assert found.held == 1
    assert process(feed, 0, 1, 2, 300, seen_items=found.seen_items).held == 0


def test_a_late_item_with_an_old_date_is_news_without_max_age() -> None:
    first = process(a_feed(), 1, 2)
    assert ages(process(a_feed(), 1, 2, 300, seen_items=first.seen_items)) == [300]


def test_an_archive_is_no_trouble_of_a_new_feed_unless_nothing_is_news() -> None:
    assert statistics_of(process(a_feed(), 1, 2, 3, 400).seen_items).held == 0
    assert statistics_of(process(a_feed(), 400, 401).seen_items).held == 2


def test_dates_in_the_future_count_as_now() -> None:
    limit = age_limit(a_feed(), [NOON + DAY], NOON, first=True)
    assert limit is not None
    assert limit.oldest == NOON - 14 * DAY
