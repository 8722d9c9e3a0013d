"""Gathering over real HTTP: entries become articles, and errors become sentences of their feed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from service.core.errors import StoreError
from service.core.model import Feed
from service.gather.cleaning.block_text import TEXT_CUT
from service.gather.entries.drafts import DocumentContext
from service.gather.health import feed_health
from service.gather.http.executor import ThreadWorkers
from service.gather.http.fetcher import HttpFetcher
from service.gather.poll import TOO_MANY_PAGES, Gatherer
from service.gather.ports import WorkLimitExceeded
from service.gather.stage import GatherReport, gather
from tests.builders import NOON, a_feed
from tests.gather.fakes import Record
from tests.gather.feeds import a_text, an_item, an_rss, numbered
from tests.gather.server import raw, reply, reset, silent


@pytest.fixture
def config_folder(tmp_path: Path) -> Path:
    return tmp_path


class PassRunner:
    """A store, a server, a fetcher, and the pass that connects them."""

    def __init__(self, fetcher: HttpFetcher, config_folder: Path, *feeds: Feed) -> None:
        self.record = Record(*feeds)
        self.gatherer = Gatherer(self.record, fetcher, config_folder)
        self.now = NOON

    async def poll(self, hours: float = 1) -> GatherReport:
        report = await gather(self.gatherer, now=self.now, force=True)
        self.now += timedelta(hours=hours)
        return report


async def test_a_new_feed_contributes_its_latest_items_oldest_first(server, fetcher, config_folder):
    server.routes["/feed"] = reply(numbered(range(1, 21)))
    feed = a_feed(server.url(), first_entries=3)
    runner = PassRunner(fetcher, config_folder, feed)

    report = await runner.poll()

    assert (report.polled, report.new, report.failed) == (1, 3, ())
    assert runner.record.titles() == [f"Council number {n} votes on its bridge" for n in (3, 2, 1)]
    article = next(iter(runner.record.articles.values()))
    assert (article.publisher, article.topics, article.language) == ("The Example", ("world",), "en")
    assert article.url == "https://news.example/story/3"
    assert article.text.startswith("The council of Town 3")
    assert article.published_at == NOON - timedelta(hours=3)


async def test_only_what_is_new_is_taken_from_a_known_feed(server, fetcher, config_folder):
    server.routes["/feed"] = reply(numbered(range(5, 15)))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))
    await runner.poll()

    server.routes["/feed"] = reply(numbered(range(3, 13)))
    report = await runner.poll()

    assert report.new == 2
    assert len(runner.record.articles) == 12


async def test_a_new_article_keeps_its_place_in_the_whole_feed(server, fetcher, config_folder):
    server.routes["/feed"] = reply(numbered([5, 6, 7]))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))
    await runner.poll()

    server.routes["/feed"] = reply(numbered([5, 4, 6, 3]))
    await runner.poll()

    ranks = {article.url.rpartition("/")[2]: article.feed_rank for article in runner.record.articles.values()}
    assert ranks == {"5": 0, "6": 1, "7": 2, "4": 1, "3": 3}


async def test_categories_of_an_item_give_its_article_topics_before_those_of_its_feed(
    server, fetcher, config_folder
):
    items = [
        an_item(1, category="Business"),
        an_item(2, category="World news/Africa"),
        an_item(3, category="World"),
        an_item(4),
    ]
    server.routes["/feed"] = reply(an_rss(*items))
    mapping = (("business", "economy"), ("africa", "africa"))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url(), categories=mapping))
    await runner.poll()

    topics = {a.url.rpartition("/")[2]: a.topics for a in runner.record.articles.values()}
    assert topics == {
        "1": ("economy", "world"),
        "2": ("africa", "world"),
        "3": ("world",),
        "4": ("world",),
    }


async def test_an_article_has_the_picture_of_its_item(server, fetcher, config_folder):
    enclosure = '<enclosure url="https://news.example/1.jpg" type="image/jpeg" length="1"/>'
    server.routes["/feed"] = reply(an_rss(an_item(1).replace("</item>", f"{enclosure}</item>"), an_item(2)))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))
    await runner.poll()

    pictures = {a.url.rpartition("/")[2]: a.picture for a in runner.record.articles.values()}
    assert pictures == {"1": "https://news.example/1.jpg", "2": ""}


async def test_an_unchanged_feed_is_requested_with_its_etag_and_recorded_in_a_batch(
    server, fetcher, config_folder
):
    server.routes["/feed"] = reply(
        numbered([1]), etag='W/"odd  tag"', last_modified="Mon, 02 Mar 2026 1:2:3 GMT"
    )
    feed = a_feed(server.url())
    runner = PassRunner(fetcher, config_folder, feed)
    await runner.poll()

    report = await runner.poll()

    assert (report.polled, report.unchanged, report.new) == (1, 1, 0)
    assert server.asked[-1].headers["if-none-match"] == 'W/"odd  tag"'
    assert server.asked[-1].headers["if-modified-since"] == "Mon, 02 Mar 2026 1:2:3 GMT"
    assert runner.record.polls == 1
    assert runner.record.state(feed).last_success_at == NOON + timedelta(hours=1)


PAGE = (
    '<html><head><link rel="alternate" type="application/rss+xml" href="/real.xml"></head><p>Hello</p></html>'
)
ERRORS = {
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


@pytest.mark.parametrize(("handler", "sentence"), ERRORS.values(), ids=ERRORS.keys())
async def test_every_error_is_one_sentence_and_stays_with_its_feed(
    server, fetcher, config_folder, handler, sentence
):
    server.routes["/feed"] = handler
    server.routes["/good"] = reply(numbered([1]))
    bad, good = a_feed(server.url(), name="Bad"), a_feed(server.url("/good"), name="Good")
    runner = PassRunner(fetcher, config_folder, bad, good)

    report = await runner.poll()

    assert report.new == 1
    said = runner.record.state(bad).last_error
    assert said
    assert sentence.format(port=server.port) in said
    assert "\n" not in said
    assert (*report.failed, *report.notes) == (f"Bad: {said}",)
    assert runner.record.state(good).last_error is None


async def test_an_unreachable_feed_gives_a_sentence(fetcher, config_folder):
    feed = a_feed("http://127.0.0.1:9/feed", name="Nobody")
    runner = PassRunner(fetcher, config_folder, feed)

    report = await runner.poll()

    assert report.failed == ("Nobody: no connection to 127.0.0.1 could be made",)
    assert runner.record.state(feed).failures == 1


async def test_a_file_feed_is_read_from_the_config_folder(fetcher, config_folder):
    (config_folder / "notices.xml").write_text(numbered([1, 2]), encoding="utf-8")
    feed = a_feed("file:notices.xml", full_text="never")
    runner = PassRunner(fetcher, config_folder, feed, a_feed("file:nowhere.xml", name="Nowhere"))

    first, second = await runner.poll(), await runner.poll()

    assert (first.new, second.unchanged) == (2, 1)
    assert first.failed == (f"Nowhere: there is no file {config_folder / 'nowhere.xml'}",)


async def test_a_teaser_gets_the_full_text_of_its_page_or_keeps_its_own(server, fetcher, config_folder):
    story = "<article><h1>Bridge</h1>" + "".join(f"<p>{a_text(f'Brno {n}', 1)}</p>" for n in range(5))
    server.routes["/1"] = reply(
        f"<html><body><nav>Home</nav>{story}</article></body></html>", content_type="text/html"
    )
    teaser = "The council of Brno votes on the bridge over the river... <a href='x'>Read more</a>"
    items = [an_item(n, link=server.url(f"/{n}"), guid=f"g{n}", description=teaser) for n in (1, 2)]
    server.routes["/feed"] = reply(an_rss(*items))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))

    await runner.poll()

    second, first = runner.record.articles.values()
    assert "every twenty minutes" in first.text
    assert "Home" not in first.text
    assert second.text == "The council of Brno votes on the bridge over the river…"
    assert first.text_note == ""
    assert second.text_note == "its page was not used: the server answered 404 (not found)"
    assert server.paths().count("/robots.txt") == 1
    assert server.paths().count("/1") == 1


async def test_a_page_that_is_too_large_is_told_in_the_health_of_its_feed(server, fetcher, config_folder):
    server.routes["/1"] = reply("<p>" * 70_000, content_type="text/html")
    server.routes["/feed"] = reply(an_rss(an_item(1, link=server.url("/1"), description="Votes on the...")))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))

    await runner.poll()

    flags = feed_health(next(iter(runner.record.states.values())), runner.now).flags
    assert any("the page of an article was too large" in flag for flag in flags)
    [article] = runner.record.articles.values()
    assert article.text_note == "its page was not used: the page is too large"


async def test_a_text_that_a_limit_cut_says_so(server, fetcher, config_folder):
    long = "<p>" + a_text("Brno") * 150 + "</p>"
    server.routes["/1"] = reply(
        f"<html><body><article>{long}</article></body></html>", content_type="text/html"
    )
    items = [
        an_item(1, guid="1", description=long),
        an_item(2, guid="2", link=server.url("/1"), description="The council of Brno 0 voted on Monday..."),
    ]
    server.routes["/feed"] = reply(an_rss(*items))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))

    await runner.poll()

    assert len(runner.record.articles) == 2
    for article in runner.record.articles.values():
        assert article.text_note == f"its text was cut: {TEXT_CUT}"
    flags = feed_health(next(iter(runner.record.states.values())), runner.now).flags
    assert any(TEXT_CUT in flag for flag in flags)


async def test_pages_beyond_the_limit_of_a_poll_are_named(server, fetcher, config_folder):
    items = [an_item(n, guid=f"{n}", link=server.url(f"/{n}"), description="Votes...") for n in range(23)]
    server.routes["/feed"] = reply(an_rss(*items))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url(), first_entries=30))

    await runner.poll()

    notes = [article.text_note for article in runner.record.articles.values()]
    assert sum(TOO_MANY_PAGES in note for note in notes) == 3


async def test_robots_txt_is_kept_from_one_pass_to_the_next(server, fetcher, config_folder):
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))
    for n in (1, 2):
        server.routes["/feed"] = reply(an_rss(an_item(n, link=server.url(f"/{n}"), description="Votes...")))
        await runner.poll()

    assert server.paths().count("/robots.txt") == 1


async def test_a_page_that_robots_txt_forbids_is_not_fetched(server, fetcher, config_folder):
    server.routes["/robots.txt"] = reply("User-agent: *\nDisallow: /private")
    items = [an_item(1, link=server.url("/private/1"), description="A short teaser...")]
    server.routes["/feed"] = reply(an_rss(*items))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))

    report = await runner.poll()

    assert report.new == 1
    assert "/private/1" not in server.paths()
    [article] = runner.record.articles.values()
    assert article.text_note == "its page was not used: robots.txt forbids to fetch it"


async def test_an_edit_is_recorded_with_the_full_text_of_its_page(server, fetcher, config_folder):
    def page(place: str) -> str:
        return f"<html><body><article><h1>Bridge</h1><p>{a_text(place)}</p></article></body></html>"

    def feed(title: str) -> str:
        teaser = "The council votes on the old bridge across the river..."
        return an_rss(an_item(1, title=title, link=server.url("/1"), guid="urn:1", description=teaser))

    server.routes |= {"/1": reply(page("Brno")), "/feed": reply(feed("Council votes on the bridge"))}
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))
    await runner.poll()

    server.routes |= {"/1": reply(page("Opava")), "/feed": reply(feed("Council rejects the bridge"))}
    report = await runner.poll()

    assert (report.new, report.edited) == (0, 1)
    edit = runner.record.edits[0]
    assert edit.id in runner.record.articles
    assert edit.title == "Council rejects the bridge"
    assert "Opava" in edit.text


async def test_the_same_page_in_two_feeds_is_one_article(server, fetcher, config_folder):
    server.routes |= {"/a": reply(numbered([1, 2])), "/b": reply(numbered([2, 3]))}
    runner = PassRunner(fetcher, config_folder, a_feed(server.url("/a")), a_feed(server.url("/b")))

    report = await runner.poll()

    assert report.new == 3


async def test_a_paywall_leaves_the_text_of_the_feed(server, fetcher, config_folder):
    wall = (
        "<html><body><article><p>"
        + "The council votes tonight. " * 12
        + "Log in to continue reading.</p></article>"
    )
    server.routes["/1"] = reply(wall)
    server.routes["/feed"] = reply(
        an_rss(an_item(1, link=server.url("/1"), description="The council votes..."))
    )
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))

    await runner.poll()

    assert next(iter(runner.record.articles.values())).text == "The council votes..."


async def test_pages_are_fetched_as_configured(server, fetcher, config_folder):
    items = [
        an_item(1, link=server.url("/1"), description="The council votes..."),
        an_item(2, link=server.url("/2")),
    ]
    server.routes["/feed"] = reply(an_rss(*items))
    for setting, asked in (("never", []), ("auto", ["/1"]), ("always", ["/1", "/2"])):
        server.asked.clear()
        await PassRunner(fetcher, config_folder, a_feed(server.url(), full_text=setting)).poll()
        assert sorted(path for path in server.paths() if path[1:].isdigit()) == asked


async def test_a_feed_that_is_gone_is_not_polled_again(server, fetcher, config_folder):
    server.routes["/feed"] = reply("", 410)
    feed = a_feed(server.url())
    runner = PassRunner(fetcher, config_folder, feed)

    await runner.poll()
    report = await runner.poll()

    assert runner.record.gone == {feed.id}
    assert report.polled == 0


async def test_a_confirmed_permanent_move_is_polled_directly(server, fetcher, config_folder):
    server.routes |= {"/feed": reply("", 301, location="/new"), "/new": reply(numbered([1]), etag='"x"')}
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))
    for _ in range(4):
        await runner.poll(hours=72)
    server.asked.clear()

    await runner.poll()

    assert server.paths() == ["/new"]


def moved_feed(server, path: str, *items: str) -> str:
    """Return a feed that says it has moved to this path."""
    name = "http://www.itunes.com/dtds/podcast-1.0.dtd"
    element = f'<i:new-feed-url xmlns:i="{name}">{server.url(path)}</i:new-feed-url>'
    return an_rss(*items or [an_item(9, title="We have moved")], extra=element)


async def test_a_feed_that_says_it_has_moved_is_read_at_its_new_address(server, fetcher, config_folder):
    server.routes |= {"/feed": reply(moved_feed(server, "/new")), "/new": reply(numbered([1]))}
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))

    first = await runner.poll()
    server.asked.clear()
    await runner.poll()

    assert runner.record.titles() == ["Council number 1 votes on its bridge"]
    assert "it has moved to" in first.notes[0]
    assert server.paths() == ["/new"]


async def test_a_known_feed_is_followed_too_when_its_items_stay_the_same(server, fetcher, config_folder):
    server.routes["/feed"] = reply(numbered([1, 2]))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))
    await runner.poll()

    server.routes |= {
        "/feed": reply(moved_feed(server, "/new", an_item(1), an_item(2))),
        "/new": reply(numbered([1, 2, 3])),
    }

    assert (await runner.poll()).new == 1


async def test_two_feeds_that_name_each_other_make_no_loop(server, fetcher, config_folder):
    server.routes |= {
        "/feed": reply(moved_feed(server, "/new")),
        "/new": reply(moved_feed(server, "/feed", an_item(1))),
    }
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))

    for _ in range(3):
        await runner.poll()

    assert server.paths() == ["/feed", "/new", "/new", "/new"]
    assert runner.record.titles() == ["Council number 1 votes on its bridge"]


async def test_a_new_address_that_cannot_be_read_is_reported_and_tried_again(server, fetcher, config_folder):
    server.routes |= {"/feed": reply(moved_feed(server, "/new", an_item(1))), "/new": reply("", 404)}
    feed = a_feed(server.url())
    runner = PassRunner(fetcher, config_folder, feed)

    failed = await runner.poll()
    server.routes["/new"] = reply(numbered([1, 2]))
    again = await runner.poll()

    assert (failed.new, again.new) == (1, 1)
    assert "which cannot be read" in failed.notes[0]
    assert runner.record.state(feed).failures == 0


async def test_an_aggregator_s_article_has_the_publisher_of_its_source(server, fetcher, config_folder):
    item = an_item(1, title="Ferry approved - The Courier", description="Ferry approved The Courier")
    source = '<source url="https://courier.example">The Courier</source></item>'
    server.routes["/feed"] = reply(an_rss(item.replace("</item>", source)))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url(), full_text="never"))

    await runner.poll()

    article = next(iter(runner.record.articles.values()))
    assert (article.publisher, article.title, article.text) == ("The Courier",) + ("Ferry approved",) * 2


async def test_a_move_to_a_failing_address_is_reverted(server, fetcher, config_folder):
    server.routes |= {"/feed": reply("", 308, location="/new"), "/new": reply(numbered([1]))}
    feed = a_feed(server.url())
    runner = PassRunner(fetcher, config_folder, feed)
    for _ in range(4):
        await runner.poll(hours=72)

    server.routes |= {"/new": reply("", 410), "/feed": reply(numbered([1, 2]))}
    failed, again = await runner.poll(), await runner.poll()

    assert failed.failed == ("The Example: the feed moved to an address that was removed permanently (410)",)
    assert runner.record.gone == set()
    assert again.new == 1
    assert runner.record.state(feed).failures == 0


async def test_a_temporary_redirect_is_requested_every_time(server, fetcher, config_folder):
    server.routes |= {"/feed": reply("", 302, location="/new"), "/new": reply(numbered([1]))}
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))
    for _ in range(6):
        await runner.poll(hours=72)

    assert server.paths()[-2:] == ["/feed", "/new"]


async def test_failures_delay_the_next_poll_and_a_success_resets_it(server, fetcher, config_folder):
    feed = a_feed(server.url(), poll_interval=timedelta(hours=1))
    runner = PassRunner(fetcher, config_folder, feed)
    waits = []
    for _ in range(4):
        await runner.poll()
        state = runner.record.state(feed)
        waits.append((state.next_poll_at - state.last_poll_at) // timedelta(hours=1))
    assert waits == [1, 2, 4, 8]

    server.routes["/feed"] = reply(numbered([1]))
    await runner.poll()
    state = runner.record.state(feed)
    assert (state.failures, state.last_error, state.last_success_at) == (
        0,
        None,
        runner.now - timedelta(hours=1),
    )


async def test_a_failed_poll_keeps_the_seen_items(server, fetcher, config_folder):
    server.routes["/feed"] = reply(numbered(range(1, 6)))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))
    await runner.poll()
    for error in (reply("", 500), reply(PAGE), reply(an_rss())):
        server.routes["/feed"] = error
        await runner.poll()

    server.routes["/feed"] = reply(numbered(range(6)))

    assert (await runner.poll()).new == 1


async def test_ttl_and_cache_headers_apply_to_304_too(server, fetcher, config_folder):
    feed = a_feed(server.url())
    server.routes["/feed"] = reply(
        an_rss(an_item(1), extra="<ttl>120</ttl>"), etag='"x"', cache_control="max-age=60"
    )
    runner = PassRunner(fetcher, config_folder, feed)
    for _ in range(2):
        await runner.poll()
        state = runner.record.state(feed)
        assert state.next_poll_at - state.last_poll_at >= timedelta(hours=2)


async def test_only_some_feeds_and_only_those_that_are_due(server, fetcher, config_folder):
    server.routes |= {"/a": reply(numbered([1])), "/b": reply(numbered([2]))}
    a, b = a_feed(server.url("/a"), name="A"), a_feed(server.url("/b"), name="B")
    runner = PassRunner(fetcher, config_folder, a, b)

    first = await gather(runner.gatherer, now=NOON, only=[a.id])
    second = await gather(runner.gatherer, now=NOON)
    third = await gather(runner.gatherer, now=NOON)
    forced = await gather(runner.gatherer, now=NOON, only=[b.id], force=True)

    assert [report.polled for report in (first, second, third, forced)] == [1, 1, 0, 1]


async def test_progress_is_reported_feed_by_feed(server, fetcher, config_folder):
    server.routes |= {f"/{n}": reply(numbered([n])) for n in range(3)}
    runner = PassRunner(
        fetcher, config_folder, *(a_feed(server.url(f"/{n}"), name=f"Feed {n}") for n in range(3))
    )
    reported = []

    await gather(runner.gatherer, now=NOON, progress=lambda *line: reported.append(line))

    assert sorted(name for name, _, _ in reported) == ["Feed 0", "Feed 1", "Feed 2"]
    assert [(done, total) for _, done, total in reported] == [(1, 3), (2, 3), (3, 3)]


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
async def test_an_unexpected_error_stays_with_its_feed(server, fetcher, config_folder, error, sentence):
    server.routes |= {"/a": reply(numbered([1])), "/b": reply(numbered([2]))}
    runner = PassRunner(
        fetcher, config_folder, a_feed(server.url("/a"), name="Bad"), a_feed(server.url("/b"))
    )
    runner.gatherer = replace(runner.gatherer, workers=Failing(error))

    report = await runner.poll()

    assert report.failed == (f"Bad: {sentence}",)
    assert report.new == 1


async def test_an_unavailable_database_ends_the_pass(server, fetcher, config_folder):
    server.routes["/feed"] = reply(numbered([1]))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))

    async def gone(*_polls):
        raise StoreError("the database is gone")

    runner.record.record_polls = gone
    with pytest.raises(StoreError):
        await runner.poll()


async def test_a_line_that_the_feed_adds_to_its_items_is_marked(server, fetcher, config_folder):
    added = "<p>The Courier has been printed in Tarn since 1931.</p>"
    items = [
        an_item(n, description=f"<p>{a_text(place)}</p>{added}")
        for n, place in enumerate(("Tarn", "Ostrel", "Velmarsh"))
    ]
    server.routes["/feed"] = reply(an_rss(*items))
    runner = PassRunner(fetcher, config_folder, a_feed(server.url()))
    await runner.poll()
    for article in runner.record.articles.values():
        marked = [article.text[block.start : block.end] for block in article.blocks if block.repeated]
        assert marked == ["The Courier has been printed in Tarn since 1931."]
