"""The press: two publishers who bring out news as simulated time goes by, over real HTTP."""

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

HOURS = {"courier": (3, 15), "wire": (9, 21)}
"""At which hours (UTC) of each day a publisher brings out an article."""
MARK = re.compile(r"\bQ\d{3}\b")
"""What each article is known by, wherever it is told."""
LATEST = 12

PLACES = [
    "Aldermoor",
    "Brackwater",
    "Corvane",
    "Dunlow",
    "Eskmere",
    "Farrowby",
    "Grimsholt",
    "Hartwell",
    "Inverlee",
    "Jarrow",
]
THINGS = [
    "harbour",
    "orchard",
    "tramway",
    "library",
    "glacier",
    "foundry",
    "lagoon",
    "theatre",
    "quarry",
    "hospital",
    "aqueduct",
]
DOERS = [
    "council",
    "engineers",
    "nurses",
    "divers",
    "teachers",
    "farmers",
    "archivists",
    "pilots",
    "bakers",
    "judges",
    "masons",
]
DEEDS = [
    "reopened",
    "measured",
    "repainted",
    "counted",
    "flooded",
    "surveyed",
    "insured",
    "photographed",
    "moved",
    "praised",
]


@dataclass(frozen=True)
class News:
    """An article: which publisher's, the how many-th of all, and when it comes out."""

    publisher: str
    number: int
    at: datetime

    @property
    def mark(self) -> str:
        return f"Q{self.number:03}"

    @property
    def title(self) -> str:
        return f"{self.mark} {self._of(THINGS, 3)} of {self._of(PLACES, 7)} {self._of(DEEDS, 1)}"

    @property
    def text(self) -> str:
        """Five sentences that no other article has."""
        n = self.number
        return " ".join(
            f"The {self._of(DOERS, k + 1)} of {self._of(PLACES, 3 * k + 1)} {self._of(DEEDS, k + 2)} the"
            f" {self._of(THINGS, 5 * k + 2)} on day {n * 17 + k} after {100 + n * 3 + k} people from"
            f" {self._of(PLACES, k + 5)} had asked the {self._of(DOERS, 2 * k + 3)} for it."
            for k in range(5)
        )

    def _of(self, words: list[str], step: int) -> str:
        return words[(self.number * step + step * step) % len(words)]


def edition_of(start: datetime, days: int) -> list[News]:
    """Return everything that the two publishers bring out, in order."""
    moments = sorted(
        (start + timedelta(days=day, hours=hour, minutes=10), publisher)
        for day in range(days)
        for publisher, hours in HOURS.items()
        for hour in hours
    )
    return [News(publisher, number, at) for number, (at, publisher) in enumerate(moments)]


@contextmanager
def press(news: list[News], clock: Callable[[], datetime]) -> Iterator[str]:
    """Serve what has come out by `clock`; give the address, without a slash at its end."""
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
            if path in HOURS:
                return feed(base, path, [n for n in out if n.publisher == path][-LATEST:]).encode()
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


def feed(base: str, publisher: str, news: list[News]) -> str:
    """Return the feed: the courier's entries carry their text, the wire's are teasers."""
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


def page(news: News) -> str:
    """Return an article's page, with what real pages have around it."""
    paragraphs = "".join(
        f"<p>{sentence.strip()}.</p>" for sentence in news.text.split(".") if sentence.strip()
    )
    return (
        f"<!doctype html><html><head><title>{news.title}</title></head><body><nav>Home | World</nav>"
        f"<article><h1>{news.title}</h1>{paragraphs}</article><footer>Read more. Cookies.</footer></body></html>"
    )
