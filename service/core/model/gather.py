"""Values of gather: feeds, their entries, and articles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

DEFAULT_POLL_INTERVAL = timedelta(minutes=15)
DEFAULT_MAX_AGE = timedelta(days=14)  # of a feed for newsletters with an issue a week or more


@dataclass(frozen=True, slots=True)
class Feed:
    """An address that we poll: an http(s) URL, or a file named in the config.

    `id` is `ids.feed_id(url)`. `poll_interval` is the time between two polls, at least; that of
    DEFAULT_POLL_INTERVAL is extended for a feed that publishes little. `method` names the summariser for the
    feed's articles (None: the site's default). `full_text` is `auto` (fetch the page of an
    entry that is only a teaser), `always` or `never`. `first_entries` limits the entries of the first poll.
    Entries dated longer ago than `max_age` are no news; None leaves that to `default_max_age`, twice the time
    between two issues with the feed's articles, and to the feed's own rhythm. `weight` is how much its
    stories count in the order of an issue. `categories` are names of its items' categories (see
    `validators.fold_topic`), each with the topic that such an article has as well.
    A `muted` feed is not polled; the database holds it as one that is not active.
    """

    id: str
    url: str
    name: str
    topics: tuple[str, ...] = ()
    language: str | None = None
    method: str | None = None
    full_text: str = "auto"
    poll_interval: timedelta = DEFAULT_POLL_INTERVAL
    first_entries: int = 10
    max_age: timedelta | None = None
    default_max_age: timedelta = DEFAULT_MAX_AGE
    weight: float = 1.0
    categories: tuple[tuple[str, str], ...] = ()
    muted: bool = False

    @property
    def possible_topics(self) -> tuple[str, ...]:
        """The topics that its articles have or may have: its own, and those of its categories."""
        return tuple(dict.fromkeys((*self.topics, *(topic for _, topic in self.categories))))


@dataclass(frozen=True, slots=True)
class FeedState:
    """A feed and the results of its polls so far.

    `etag` and `last_modified` are kept byte for byte for the next conditional GET (RFC 9110, 13.1).
    `failures` counts consecutive failed polls; `last_success_at` is None before the first successful poll.
    `seen_items` is JSON with the entries that gather has seen; only gather reads it.
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
    """An item as the feed gives it; used only inside gather. `html` is untrusted: plain text or markup.

    `dates` are the dates of publication, else of update, else of creation, as the feed writes them.
    `source` is the name of the feed that an aggregator took the item from, `source_url` its address.
    `categories` are the item's, as the feed writes them. `picture` is the address of its picture, "" for
    none.
    """

    guid: str
    url: str
    title: str
    html: str
    dates: tuple[str, ...] = ()
    author: str = ""
    is_plain: bool = False
    source: str = ""
    source_url: str = ""
    categories: tuple[str, ...] = ()
    picture: str = ""


class TextSpan(NamedTuple):
    """A part of an article's text: `text[start:end]`."""

    start: int
    end: int


class BlockKind(StrEnum):
    """What a block of an article's text is. A row is one of a table; preformatted text is code or verse."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"
    QUOTE = "quote"
    ROW = "row"
    CAPTION = "caption"
    PREFORMATTED = "preformatted"


class Block(NamedTuple):
    """A block of an article's text: `text[start:end]`, without white space around it.

    The blocks of a text are in its order and do not overlap; between them is only white space, or the mark of
    a list item. `introduction` is an earlier part of the text without which the block is hard to understand:
    the line before a list, the sentence before a quote, the head of a table's columns. `repeated` says that
    several articles of the feed have the same line.
    """

    kind: BlockKind
    start: int
    end: int
    introduction: TextSpan | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Article:
    """An entry cleaned, identified and stored.

    `text` is plain text, its `blocks` separated by an empty line; all offsets count its characters. `blocks`
    is empty for an article that was stored before there were any: see `service.text.blocks.plain_blocks`.
    `position` is the article's place in the order of arrival, assigned by the store (0: not stored yet).
    Cursors (`served_through`) are positions, not publication dates. With `published_day_only`, `published_at`
    is known to the day alone: its UTC day may be shown, its time may not. `text_note` says in a phrase for
    people why `text` may not be all of the article, "" when nothing is known to be missing. `feed_rank` is
    its place in the feed when it was first seen, 0 for the first item, None if unknown. `picture` is the
    address of its picture, "" for none.
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
    blocks: tuple[Block, ...] = ()
    published_day_only: bool = False
    text_note: str = ""
    feed_rank: int | None = None
    picture: str = ""

    @property
    def effective_published_at(self) -> datetime:
        """The publication time, at most the time at which we first saw the article; for sorting."""
        return self.gathered_at if self.published_at is None else min(self.published_at, self.gathered_at)
