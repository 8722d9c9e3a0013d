"""Builders of feed documents, as small as a test needs them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import Any

from tests.builders import NOON

LONG = (
    "The council of {place} voted on Monday to rebuild the old bridge. Work begins in spring. "
    "The mayor called it a careful decision. Opponents say that the cost was never discussed in public. "
    "A ferry carries people over the river until then, every twenty minutes, the harbour office said. "
)


def a_text(place: str = "Ostrava", times: int = 3) -> str:
    return " ".join(LONG.format(place=f"{place} {n}") for n in range(times))


def an_item(number: int = 1, **changes: Any) -> str:
    """Return an RSS item; a value of None leaves its element out."""
    values: dict[str, Any] = {
        "title": f"Council number {number} votes on its bridge",
        "link": f"https://news.example/story/{number}",
        "guid": f"https://news.example/story/{number}",
        "pubDate": NOON - timedelta(hours=number),
        "description": a_text(f"Town {number}"),
    } | changes
    parts = [
        f"<{name}>{format_datetime(value) if isinstance(value, datetime) else escape(str(value))}</{name}>"
        for name, value in values.items()
        if value is not None
    ]
    return f"<item>{''.join(parts)}</item>"


def an_rss(*items: str, title: str = "The Example", extra: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{title}</title><link>https://news.example/</link>{extra}\n{chr(10).join(items)}\n</channel></rss>"
    )


def numbered(numbers: Iterable[int], **changes: Any) -> str:
    """Return a feed of items with these numbers, the first the newest."""
    return an_rss(*(an_item(number, **changes) for number in numbers))
