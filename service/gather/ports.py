"""What gather asks of the outside: something that fetches, and a record of feeds and articles."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.core.model import Article, FeedState


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer with a body. `url` is where it came from after redirects; `moved` a permanent new address.

    `fresh_for` is how many seconds it stays fresh (RFC 9111, 4.2.1), None when the server does not say.
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
    """304: what we have is still what there is; `fresh_for` and `moved` as in Fetched."""

    fresh_seconds: int | None = None
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """410: the publisher says that this address is finished for good."""


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """No usable answer; `reason` is a sentence for a person, `retry_after` the seconds to wait, if told.

    `status` is the server's (404, 503), None when it did not come to that.
    """

    reason: str
    retry_after_seconds: int | None = None
    status: int | None = None


FetchResult = Fetched | NotModified | Gone | FetchFailed


class Fetcher(Protocol):
    """Gets what lies at an address, within limits of size, time and place."""

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> FetchResult:
        """Return the answer; every expected trouble is a Failed, never an exception."""
        ...


@dataclass(frozen=True, slots=True)
class PollResult:
    """What one look at a feed found: the feed's new state and the articles in it that may be new.

    `changed` are articles, stored before, whose title or text the publisher has edited since. `gone`: the
    publisher says that this feed is finished, so that it is not due any more.
    """

    state: FeedState
    articles: tuple[Article, ...] = ()
    gone: bool = False
    edited: tuple[Article, ...] = ()


class GatherStore(Protocol):
    """What gather asks of the record."""

    async def claim_feeds(self, now: datetime, until: datetime) -> Sequence[FeedState]:
        """Return the active feeds whose next look is due, longest overdue first, and claim them.

        Nobody else is given them until then. One host is with one worker at a time: of a host where a claim
        stands, nothing is given. Recording a look ends the feed's claim.
        """
        ...

    async def renew_claims(self, ids: Collection[str], until: datetime | None) -> None:
        """Prolong the claims on these feeds, or with None give them back."""
        ...

    async def all_feeds(self) -> Sequence[FeedState]:
        """Return every active feed, by name."""
        ...

    async def feed_states(self, ids: Collection[str]) -> Sequence[FeedState]:
        """Return the states of these feeds that are active."""
        ...

    async def known_articles(self, ids: Collection[str]) -> set[str]:
        """Return which of these article ids are stored already."""
        ...

    async def record_poll(self, result: PollResult) -> int:
        """Store the state and the articles that are not stored yet; return how many were new.

        Of `changed`, an article that nobody was told yet gets the new title and text, and is condensed anew;
        it keeps its position. One that was told keeps its words, and the new ones are kept beside it as a
        correction, once each. An id that is not stored is passed over.
        """
        ...

    async def record_unchanged(self, states: Sequence[FeedState]) -> None:
        """Store the states of feeds in which nothing was new, in one transaction. Their memory stays."""
        ...
