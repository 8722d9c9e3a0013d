"""The ports of gather: fetcher, workers, content decoder and store, and the values they exchange."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from service.core.model import Article, FeedState

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A response with a body.

    `url` is the address after redirects. `moved_to` is the new address when every redirect was permanent.
    `fresh_seconds` is the freshness lifetime (RFC 9111, 4.2.1), None when the server names none.
    """

    url: str
    body: bytes
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None
    fresh_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class NotModified:
    """304: the body is the one fetched before. The fields are those of Fetched."""

    fresh_seconds: int | None = None
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """410: the publisher has removed the address permanently. `reason` is a sentence for people."""

    reason: str = "the publisher has removed this address permanently (410)"


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """No usable response. `reason` is a sentence for people.

    `retry_after_seconds` is the server's Retry-After, None without one. `status` is the HTTP status, None
    without a response.
    """

    reason: str
    retry_after_seconds: int | None = None
    status: int | None = None


FetchResult = Fetched | NotModified | Gone | FetchFailed


class Fetcher(Protocol):
    """Fetches an address within limits of size, time and destination."""

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> FetchResult:
        """Fetch `url`; `etag` and `last_modified` make the request conditional.

        Every expected error is returned as FetchFailed, never raised.
        """
        ...


class WorkLimitExceeded(Exception):
    """The work exceeded its limit of time or memory; the text is a sentence for people."""


class Workers(Protocol):
    """Runs pure, CPU-heavy functions outside the event loop."""

    async def run(self, function: Callable[..., Result], *values: object) -> Result:
        """Return what the function returns; raise what it raises, or WorkLimitExceeded.

        Values and result are plain data, because they may cross a process boundary.
        """
        ...


class ContentDecoder(Protocol):
    """Decodes one content coding as bytes arrive, in small pieces: a decompression bomb stops early."""

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes in pieces of about PIECE_BYTES. Raises BodyRefused for invalid data."""
        ...

    def close(self) -> None:
        """Finish. Raises BodyRefused when the encoded data is incomplete."""
        ...


@dataclass(frozen=True, slots=True)
class PollResult:
    """What one poll of a feed found: the feed's new state and the articles to store.

    articles    may be stored already; the store keeps the first version
    edited      stored articles whose title or text the publisher has changed since
    gone        the publisher says that the feed has ended: it is not polled again
    unchanged   the document was the same as at the poll before
    error       why the poll failed, "" when it succeeded
    note        what is unusual about a feed that was read, "" for nothing
    """

    state: FeedState
    articles: tuple[Article, ...] = ()
    gone: bool = False
    edited: tuple[Article, ...] = ()
    unchanged: bool = False
    error: str = ""
    note: str = ""


class GatherStore(Protocol):
    """The database as gather uses it. Every method may raise StoreError."""

    async def claim_feeds(self, now: datetime, until: datetime) -> Sequence[FeedState]:
        """Claim the active feeds that are due at `now` and return them, longest overdue first.

        Other workers do not get them before `until`. All feeds of a host go to one worker at a time: a host
        with an unexpired claim is left out. Recording a poll releases the feed's claim.
        """
        ...

    async def renew_claims(self, ids: Collection[str], until: datetime | None) -> None:
        """Extend the claims on these feeds to `until`; None releases them."""
        ...

    async def all_feeds(self) -> Sequence[FeedState]:
        """Return every active feed, ordered by name."""
        ...

    async def feed_states(self, ids: Collection[str]) -> Sequence[FeedState]:
        """Return the states of those of these feeds that are active."""
        ...

    async def known_articles(self, ids: Collection[str]) -> set[str]:
        """Return those of these article ids that are stored."""
        ...

    async def record_polls(
        self, results: Sequence[PollResult], unchanged: Sequence[FeedState] = ()
    ) -> Sequence[int]:
        """Store the polls of several feeds in one transaction; return the number of new articles by result.

        `results` are stored with everything; `unchanged` are states of feeds without articles, stored without
        their seen items. An article of several results counts for the first one.

        An edited article that was not sent yet gets the new title and text, keeps its position and is
        condensed again. One that was sent keeps its text; the new one is stored as a correction, once.
        Edited articles that are not stored are ignored.
        """
        ...
