"""Kinds of feeds: functions from item numbers to a document."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from functools import partial
from html import escape

from _newsfeeds import feed, sentence

Kind = Callable[[Iterable[int]], bytes]


def atom(numbers: Iterable[int], paragraphs: int) -> bytes:
    """Return an Atom feed, its markup escaped."""
    entries = []
    for n in numbers:
        dice = random.Random(n)
        body = "".join(f"<p>{sentence(dice, 45)} <a href='/{n}'>here</a></p>" for _ in range(paragraphs))
        content = f"<content type='html'>{escape(body)}</content>" if body else ""
        entries.append(
            f"<entry><id>tag:a.example,2026:{n}</id><title type='html'>{sentence(dice, 8)} {n}</title>"
            f"<link rel='alternate' type='text/html' href='https://a.example/s/{n}'/><author><name>Ann</name>"
            f"</author><updated>2026-03-02T{n % 24:02}:10:00+01:00</updated><category term='World'/>"
            f"<summary type='html'>{escape(sentence(dice, 30))}</summary>{content}</entry>"
        )
    head = (
        "<?xml version='1.0' encoding='utf-8'?><feed xmlns='http://www.w3.org/2005/Atom' xml:lang='en'>"
        "<title>Atom</title><id>urn:x</id><link rel='self' href='https://a.example/f'/>"
    )
    return (head + "\n".join(entries) + "</feed>").encode()


def rdf(numbers: Iterable[int]) -> bytes:
    """Return a feed of RSS 1.0."""
    items = []
    for n in numbers:
        dice = random.Random(n)
        items.append(
            f'<item rdf:about="https://r.example/{n}"><title>{sentence(dice, 8)} {n}</title>'
            f"<link>https://r.example/{n}</link><description>{sentence(dice, 40)}</description>"
            f"<dc:date>2026-03-02T{n % 24:02}:00:00+00:00</dc:date><dc:subject>World</dc:subject></item>"
        )
    head = (
        "<?xml version='1.0'?><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
        "xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        "<channel rdf:about='https://r.example/'><title>RDF</title><link>https://r.example/</link></channel>"
    )
    return (head + "\n".join(items) + "</rdf:RDF>").encode()


def podcast(numbers: Iterable[int]) -> bytes:
    """Return a podcast's feed."""
    items = []
    for n in numbers:
        dice = random.Random(n)
        items.append(
            f"<item><title>Episode {n} {sentence(dice, 6)}</title><link>https://p.example/{n}</link>"
            f"<guid isPermaLink='false'>ep-{n}</guid><itunes:author>Host</itunes:author>"
            f"<pubDate>Mon, 02 Mar 2026 {n % 24:02}:00:00 +0000</pubDate>"
            f"<description><![CDATA[<p>{sentence(dice, 60)}</p>]]></description>"
            f"<itunes:summary>{sentence(dice, 30)}</itunes:summary><itunes:duration>{n}:00</itunes:duration>"
            f"<itunes:image href='https://p.example/{n}.jpg'/><itunes:explicit>no</itunes:explicit>"
            f"<enclosure url='https://p.example/{n}.mp3' length='1' type='audio/mpeg'/></item>"
        )
    head = (
        "<?xml version='1.0' encoding='UTF-8'?><rss version='2.0' "
        "xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel><title>Pod</title>"
        "<link>https://p.example</link><language>en</language><itunes:author>Host</itunes:author>"
    )
    return (head + "\n".join(items) + "</channel></rss>").encode()


def pictures(numbers: Iterable[int]) -> bytes:
    """Return a broadcaster's feed: a line of text and a picture for each item."""
    items = []
    for n in numbers:
        dice = random.Random(n)
        items.append(
            f"<item><title><![CDATA[{sentence(dice, 8)} & more {n}]]></title>"
            f"<link>https://m.example/news/{n}?at_medium=RSS&amp;at_campaign=rss</link>"
            f"<guid isPermaLink='true'>https://m.example/news/{n}#0</guid>"
            f"<pubDate>Mon, 02 Mar 2026 {n % 24:02}:00:00 GMT</pubDate>"
            f"<description><![CDATA[{sentence(dice, 25)}]]></description>"
            f"<media:thumbnail width='240' height='134' url='https://m.example/{n}.jpg'/></item>"
        )
    head = (
        "<?xml version='1.0' encoding='UTF-8'?><rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/'>"
        "<channel><title>M News</title><description>d</description><link>https://m.example</link>"
        "<lastBuildDate>Mon, 02 Mar 2026 10:00:00 GMT</lastBuildDate><language>en-gb</language><ttl>15</ttl>"
    )
    return (head + "\n".join(items) + "</channel></rss>").encode()


def cyrillic(numbers: Iterable[int]) -> bytes:
    """Return a feed in the encoding windows-1251."""
    text = feed(numbers, 2).decode().replace("UTF-8", "windows-1251", 1)
    return text.replace(" council ", " совет ").replace(" the ", " мост ").encode("windows-1251")


KINDS: dict[str, Kind] = {
    "RSS, whole articles": partial(feed, paragraphs=15),
    "RSS, 2.4 KB each": partial(feed, paragraphs=4),
    "RSS, teasers": partial(feed, paragraphs=0),
    "RSS, pictures": pictures,
    "RSS, podcast": podcast,
    "RSS, windows-1251": cyrillic,
    "RDF, teasers": rdf,
    "Atom, 1 KB each": partial(atom, paragraphs=3),
    "Atom, teasers": partial(atom, paragraphs=0),
}
