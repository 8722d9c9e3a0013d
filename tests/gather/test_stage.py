"""Gathering over real HTTP: what becomes an article, what becomes a sentence, and whose it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from service.core.errors import StoreError
from service.core.model import Feed
from service.gather.entries.process import DocumentContext
from service.gather.http.executor import ThreadWorkers
from service.gather.http.fetcher import HttpFetcher
from service.gather.poll import Gatherer
from service.gather.ports import WorkLimitExceeded
from service.gather.stage import GatherReport, gather
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
    feed = a_feed(server.url(), first_entries=3)
    desk = Desk(fetcher, house, feed)

    report = await desk.look()

    assert (report.polled, report.new, report.failed) == (1, 3, ())
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

    assert (report.polled, report.unchanged, report.new) == (1, 1, 0)
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
        "a web page, not a feed; the page links to this feed: http://127.0.0.1:{port}/real.xml",
    ),
    "nothing": (reply(""), "the response is empty"),
    "broken XML": (reply("<?xml version='1.0'?><rss version='2.0'><channel><ti"), "the XML is invalid"),
    "slow": (silent(), "did not answer in full within 1 seconds"),
    "hangs up": (reset(), "closed the connection"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "not valid HTTP"),
    "circle": (reply("", 302, location="/feed"), "redirects in a circle"),
    "elsewhere": (reply("", 302, location="http://127.0.0.2:1234/x"), "127.0.0.2, a private address"),
    "inside": (reply("", 301, location="file:///etc/passwd"), "only http and https are fetched"),
    "huge": (reply(b"x" * 50, content_length=str(50 * 1024 * 1024)), "larger than 8 MB"),
    "finished": (reply("", 410), "removed this address permanently (410)"),
    "plain text": (reply("hello"), "text that is not a feed"),
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


async def test_what_a_site_allows_is_kept_from_one_pass_to_the_next(server, fetcher, house):
    desk = Desk(fetcher, house, a_feed(server.url()))
    for n in (1, 2):
        server.routes["/feed"] = reply(an_rss(an_item(n, link=server.url(f"/{n}"), description="Votes...")))
        await desk.look()

    assert server.paths().count("/robots.txt") == 1


async def test_a_page_that_robots_keep_us_from_is_not_fetched(server, fetcher, house):
    server.routes["/robots.txt"] = reply("User-agent: *\nDisallow: /private")
    items = [an_item(1, link=server.url("/private/1"), description="A short teaser...")]
    server.routes["/feed"] = reply(an_rss(*items))
    desk = Desk(fetcher, house, a_feed(server.url()))

    report = await desk.look()

    assert report.new == 1
    assert "/private/1" not in server.paths()


async def test_an_edit_is_handed_on_as_a_change_with_the_full_text_of_its_page(server, fetcher, house):
    def page(place: str) -> str:
        return f"<html><body><article><h1>Bridge</h1><p>{a_text(place)}</p></article></body></html>"

    def feed(title: str) -> str:
        teaser = "The council votes on the old bridge across the river..."
        return an_rss(an_item(1, title=title, link=server.url("/1"), guid="urn:1", description=teaser))

    server.routes |= {"/1": reply(page("Brno")), "/feed": reply(feed("Council votes on the bridge"))}
    desk = Desk(fetcher, house, a_feed(server.url()))
    await desk.look()

    server.routes |= {"/1": reply(page("Opava")), "/feed": reply(feed("Council rejects the bridge"))}
    report = await desk.look()

    assert (report.new, report.edited) == (0, 1)
    edit = desk.record.edits[0]
    assert edit.id in desk.record.articles
    assert edit.title == "Council rejects the bridge"
    assert "Opava" in edit.text


async def test_the_same_page_in_two_feeds_is_one_article(server, fetcher, house):
    server.routes |= {"/a": reply(numbered([1, 2])), "/b": reply(numbered([2, 3]))}
    desk = Desk(fetcher, house, a_feed(server.url("/a")), a_feed(server.url("/b")))

    report = await desk.look()

    assert report.new == 3


async def test_a_wall_in_place_of_the_page_leaves_the_feeds_own_words(server, fetcher, house):
    wall = (
        "<html><body><article><p>"
        + "The council votes tonight. " * 12
        + "Log in to continue reading.</p></article>"
    )
    server.routes["/1"] = reply(wall)
    server.routes["/feed"] = reply(
        an_rss(an_item(1, link=server.url("/1"), description="The council votes..."))
    )
    desk = Desk(fetcher, house, a_feed(server.url()))

    await desk.look()

    assert next(iter(desk.record.articles.values())).text == "The council votes..."


async def test_pages_are_asked_for_only_as_config_says(server, fetcher, house):
    items = [
        an_item(1, link=server.url("/1"), description="The council votes..."),
        an_item(2, link=server.url("/2")),
    ]
    server.routes["/feed"] = reply(an_rss(*items))
    for wish, asked in (("never", []), ("auto", ["/1"]), ("always", ["/1", "/2"])):
        server.asked.clear()
        await Desk(fetcher, house, a_feed(server.url(), full_text=wish)).look()
        assert sorted(path for path in server.paths() if path[1:].isdigit()) == asked


async def test_a_feed_that_says_it_is_gone_is_not_asked_again(server, fetcher, house):
    server.routes["/feed"] = reply("", 410)
    feed = a_feed(server.url())
    desk = Desk(fetcher, house, feed)

    await desk.look()
    report = await desk.look()

    assert desk.record.gone == {feed.id}
    assert report.polled == 0


async def test_a_move_for_good_is_followed_directly_once_it_has_held(server, fetcher, house):
    server.routes |= {"/feed": reply("", 301, location="/new"), "/new": reply(numbered([1]), etag='"x"')}
    desk = Desk(fetcher, house, a_feed(server.url()))
    for _ in range(4):
        await desk.look(hours=72)
    server.asked.clear()

    await desk.look()

    assert server.paths() == ["/new"]


async def test_a_move_that_turns_out_wrong_is_taken_back(server, fetcher, house):
    server.routes |= {"/feed": reply("", 308, location="/new"), "/new": reply(numbered([1]))}
    feed = a_feed(server.url())
    desk = Desk(fetcher, house, feed)
    for _ in range(4):
        await desk.look(hours=72)

    server.routes |= {"/new": reply("", 410), "/feed": reply(numbered([1, 2]))}
    failed, again = await desk.look(), await desk.look()

    assert failed.failed == ("The Example: the feed moved to an address that was removed permanently (410)",)
    assert desk.record.gone == set()
    assert again.new == 1
    assert desk.record.state(feed).failures == 0


async def test_a_temporary_redirect_is_asked_for_anew_every_time(server, fetcher, house):
    server.routes |= {"/feed": reply("", 302, location="/new"), "/new": reply(numbered([1]))}
    desk = Desk(fetcher, house, a_feed(server.url()))
    for _ in range(6):
        await desk.look(hours=72)

    assert server.paths()[-2:] == ["/feed", "/new"]


async def test_failures_push_the_next_look_away_and_a_success_brings_it_back(server, fetcher, house):
    feed = a_feed(server.url(), poll_interval=timedelta(hours=1))
    desk = Desk(fetcher, house, feed)
    waits = []
    for _ in range(4):
        await desk.look()
        state = desk.record.state(feed)
        waits.append((state.next_poll_at - state.last_poll_at) // timedelta(hours=1))
    assert waits == [1, 2, 4, 8]

    server.routes["/feed"] = reply(numbered([1]))
    await desk.look()
    state = desk.record.state(feed)
    assert (state.failures, state.last_error, state.last_success_at) == (
        0,
        None,
        desk.now - timedelta(hours=1),
    )


async def test_a_look_that_fails_forgets_nothing_of_what_was_known(server, fetcher, house):
    server.routes["/feed"] = reply(numbered(range(1, 6)))
    desk = Desk(fetcher, house, a_feed(server.url()))
    await desk.look()
    for trouble in (reply("", 500), reply(PAGE), reply(an_rss())):
        server.routes["/feed"] = trouble
        await desk.look()

    server.routes["/feed"] = reply(numbered(range(6)))

    assert (await desk.look()).new == 1


async def test_ttl_and_cache_headers_are_heeded_on_304_too(server, fetcher, house):
    feed = a_feed(server.url())
    server.routes["/feed"] = reply(
        an_rss(an_item(1), extra="<ttl>120</ttl>"), etag='"x"', cache_control="max-age=60"
    )
    desk = Desk(fetcher, house, feed)
    for _ in range(2):
        await desk.look()
        state = desk.record.state(feed)
        assert state.next_poll_at - state.last_poll_at >= timedelta(hours=2)


async def test_only_some_feeds_and_only_those_that_are_due(server, fetcher, house):
    server.routes |= {"/a": reply(numbered([1])), "/b": reply(numbered([2]))}
    a, b = a_feed(server.url("/a"), name="A"), a_feed(server.url("/b"), name="B")
    desk = Desk(fetcher, house, a, b)

    first = await gather(desk.gatherer, now=NOON, only=[a.id])
    second = await gather(desk.gatherer, now=NOON)
    third = await gather(desk.gatherer, now=NOON)
    forced = await gather(desk.gatherer, now=NOON, only=[b.id], force=True)

    assert [report.polled for report in (first, second, third, forced)] == [1, 1, 0, 1]


async def test_progress_is_told_feed_by_feed(server, fetcher, house):
    server.routes |= {f"/{n}": reply(numbered([n])) for n in range(3)}
    desk = Desk(fetcher, house, *(a_feed(server.url(f"/{n}"), name=f"Feed {n}") for n in range(3)))
    told = []

    await gather(desk.gatherer, now=NOON, progress=lambda *line: told.append(line))

    assert sorted(name for name, _, _ in told) == ["Feed 0", "Feed 1", "Feed 2"]
    assert [(done, total) for _, done, total in told] == [(1, 3), (2, 3), (3, 3)]


class Failing(ThreadWorkers):
    """Workers that fail at one feed."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def run(self, work, *values):
        if any(isinstance(value, DocumentContext) and value.feed.name == "Bad" for value in values):
            raise self.error
        return await super().run(work, *values)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (WorkLimitExceeded("reading it took longer than it may"), "reading it took longer than it may"),
        (RuntimeError("oh"), "an unexpected error occurred (RuntimeError: oh)"),
    ],
)
async def test_what_nobody_foresaw_stays_with_its_feed(server, fetcher, house, error, sentence):
    server.routes |= {"/a": reply(numbered([1])), "/b": reply(numbered([2]))}
    desk = Desk(fetcher, house, a_feed(server.url("/a"), name="Bad"), a_feed(server.url("/b")))
    desk.gatherer = replace(desk.gatherer, workers=Failing(error))

    report = await desk.look()

    assert report.failed == (f"Bad: {sentence}",)
    assert report.new == 1


async def test_a_record_out_of_reach_ends_the_pass(server, fetcher, house):
    server.routes["/feed"] = reply(numbered([1]))
    desk = Desk(fetcher, house, a_feed(server.url()))

    async def gone(_look):
        raise StoreError("the database is gone")

    desk.record.record_poll = gone
    with pytest.raises(StoreError):
        await desk.look()
