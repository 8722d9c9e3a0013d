"""Moves of a feed to another address: by permanent redirects, or by an element of the feed itself. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from service.core.model import Feed
from service.gather.entries.seen_items import FeedStatistics, to_timestamp
from service.gather.polling_interval import move_is_confirmed

MAX_ADDRESS_CHARACTERS = 2_000


def with_redirect(statistics: FeedStatistics, moved_to: str | None, now: datetime) -> FeedStatistics:
    """Return the statistics with what a response says about a permanent move."""
    if moved_to is None:
        # A confirmed move is polled at its new address, which does not redirect.
        if not statistics.moved_to or move_is_confirmed(statistics, now):
            return statistics
        return without_move(statistics)
    if moved_to == statistics.moved_to:
        return replace(statistics, moved_looks=statistics.moved_looks + 1)
    return replace(statistics, moved_to=moved_to, moved_since=to_timestamp(now), moved_looks=1, announced="")


def with_announced_move(statistics: FeedStatistics, address: str, now: datetime) -> FeedStatistics:
    """Return the statistics after the feed was read at the address that its document names as new.

    Such a move is confirmed at once: unlike a redirect, it can only come from the feed's publisher.
    """
    return replace(
        statistics, moved_to=address, moved_since=to_timestamp(now), moved_looks=1, announced=address
    )


def without_move(statistics: FeedStatistics) -> FeedStatistics:
    """Return the statistics without a move, so that the next poll asks the configured address."""
    return replace(statistics, moved_to="", moved_since=0, moved_looks=0, announced="")


def new_address(feed: Feed, polled: str, announced: str) -> str:
    """Return the address that a document names as its new one, "" if it names none to follow.

    `polled` is the address of the document. Only the document at the configured address may name another:
    so there are no chains and no loops. A moved feed names its own address, as directories require.
    """
    if len(announced) > MAX_ADDRESS_CHARACTERS or polled != feed.url or announced in ("", polled):
        return ""
    try:
        parts = urlsplit(announced)
    except ValueError:
        return ""
    return announced if parts.scheme in ("http", "https") and parts.hostname else ""
