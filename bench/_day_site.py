"""The web servers of the publishers in the benchmark of a day, in a process of its own.

    python bench/_day_site.py FOLDER

It serves the feeds and pages of FOLDER/news.pickle as they are at the time of FOLDER/clock, on every address
of the loopback network, and prints its port. It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import gzip
import pickle
import re
import sys
from bisect import bisect_right
from email.utils import format_datetime
from html import escape
from http import HTTPStatus
from pathlib import Path

from _day_clock import SharedClock
from _day_news import Publisher, Report
from _webpages import CARDS, LINKS, SCRIPTS
from aiohttp import web

FEED_ENTRIES = 30
TEASER_CHARACTERS = 160


def address_of(feed: Publisher, port: int) -> str:
    """Return the address of a feed."""
    return f"http://{feed.host}:{port}/feed/{feed.number}.xml"


def page_of(feed: Publisher, report: Report, port: int) -> str:
    """Return the address of an article's page."""
    words = "-".join(re.findall("[a-z]+", report.title.lower())[:6])
    return f"http://{feed.host}:{port}/news/{report.number}/{words}"


class Site:
    """The publishers' server."""

    def __init__(self, feeds: list[Publisher], reports: list[Report], clock: SharedClock) -> None:
        self._feeds, self._reports, self._clock, self.port = feeds, reports, clock, 0
        self._own: list[list[Report]] = [[] for _ in feeds]
        for report in reports:
            self._own[report.publisher].append(report)
        self._times = [[report.at for report in own] for own in self._own]
        self._bodies: dict[int, tuple[int, bytes]] = {}
        self.requests = 0

    async def feed(self, request: web.Request) -> web.Response:
        """Serve a feed with the latest entries, or 304."""
        self.requests += 1
        number, now = int(request.match_info["number"]), self._clock()
        feed = self._feeds[number]
        count = bisect_right(self._times[number], now)
        headers = {"ETag": f'"{number}-{count}"'} if feed.validators else {}
        if feed.validators and request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        if self._bodies.get(number, (-1, b""))[0] != count:
            self._bodies[number] = count, self._document(feed, count).encode()
        body = self._bodies[number][1]
        if feed.restless:
            body = body.replace(b"<!--time-->", f"<!--{now.isoformat()}-->".encode())
        return self._packed(request, body, "application/xml", headers)

    async def page(self, request: web.Request) -> web.Response:
        """Serve an article's page, about 100 KB."""
        self.requests += 1
        report = self._reports[int(request.match_info["number"])]
        return self._packed(request, web_page(report, self._feeds[report.publisher]), "text/html", {})

    async def robots(self, _request: web.Request) -> web.Response:
        """Serve a robots.txt that allows everything."""
        self.requests += 1
        return web.Response(text="User-agent: *\nDisallow: /search\n")

    def _packed(self, request: web.Request, body: bytes, kind: str, headers: dict[str, str]) -> web.Response:
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body, headers = gzip.compress(body, 1), {**headers, "Content-Encoding": "gzip"}
        return web.Response(body=body, content_type=kind, headers=headers)

    def _document(self, feed: Publisher, count: int) -> str:
        latest = self._own[feed.number][max(0, count - FEED_ENTRIES) : count][::-1]
        items = "\n".join(ITEMS[feed.format](feed, one, page_of(feed, one, self.port)) for one in latest)
        head, foot = FRAMES[feed.format]
        name = f"Paper {feed.number}"
        return head.format(name=name, language=feed.language, host=feed.host, port=self.port) + items + foot

    async def serve(self) -> None:
        """Serve until the standard input ends."""
        app = web.Application()
        app.router.add_get("/feed/{number}.xml", self.feed)
        app.router.add_get("/news/{number}/{title}", self.page)
        app.router.add_get("/robots.txt", self.robots)
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        site = web.TCPSite(runner, "0.0.0.0", 0, backlog=1024)  # noqa: S104 - the whole of 127.0.0.0/8
        await site.start()
        self.port = runner.addresses[0][1]
        print(self.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await runner.cleanup()


def web_page(report: Report, feed: Publisher) -> bytes:
    """Return the page: the article with the navigation, cards and scripts of a real site around it."""
    body = "".join(f"<p class='text'>{escape(one)}</p>" for one in report.paragraphs)
    article = (
        f"<article><header><h1>{escape(report.title)}</h1><p class='by'>By Reporter {report.number % 9}</p>"
        f"</header><figure><img src='/i/{report.number}.jpg' alt=''/></figure>{body}"
        "<footer>Share this</footer></article>"
    )
    return (
        f"<!doctype html><html lang='{feed.language}'><head><meta charset='utf-8'>"
        f"<title>{escape(report.title)}</title>{SCRIPTS}</head><body>{LINKS}{article}{CARDS}{LINKS}"
        "</body></html>"
    ).encode()


# --- formats -------------------------------------------------------------------------------------

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
FRAMES = {
    "rss": (
        _XML + '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        "<channel><!--time--><title>{name}</title><link>http://{host}:{port}/</link>"
        "<language>{language}</language>",
        "</channel></rss>",
    ),
    "atom": (
        _XML + '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{language}"><!--time-->'
        "<title>{name}</title><id>http://{host}:{port}/</id>",
        "</feed>",
    ),
    "rdf": (
        _XML + '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><!--time-->'
        "<channel rdf:about='http://{host}:{port}/'><title>{name}</title><link>http://{host}:{port}/</link>"
        "<dc:language>{language}</dc:language></channel>",
        "</rdf:RDF>",
    ),
}


def _teaser(report: Report) -> str:
    return report.paragraphs[0][:TEASER_CHARACTERS].rsplit(" ", 1)[0] + "..."


def _whole(report: Report) -> str:
    return "".join(f"<p>{escape(one)} <a href='/tag/{len(one)}'>More</a></p>" for one in report.paragraphs)


def _rss(feed: Publisher, report: Report, page: str) -> str:
    whole = f"<content:encoded><![CDATA[{_whole(report)}]]></content:encoded>" if feed.whole else ""
    return (
        f"<item><title>{escape(report.title)}</title><link>{page}</link><guid>{page}</guid>"
        f"<pubDate>{format_datetime(report.at)}</pubDate><category>{feed.topics[0]}</category>"
        f"<description>{escape(_teaser(report))}</description>{whole}</item>"
    )


def _atom(feed: Publisher, report: Report, page: str) -> str:
    whole = f"<content type='html'>{escape(_whole(report))}</content>" if feed.whole else ""
    return (
        f"<entry><id>{page}</id><title>{escape(report.title)}</title><link rel='alternate' href='{page}'/>"
        f"<updated>{report.at.isoformat()}</updated><summary>{escape(_teaser(report))}</summary>{whole}</entry>"
    )


def _rdf(_feed: Publisher, report: Report, page: str) -> str:
    return (
        f"<item rdf:about='{page}'><title>{escape(report.title)}</title><link>{page}</link>"
        f"<description>{escape(_teaser(report))}</description><dc:date>{report.at.isoformat()}</dc:date></item>"
    )


ITEMS = {"rss": _rss, "atom": _atom, "rdf": _rdf}


def main() -> None:
    """Serve the news of the folder."""
    folder = Path(sys.argv[1])
    feeds, reports = pickle.loads((folder / "news.pickle").read_bytes())  # noqa: S301 - day.py wrote it
    asyncio.run(Site(feeds, reports, SharedClock(folder / "clock")).serve())


if __name__ == "__main__":
    main()
