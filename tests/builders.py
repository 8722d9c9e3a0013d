"""Builders: values for tests, with defaults for every field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from service.core import ids as identity
from service.core.model import (
    Article,
    CondensedArticle,
    Edition,
    Feed,
    KeyPoint,
    Newsletter,
    Subscriber,
    Summary,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday, the default time of tests."""


def a_feed(url: str = "https://news.example/rss", **changes: Any) -> Feed:
    defaults: dict[str, Any] = {
        "id": identity.feed_id(url),
        "url": url,
        "name": "The Example",
        "topics": ("world",),
    }
    return Feed(**(defaults | changes))


NOUNS = """
anchor bakery beacon bridge canal castle cellar chapel chimney clinic cottage customs dairy depot
embassy factory fairground farm ferry foundry garden garrison glacier granary harbour hangar hostel
island jetty kiln kitchen laboratory lagoon library lighthouse lock mansion market meadow mill mine
monastery museum nursery observatory orchard palace pavilion pier plantation plateau pottery prison
quarry quay railway refinery reservoir ruin sawmill school shipyard smithy stable stadium station studio
sugar swamp tannery temple theatre tower tunnel turbine valley vault village vineyard warehouse
waterfall weir wharf windmill workshop zoo
"""


def a_report_on(title: str) -> str:
    """Return two sentences, the same for the same title, with few words in common with those for others."""
    seeds = sha256(title.encode("utf-8", "replace")).digest()
    nouns = NOUNS.split()
    one, two, three, four, five, six = (nouns[seed % len(nouns)] for seed in seeds[:6])
    return f"The {one} of the {two} now has a {three}. This was a {four} before it was a {five} or {six}."


def an_article(
    title: str = "Harbour reopens after storm", text: str | None = None, **changes: Any
) -> Article:
    url = changes.pop("url", f"https://news.example/{title.lower().replace(' ', '-')}")
    feed_id = changes.pop("feed_id", identity.feed_id("https://news.example/rss"))
    defaults: dict[str, Any] = {
        "id": identity.article_id(feed_id, "", url, title),
        "feed_id": feed_id,
        "url": url,
        "title": title,
        "text": a_report_on(title) if text is None else text,
        "language": "en",
        "publisher": "The Example",
        "published_at": NOON - timedelta(hours=2),
        "gathered_at": NOON - timedelta(hours=1),
        "topics": ("world",),
    }
    return Article(**(defaults | changes))


def condensed(article: Article, *sentences: str) -> CondensedArticle:
    """Return the article with these of its sentences as key points (its first when none is named)."""
    chosen = sentences or (article.text.split(". ")[0] + ("." if ". " in article.text else ""),)
    starts = [article.text.index(sentence) for sentence in chosen]
    points = tuple(
        KeyPoint.from_source(article.text, start, start + len(s))
        for start, s in zip(starts, chosen, strict=True)
    )
    return CondensedArticle(article, Summary("lead", points))


def a_newsletter(id: str = "morning", **changes: Any) -> Newsletter:  # noqa: A002 - the model's own word
    defaults: dict[str, Any] = {
        "id": id,
        "title": "The Morning Caveat",
        "schedule": "daily 07:00",
        "timezone": "Europe/Berlin",
        "topics": ("world",),
    }
    return Newsletter(**(defaults | changes))


def an_edition(newsletter: str = "morning", **changes: Any) -> Edition:
    defaults: dict[str, Any] = {
        "newsletter": newsletter,
        "schedule": "daily 07:00",
        "timezone": "Europe/Berlin",
        "topics": ("world",),
        "stories": 8,
        "points": 4,
        "language": "en",
        "format": "html",
    }
    return Edition(**(defaults | changes))


def a_subscriber(email: str = "amina@example.org", **changes: Any) -> Subscriber:
    defaults: dict[str, Any] = {"id": identity.subscriber_id(email), "email": email, "name": "Amina"}
    return Subscriber(**(defaults | changes))
