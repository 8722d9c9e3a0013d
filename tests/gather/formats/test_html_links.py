"""The feeds of a page, and of a site from the address of any of its pages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.gather.discovery import DiscoveredFeeds, find_feeds
from service.gather.formats.html_links import FeedLink, feed_links
from service.gather.http.fetcher import HttpFetcher
from tests.gather.feeds import an_item, an_rss
from tests.gather.server import Server, reply

PAGE = """<html><head><title>Site</title>
<link rel="alternate" type="application/rss+xml" title="Comments &amp; replies" href="/comments/feed/">
<LINK REL='alternate' TYPE='application/atom+xml; charset=utf-8' TITLE='News' HREF='/news.atom'>
<link rel="alternate" type="application/json+oembed" href="/oembed?x=1">
<link rel="alternate" hreflang="de" href="/de/">
<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
<link rel="stylesheet" href="/x.css"></head><body><a href="/rss">RSS</a></body></html>"""


def test_declared_feeds_are_returned_in_order_with_comments_last():
    assert feed_links(PAGE, "https://a.example/x/") == (
        FeedLink("https://a.example/news.atom", "News"),
        FeedLink("https://a.example/comments/feed/", "Comments & replies"),
    )


def test_anchors_count_where_nothing_is_declared():
    page = "<base href='https://b.example/'><a href='about'>About</a><a href='feed.xml' title='All'>Feed</a>"

    assert feed_links(page, "https://a.example/") == (FeedLink("https://b.example/feed.xml", "All"),)


@given(st.text(alphabet="<>linkaref='\"= /:[]&#x", max_size=200))
def test_no_markup_makes_it_raise(page: str):
    feed_links(page, "https://a.example/")


async def test_the_address_of_a_feed_is_the_feed(server: Server, fetcher: HttpFetcher):
    server.routes["/feed"] = reply(an_rss(title="The &amp;lt;b&amp;gt; Example"))

    assert await find_feeds(server.url(), fetcher) == DiscoveredFeeds(
        (FeedLink(server.url(), "The <b> Example"),)
    )


async def test_a_moved_feed_is_found_at_its_new_address(server: Server, fetcher: HttpFetcher):
    server.routes["/feed"] = reply("", 301, location="/new")
    server.routes["/new"] = reply(an_rss())

    assert (await find_feeds(server.url(), fetcher)).feeds[0].url == server.url("/new")


async def test_the_address_of_a_site_leads_to_the_feeds_that_it_names(server: Server, fetcher: HttpFetcher):
    server.routes["/"] = reply(
        '<link rel="alternate" type="application/rss+xml" title="N" href="/n.xml"><p>Hi</p>'
    )

    assert (await find_feeds(server.url("/"), fetcher)).feeds == (FeedLink(server.url("/n.xml"), "N"),)


async def test_the_usual_addresses_are_tried_when_a_site_links_to_no_feed(
    server: Server, fetcher: HttpFetcher
):
    server.routes["/"] = reply("<html><p>Hi</p></html>")
    server.routes["/rss.xml"] = reply(an_rss(an_item(1)))

    assert (await find_feeds(server.url("/"), fetcher)).feeds == (
        FeedLink(server.url("/rss.xml"), "The Example"),
    )


async def test_an_address_may_be_given_without_a_scheme(server: Server, fetcher: HttpFetcher):
    server.routes["/feed"] = reply(an_rss())

    found = await find_feeds(server.url().removeprefix("http://"), fetcher)

    assert found.feeds[0].url == server.url()


async def test_a_site_without_a_feed_gives_a_sentence(server: Server, fetcher: HttpFetcher):
    server.routes["/"] = reply("<html><p>Hi</p></html>")

    assert (await find_feeds(server.url("/"), fetcher)).reason == (
        "a web page, not a feed; the page links to no feed"
    )
    assert (await find_feeds(server.url("/gone"), fetcher)).reason == "the server answered 404 (not found)"
