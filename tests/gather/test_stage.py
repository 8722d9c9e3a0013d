"""Gathering over real HTTP: what becomes an article, what becomes a sentence, and whose it is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from service.core.model import Feed
from service.gather.fetch import HttpFetcher
from service.gather.stage import Gatherer, GatherReport, gather
from tests.builders import NOON, a_feed
from tests.gather.fakes import Record
from tests.gather.feeds import a_text, an_item, an_rss, numbered
from tests.gather.server import raw, reply, reset, silent


@pytest.fixture
def house(tmp_path: Path) -> Path:
    return tmp_path


class Desk:
    """A record, a server and a fetcher, and the pass that joins them."""

    def __init__(self, fetcher: HttpFetcher, house: Path, *feeds: Feed) -> None:
        self.record = Record(*feeds)
        self.gatherer = Gatherer(self.record, fetcher, house)
        self.now = NOON

    async def look(self, hours: float = 1) -> GatherReport:
        report = await gather(self.gatherer, now=self.now, force=True)
        self.now += timedelta(hours=hours)
        return report


async def test_a_new_feed_contributes_its_latest_items_oldest_first(server, fetcher, house):
    server.routes["/feed"] = reply(numbered(range(1, 21)))
    feed = a_feed(server.url(), first_items=3)
    desk = Desk(fetcher, house, feed)

    report = await desk.look()

    assert (report.looked, report.new, report.failed) == (1, 3, ())
    assert desk.record.titles() == [f"Council number {n} votes on its bridge" for n in (3, 2, 1)]
    article = next(iter(desk.record.articles.values()))
    assert (article.publisher, article.topics, article.language) == ("The Example", ("world",), "en")
    assert article.url == "https://news.example/story/3"
    assert article.text.startswith("The council of Town 3")
    assert article.published_at == NOON - timedelta(hours=3)


async def test_only_what_is_new_is_taken_from_a_known_feed(server, fetcher, house):
    server.routes["/feed"] = reply(numbered(range(5, 15)))
    desk = Desk(fetcher, house, a_feed(server.url()))
    await desk.look()

    server.routes["/feed"] = reply(numbered(range(3, 13)))
    report = await desk.look()

    assert report.new == 2
    assert len(desk.record.articles) == 12


async def test_an_unchanged_feed_is_asked_with_its_etag_byte_for_byte_and_costs_no_record_of_its_own(
    server, fetcher, house
):
    server.routes["/feed"] = reply(
        numbered([1]), etag='W/"odd  tag"', last_modified="Mon, 02 Mar 2026 1:2:3 GMT"
    )
    feed = a_feed(server.url())
    desk = Desk(fetcher, house, feed)
    await desk.look()

    report = await desk.look()

    assert (report.looked, report.unchanged, report.new) == (1, 1, 0)
    assert server.asked[-1].headers["if-none-match"] == 'W/"odd  tag"'
    assert server.asked[-1].headers["if-modified-since"] == "Mon, 02 Mar 2026 1:2:3 GMT"
    assert desk.record.looks == 1
    assert desk.record.state(feed).last_success_at == NOON + timedelta(hours=1)


PAGE = (
    '<html><head><link rel="alternate" type="application/rss+xml" href="/real.xml"></head><p>Hello</p></html>'
)
TROUBLES = {
    "not there": (reply("gone fishing", 404), "404 (not found)"),
    "server error": (reply("oops", 500), "500 (internal server error)"),
    "a page": (
        reply(PAGE),
        "a web page, not a feed; the page names this feed: http://127.0.0.1:{port}/real.xml",
    ),
    "nothing": (reply(""), "the answer is empty"),
    "broken XML": (reply("<?xml version='1.0'?><rss version='2.0'><channel><ti"), "the XML is broken"),
    "slow": (silent(), "did not answer in full within 1 seconds"),
    "hangs up": (reset(), "closed the connection"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "no proper HTTP"),
    "circle": (reply("", 302, location="/feed"), "redirects in a circle"),
    "elsewhere": (reply("", 302, location="http://127.0.0.2:1234/x"), "127.0.0.2, a private address"),
    "inside": (reply("", 301, location="file:///etc/passwd"), "only http and https are fetched"),
    "huge": (reply(b"x" * 50, content_length=str(50 * 1024 * 1024)), "larger than 8 MB"),
    "finished": (reply("", 410), "finished for good (410)"),
    "plain text": (reply("hello"), "text that is no feed"),
    "empty feed": (reply(an_rss()), "holds no entries"),
}


@pytest.mark.parametrize(("handler", "sentence"), TROUBLES.values(), ids=TROUBLES.keys())
async def test_every_trouble_is_one_sentence_and_stays_with_its_feed(
    server, fetcher, house, handler, sentence
):
    server.routes["/feed"] = handler
    server.routes["/good"] = reply(numbered([1]))
    bad, good = a_feed(server.url(), name="Bad"), a_feed(server.url("/good"), name="Good")
    desk = Desk(fetcher, house, bad, good)

    report = await desk.look()

    assert report.new == 1
    said = desk.record.state(bad).last_error
    assert said
    assert sentence.format(port=server.port) in said
    assert "\n" not in said
    assert (*report.failed, *report.notes) == (f"Bad: {said}",)
    assert desk.record.state(good).last_error is None


async def test_an_unreachable_feed_is_a_sentence_too(fetcher, house):
    feed = a_feed("http://127.0.0.1:9/feed", name="Nobody")
    desk = Desk(fetcher, house, feed)

    report = await desk.look()

    assert report.failed == ("Nobody: no connection to 127.0.0.1 could be made",)
    assert desk.record.state(feed).failures == 1


async def test_a_file_feed_lies_in_the_config_folder(fetcher, house):
    (house / "notices.xml").write_text(numbered([1, 2]), encoding="utf-8")
    feed = a_feed("file:notices.xml", full_text="never")
    desk = Desk(fetcher, house, feed, a_feed("file:nowhere.xml", name="Nowhere"))

    first, second = await desk.look(), await desk.look()

    assert (first.new, second.unchanged) == (2, 1)
    assert first.failed == (f"Nowhere: there is no file {house / 'nowhere.xml'}",)


async def test_a_teaser_gets_the_full_text_of_its_page_and_keeps_its_own_words_where_there_is_none(
    server, fetcher, house
):
    story = "<article><h1>Bridge</h1>" + "".join(f"<p>{a_text(f'Brno {n}', 1)}</p>" for n in range(5))
    server.routes["/1"] = reply(
        f"<html><body><nav>Home</nav>{story}</article></body></html>", content_type="text/html"
    )
    teaser = "The council of Brno votes on the bridge over the river... <a href='x'>Read more</a>"
    items = [an_item(n, link=server.url(f"/{n}"), guid=f"g{n}", description=teaser) for n in (1, 2)]
    server.routes["/feed"] = reply(an_rss(*items))
    desk = Desk(fetcher, house, a_feed(server.url()))

    await desk.look()

    second, first = desk.record.articles.values()
    assert "every twenty minutes" in first.text
    assert "Home" not in first.text
    assert second.text == "The council of Brno votes on the bridge over the river…"
    assert server.paths().count("/robots.txt") == 1
    assert server.paths().count("/1") == 1


async def test_a_page_that_robots_keep_us_from_is_not_fetched(server, fetcher, house):
    server.routes["/robots.txt"] = reply("User-agent: *\nDisallow: /private")
    items = [an_item(1, link=server.url("/private/1"), description="A short teaser...")]
    server.routes["/feed"] = reply(an_rss(*items))
    desk = Desk(fetcher, house, a_feed(server.url()))

    report = await desk.look()

    assert report.new == 1
    assert "/private/1" not in server.paths()
