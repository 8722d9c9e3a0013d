"""The day of the benchmark by a script as one would write it, without stories, caveats, retries or a ledger.

    python bench/_day_script.py FOLDER SITE_PORT SMTP_PORT READERS EDITIONS

It polls a tenth of the feeds each hour with ETag (feedparser), reads the pages of teasers (trafilatura),
summarises each new article (sumy's LexRank), renders a tenth of the editions (Jinja, css-inline) and sends
each reader of a tenth a message of their own over one connection (smtplib). It prints its CPU seconds, times
ten.
"""

from __future__ import annotations

import pickle
import re
import smtplib
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import css_inline
import feedparser
import trafilatura
from _day_clock import SharedClock
from _day_news import Publisher
from _day_site import address_of
from jinja2 import Environment
from sumy.nlp.stemmers import null_stemmer
from sumy.parsers.plaintext import PlaintextParser
from sumy.summarizers.lex_rank import LexRankSummarizer

SHARE = 10
POINTS, STORIES = 4, 30
START = datetime(2026, 3, 3, tzinfo=UTC)
TEMPLATE = """<!DOCTYPE html><html><head><style>
body { font-family: Georgia, serif; } h2 { font-size: 20px; margin: 0; } p { line-height: 24px; }
</style></head><body>{% for story in stories %}<h2><a href="{{ story.page }}">{{ story.title }}</a></h2>
<ul>{% for line in story.lines %}<li><p>{{ line }}</p></li>{% endfor %}</ul>{% endfor %}
<p><a href="https://news.example.org/u/NAME">Unsubscribe</a></p></body></html>"""


class Words:
    """sumy's tokenizer interface, by regular expressions: its own one needs a download."""

    def to_sentences(self, text: str) -> list[str]:
        """Return the sentences."""
        return re.split(r"(?<=[.!?])\s+", text.strip())

    def to_words(self, sentence: str) -> list[str]:
        """Return the words."""
        return re.findall(r"\w+", sentence)


@dataclass
class Story:
    """An article with its summary."""

    page: str
    title: str
    lines: list[str]


def poll(address: str, etag: str | None) -> tuple[Any, str | None]:
    """Return the parsed feed and its ETag; None when it is unchanged."""
    request = Request(address, headers={"If-None-Match": etag} if etag else {})  # noqa: S310 - our own server
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
            return feedparser.parse(answer.read()), answer.headers.get("ETag")
    except HTTPError:
        return None, etag


def summary_of(entry: Any) -> list[str]:  # noqa: ANN401 - feedparser is untyped
    """Return the summary of the entry's text, or of its page's."""
    html = entry.content[0].value if entry.get("content") else ""
    if not html:
        with urlopen(entry.link, timeout=30) as answer:  # noqa: S310 - our own server
            html = answer.read().decode()
    text = trafilatura.extract(html) or entry.get("summary", "")
    document = PlaintextParser(text, Words()).document
    return [str(line) for line in LexRankSummarizer(null_stemmer)(document, POINTS)]


def gather(feeds: list[Publisher], port: int, clock: SharedClock) -> list[Story]:
    """Poll the feeds each hour of the day; return the new articles with their summaries."""
    tags: dict[int, str | None] = {}
    seen: set[str] = set()
    stories: list[Story] = []
    for hour in range(25):
        clock.set(START + timedelta(hours=hour))
        for feed in feeds:
            parsed, tags[feed.number] = poll(address_of(feed, port), tags.get(feed.number))
            for entry in parsed.entries if parsed else ():
                if entry.link not in seen:
                    seen.add(entry.link)
                    stories += [Story(entry.link, entry.title, summary_of(entry))] if hour else []
    return stories


def send(stories: list[Story], smtp_port: int, readers: int, editions: int) -> None:
    """Render the editions, and send each reader one."""
    template, inliner = Environment(autoescape=True).from_string(TEMPLATE), css_inline.CSSInliner()
    pages = [inliner.inline(template.render(stories=stories[-STORIES - n :])) for n in range(editions)]
    with smtplib.SMTP("127.0.0.1", smtp_port) as client:
        for number in range(readers):
            message = EmailMessage()
            message["From"], message["To"] = "digest@example.org", f"reader{number}@example.org"
            message["Subject"], name = "The news of today", f"Reader {number}"
            message.set_content("\n\n".join(f"{one.title}\n{one.page}" for one in stories[-STORIES:]))
            message.add_alternative(pages[number % editions].replace("NAME", name), subtype="html")
            client.send_message(message)


def main() -> None:
    """Run the day and print the CPU seconds of its parts, times SHARE."""
    folder, (port, smtp_port, readers, editions) = Path(sys.argv[1]), map(int, sys.argv[2:6])
    feeds, _ = pickle.loads((folder / "news.pickle").read_bytes())  # noqa: S301 - day.py wrote it
    chosen, clock = feeds[:: SHARE + 1], SharedClock(folder / "clock")
    begun = time.process_time()
    stories = gather(chosen, port, clock)
    gathered = time.process_time()
    send(stories, smtp_port, max(1, readers // SHARE), max(1, editions // SHARE))
    share = len(feeds) / len(chosen)
    print(f"{(gathered - begun) * share:.2f} {(time.process_time() - gathered) * SHARE:.2f} {len(stories)}")


if __name__ == "__main__":
    main()
