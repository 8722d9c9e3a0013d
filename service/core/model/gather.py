"""What gather finds: feeds, their entries, and the articles that are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Feed:
    """A place that we look at: an http(s) URL, or a file that the config names.

    `id` is `identity.feed_id(url)`. `every` is the shortest time between two looks. `method` names the
    summariser for its articles (None: the site's default). `full_text` is `auto` (fetch the page when the
    entry is only a teaser), `always` or `never`.
    """

    id: str
    url: str
    name: str
    topics: tuple[str, ...] = ()
    language: str | None = None
    method: str | None = None
    full_text: str = "auto"
    poll_interval: timedelta = timedelta(minutes=15)
    first_entries: int = 10


@dataclass(frozen=True, slots=True)
class FeedState:
    """A feed together with what the last looks at it left behind.

    `etag` and `last_modified` are kept byte for byte for the next conditional GET (RFC 9110, 13.1).
    `failures` counts failed looks in a row; `last_success_at` None means: never read so far. `memory` is what
    gather wants to remember of the feed between looks: JSON that only gather reads; the store keeps it whole.
    """

    feed: Feed
    etag: str | None = None
    last_modified: str | None = None
    next_poll_at: datetime | None = None
    last_poll_at: datetime | None = None
    last_success_at: datetime | None = None
    failures: int = 0
    last_error: str | None = None
    seen_items: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as the feed gives it; lives only inside gather. `html` is untrusted markup, or plain text."""

    guid: str
    url: str
    title: str
    html: str
    published_at: datetime | None = None
    author: str = ""


@dataclass(frozen=True, slots=True)
class Article:
    """An entry cleaned, identified and stored.

    `text` is plain text, paragraphs separated by an empty line; every offset elsewhere counts its characters.
    `position` is the gather position that the store assigns in order of arrival (0: not stored yet);
    `told_through` marks point at positions, never at publication dates.
    """

    id: str
    feed_id: str
    url: str
    title: str
    text: str
    language: str
    publisher: str
    published_at: datetime | None
    gathered_at: datetime
    topics: tuple[str, ...] = ()
    method: str | None = None
    position: int = 0

    @property
    def effective_published_at(self) -> datetime:
        """When the article came out, as far as that can be believed: never after we first saw it."""
        return self.gathered_at if self.published_at is None else min(self.published_at, self.gathered_at)
