"""A redesign of a feed: changed guids, links and dates must not make old items new."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.gather.cleaning.block_text import TEXT_CUT
from service.gather.entries.drafts import DocumentContext
from service.gather.entries.process import ProcessedDocument, process_document
from service.gather.entries.seen_items import item_from_line, line_from_item, statistics_of
from tests.builders import NOON, a_feed
from tests.gather.feeds import a_text, an_item, an_rss

FEED = a_feed()


class Reader:
    """Polls one feed repeatedly, an hour apart."""

    def __init__(self, first_entries: int = 10) -> None:
        self.feed = a_feed(first_entries=first_entries)
        self.memory, self.now = "", NOON
        self.since: datetime | None = None

    def reads(self, *items: str, hours: float = 1) -> ProcessedDocument:
        return self.reads_document(an_rss(*items), hours)

    def reads_document(self, document: str, hours: float = 1) -> ProcessedDocument:
        self.now += timedelta(hours=hours)
        order = DocumentContext(self.feed, self.memory, self.feed.url, "", self.now, self.since)
        found = process_document(order, document.encode())
        self.memory, self.since = found.seen_items, self.now
        return found


def items(numbers: range, **changes: object) -> list[str]:
    return [an_item(n, **changes) for n in numbers]


def titles(found: ProcessedDocument) -> list[str]:
    return [draft.title for draft in found.new]


def a_reader_of(numbers: range) -> Reader:
    reader = Reader()
    reader.reads(*items(numbers))
    return reader


def test_a_new_feed_contributes_its_latest_items_by_date_in_any_order():
    reader = Reader(first_entries=2)

    found = reader.reads(*items(range(20, 0, -1)))

    assert titles(found) == [f"Council number {n} votes on its bridge" for n in (1, 2)]


def test_without_dates_the_top_of_the_document_is_the_latest():
    reader = Reader(first_entries=2)

    found = reader.reads(*items(range(1, 9), pubDate=None))

    assert titles(found) == [f"Council number {n} votes on its bridge" for n in (2, 1)]


def test_guids_that_change_at_every_poll_make_nothing_new():
    reader = a_reader_of(range(1, 30))

    found = reader.reads(*(an_item(n, guid=f"random-{n * 7919}") for n in range(1, 30)))

    assert (found.new, found.edited) == ((), ())


def test_lost_guids_make_nothing_new():
    reader = a_reader_of(range(1, 30))

    assert reader.reads(*items(range(1, 30), guid=None)).new == ()


def test_items_with_random_guids_and_no_links_are_matched_by_text():
    reader = Reader()
    reader.reads(*(an_item(n, link=None, guid=f"a{n}") for n in range(1, 30)))

    assert reader.reads(*(an_item(n, link=None, guid=f"b{n}") for n in range(1, 30))).new == ()


def test_tracking_parameters_schemes_and_hosts_www_make_nothing_new():
    reader = a_reader_of(range(1, 30))

    found = reader.reads(
        *(
            an_item(n, guid=f"x{n}", link=f"http://www.news.example/story/{n}/?utm_source=rss#top")
            for n in range(1, 30)
        )
    )

    assert found.new == ()


def test_a_move_to_another_domain_makes_only_new_items_new():
    reader = a_reader_of(range(1, 30))
    moved = [
        an_item(
            n,
            link=f"https://new.example/a/{n}",
            guid=f"https://new.example/a/{n}",
            description=a_text("edited"),
        )
        for n in range(1, 30)
    ]

    found = reader.reads(
        an_item(99, title="Something that happened since", pubDate=NOON + timedelta(hours=1)), *moved
    )

    assert titles(found) == ["Something that happened since"]
    assert "items that look new were held as old: they were seen before under other addresses" in found.note


def test_changed_dates_make_nothing_new():
    reader = a_reader_of(range(1, 30))

    assert reader.reads(*items(range(1, 30), pubDate=NOON + timedelta(hours=2))).new == ()


def test_an_archive_that_appears_in_one_burst_is_held():
    reader = a_reader_of(range(1, 20))

    found = reader.reads(*items(range(1, 200), pubDate=NOON - timedelta(days=400)))

    assert found.new == ()
    assert found.held == 180
    assert "dated before the last poll" in found.note
    assert statistics_of(reader.memory).held == 180


def test_held_items_stay_known_and_later_new_items_pass():
    reader = a_reader_of(range(1, 20))
    archive = items(range(20, 200), pubDate=NOON - timedelta(days=400))
    reader.reads(*items(range(1, 20)), *archive)

    found = reader.reads(an_item(999, pubDate=NOON + timedelta(hours=2)), *archive)

    assert titles(found) == ["Council number 999 votes on its bridge"]


def test_an_archive_without_dates_gives_only_its_first_items():
    reader = a_reader_of(range(1, 20))

    found = reader.reads(*items(range(100, 300), pubDate=None))

    assert len(found.new) == 10
    assert found.held == 190


def test_old_items_that_appear_with_renamed_ones_are_held():
    reader = a_reader_of(range(1, 20))
    again = [an_item(n, link=f"https://x.example/{n}", guid=f"x{n}", pubDate=NOON) for n in range(1, 200)]

    assert reader.reads(*again).new == ()


def test_a_busy_day_is_not_a_burst():
    reader = a_reader_of(range(1, 20))

    found = reader.reads(*(an_item(n, pubDate=NOON + timedelta(minutes=n % 60)) for n in range(100, 160)))

    assert len(found.new) == 60


def test_a_long_outage_is_not_a_burst():
    reader = a_reader_of(range(1, 20))

    found = reader.reads(
        *(an_item(n, pubDate=NOON + timedelta(days=n - 100)) for n in range(100, 150)), hours=24 * 60
    )

    assert len(found.new) == 50


def test_a_late_article_with_an_old_date_is_not_lost():
    reader = a_reader_of(range(1, 20))

    found = reader.reads(an_item(500, pubDate=NOON - timedelta(days=90)), *items(range(1, 20)))

    assert len(found.new) == 1


def test_a_shared_guid_or_link_identifies_no_item():
    reader = Reader()
    found = reader.reads(*(an_item(n, guid="same", link="https://news.example/live") for n in range(1, 6)))
    assert len({draft.id for draft in found.new}) == 5

    later = reader.reads(*(an_item(n, guid="same", link="https://news.example/live") for n in range(6)))

    assert titles(later) == ["Council number 0 votes on its bridge"]


def test_a_link_to_the_front_page_identifies_no_item():
    reader = Reader()
    reader.reads(an_item(1, guid="a", link="https://news.example/"))

    assert len(reader.reads(an_item(2, guid="b", link="https://news.example/")).new) == 1


def test_a_guid_given_to_another_article_does_not_hide_it():
    reader = a_reader_of(range(1, 3))

    found = reader.reads(an_item(7, guid="https://news.example/story/1"))

    assert titles(found) == ["Council number 7 votes on its bridge"]


def test_changed_text_is_an_edit_and_a_changed_date_or_markup_is_not():
    reader = a_reader_of(range(1, 4))

    found = reader.reads(
        an_item(1, title="Council number 1 does not vote"),
        an_item(2, pubDate=NOON),
        an_item(3, description=f"<p>{a_text('Town 3')}</p>"),
    )

    assert [draft.title for draft in found.edited] == ["Council number 1 does not vote"]
    assert found.new == ()


def as_cleaned_before(memory: str) -> str:
    """Return seen items as a version with other rules of cleaning remembered them: with other words."""
    first, *lines = memory.split("\n")
    old = [item_from_line(line)._replace(words="otherwor", cleaning=1) for line in lines]
    return "\n".join([first, *(line_from_item(item).removesuffix(".1") for item in old)])


def test_after_an_upgrade_no_item_is_new_or_edited_although_it_is_cleaned_differently():
    reader = a_reader_of(range(1, 4))
    reader.memory = as_cleaned_before(reader.memory)

    found = reader.reads(*items(range(1, 3)), an_item(3, comments="7"), an_item(4))

    assert titles(found) == ["Council number 4 votes on its bridge"]
    assert found.edited == ()
    assert len(reader.reads(an_item(3, description=a_text("Now"))).edited) == 1


def test_after_an_upgrade_items_of_a_document_that_cannot_be_split_stay_known():
    reader = Reader()
    document = '{"version": "https://jsonfeed.org/version/1.1", "items": [{"content_text": "A [link](https://a.example)."}]}'
    assert len(reader.reads_document(document).new) == 1
    reader.memory = as_cleaned_before(reader.memory)

    found = reader.reads_document(document + " ")

    assert (found.new, found.edited) == ((), ())


def test_a_text_that_changes_at_every_poll_has_a_limit_of_edits():
    reader = a_reader_of(range(1, 2))

    changes = [
        len(reader.reads(an_item(1, description=f"{n} readers, {a_text()}")).edited) for n in range(10)
    ]

    assert sum(changes) == 5


def test_a_text_that_a_limit_cuts_is_counted():
    reader = a_reader_of(range(1, 3))
    reader.reads(an_item(3, description="The ferry sails. " * 9_000))
    reader.reads(an_item(4))

    statistics = statistics_of(reader.memory)
    assert (statistics.cut, statistics.cut_why) == (1, TEXT_CUT)


def test_the_same_item_twice_in_a_document_is_one_article():
    assert len(Reader().reads(an_item(1), an_item(1), an_item(1, guid="other")).new) == 1


def test_dates_in_the_future_and_before_feeds_existed_are_ignored():
    found = Reader().reads(
        an_item(1, pubDate=NOON + timedelta(days=30)), an_item(2, pubDate="1 Jan 1970 00:00:00 GMT")
    )

    assert [draft.published_at for draft in found.new] == [None, None]
