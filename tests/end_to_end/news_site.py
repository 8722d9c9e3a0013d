"""A news site: two publishers whose articles appear at simulated times, over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

PUBLICATION_HOURS = {"courier": (3, 15), "wire": (9, 21)}
"""The hours (UTC) at which each publisher publishes an article, every day."""
ARTICLE_MARK = re.compile(r"\bQ\d{3,4}\b")
"""The mark in the title of each article, which identifies it in a mail."""
FEED_ENTRIES = 12

BEGINNINGS = [
    "bar",
    "cor",
    "dun",
    "esk",
    "far",
    "gil",
    "hol",
    "jar",
    "kel",
    "lor",
    "mar",
    "nor",
    "pel",
    "ros",
]
ENDINGS = [
    "mere",
    "wick",
    "dale",
    "stow",
    "ford",
    "gate",
    "ham",
    "ley",
    "moor",
    "ness",
    "thorpe",
    "vale",
    "worth",
]


@dataclass(frozen=True)
class NewsArticle:
    """An article: its publisher, its number among all articles, and its publication time."""

    publisher: str
    number: int
    at: datetime

    @property
    def mark(self) -> str:
        return f"Q{self.number:03}"

    @property
    def title(self) -> str:
        return f"{self.mark} {self._name(0)} answers {self._name(1)} about {self._name(2)}"

    @property
    def text(self) -> str:
        """Five sentences with names of no other article, so that each article is a separate story."""
        name = self._name
        return " ".join(
            [
                f"{name(0)} gave {name(1)} an answer about {name(2)}, {100 + self.number} days late.",
                f"Whoever lives in {name(3)} has waited for the {name(4).lower()} since spring.",
                f"Ferries to {name(5)} and {name(6)} stay in dock, the {name(7).lower()} office wrote.",
                f"A second {name(8).lower()} would cost {name(9)} more than {200 + self.number} crowns.",
                f"Children from {name(10)} painted {name(11)} in the meantime.",
            ]
        )

    def _name(self, place: int) -> str:
        """Return one of the twelve names that belong to this article alone."""
        which = self.number * 12 + place
        first, rest = which % len(BEGINNINGS), which // len(BEGINNINGS)
        middle, rest = rest % len(ENDINGS), rest // len(ENDINGS)
        more, rest = rest % len(ENDINGS), rest // len(ENDINGS)
        last = ["", *BEGINNINGS, *ENDINGS][rest]
        return (BEGINNINGS[first] + ENDINGS[middle] + ENDINGS[more] + last).title()


def published_articles(start: datetime, days: int) -> list[NewsArticle]:
    """Return all articles of the two publishers, in order."""
    moments = sorted(
        (start + timedelta(days=day, hours=hour, minutes=10), publisher)
        for day in range(days)
        for publisher, hours in PUBLICATION_HOURS.items()
        for hour in hours
    )
    return [NewsArticle(publisher, number, at) for number, (at, publisher) in enumerate(moments)]


@contextmanager
def news_site(news: list[NewsArticle], clock: Callable[[], datetime]) -> Iterator[str]:
    """Serve the articles published by `clock`; yield the URL, without a trailing slash."""
    base = ""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self._body(self.path.strip("/"))
            self.send_response(HTTPStatus.OK if body else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _body(self, path: str) -> bytes:
            out = [item for item in news if item.at <= clock()]
            if path in PUBLICATION_HOURS:
                return feed(base, path, [n for n in out if n.publisher == path][-FEED_ENTRIES:]).encode()
            return next((page(n).encode() for n in out if path == n.mark), b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    base = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield base
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def feed(base: str, publisher: str, news: list[NewsArticle]) -> str:
    """Return the feed: the courier's entries have the full text, the wire's are teasers."""
    items = "".join(
        f"<item><title>{n.title}</title><link>{base}/{n.mark}</link><guid>{base}/{n.mark}</guid>"
        f"<pubDate>{format_datetime(n.at)}</pubDate>"
        f"<description>{n.text if publisher == 'courier' else n.text[:60] + '...'}</description></item>"
        for n in reversed(news)
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>The {publisher.title()}</title>'
        f"<link>{base}</link>{items}</channel></rss>"
    )


def page(news: NewsArticle) -> str:
    """Return an article's page, with navigation and footer."""
    paragraphs = "".join(
        f"<p>{sentence.strip()}.</p>" for sentence in news.text.split(".") if sentence.strip()
    )
    return (
        f"<!doctype html><html><head><title>{news.title}</title></head><body>"
        "<nav>Home | World</nav>"
        f"<article><h1>{news.title}</h1>{paragraphs}</article>"
        "<footer>Read more. Cookies.</footer></body></html>"
    )
