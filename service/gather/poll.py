"""Poll one feed: from the request to the result that the stage records."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from service.core.errors import FeedUnreadable
from service.core.model import Article, FeedState
from service.gather.entries.drafts import ArticleDraft, DocumentContext
from service.gather.entries.page_paths import LearnedPath, learned_path, with_page_paths
from service.gather.entries.process import ProcessedDocument, process_document
from service.gather.entries.repeated_lines import count_lines, with_repeated_lines
from service.gather.entries.seen_items import (
    FeedStatistics,
    fingerprint,
    serialize,
    statistics_of,
    with_cut,
)
from service.gather.http.executor import ThreadWorkers
from service.gather.http.file_fetcher import FileFetcher, is_file_address
from service.gather.http.robots import RobotsCache
from service.gather.moves import new_address, with_announced_move, with_redirect, without_move
from service.gather.pages.full_text import read_page
from service.gather.pages.text_choice import LESS_TEXT, NO_MORE_TEXT
from service.gather.polling_interval import after_failure, after_success, move_is_confirmed
from service.gather.ports import (
    Fetched,
    Fetcher,
    FetchFailed,
    GatherStore,
    Gone,
    NotModified,
    PollResult,
    Workers,
    WorkLimitExceeded,
)

MAX_COUNTED_BLANKS = 99  # polls without items; counting further would rewrite the seen items at every poll
MAX_PAGES = 20  # web pages fetched per poll; further teasers keep the feed's own text
TOO_MANY_PAGES = f"a poll fetches at most {MAX_PAGES} pages of a feed"
RETRY_DELAY = timedelta(hours=1)  # times the failures in a row, after an unexpected error


@dataclass(frozen=True, slots=True)
class Gatherer:
    """What gather works with.

    `config_folder` resolves relative `file:` feeds. `user_agent` is our name in robots.txt. `robots` is kept
    from one pass to the next. `concurrency` is the number of feeds polled at once.
    """

    store: GatherStore
    fetcher: Fetcher
    config_folder: Path
    workers: Workers = field(default_factory=ThreadWorkers)
    user_agent: str = "Caveat"
    concurrency: int = 32
    robots: RobotsCache = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Create the cache of robots.txt files."""
        object.__setattr__(self, "robots", RobotsCache(self.fetcher, self.user_agent))


async def poll_feed(gatherer: Gatherer, state: FeedState, now: datetime) -> PollResult:
    """Fetch the feed, read its new entries, fetch the full text of teasers; store nothing."""
    statistics = statistics_of(state.seen_items)
    moved = move_is_confirmed(statistics, now)
    address = statistics.moved_to if moved else state.feed.url
    fetcher = FileFetcher(gatherer.config_folder) if is_file_address(address) else gatherer.fetcher
    response = await fetcher.fetch(address, etag=state.etag, last_modified=state.last_modified)
    if isinstance(response, Fetched):
        state = replace(state, etag=response.etag, last_modified=response.last_modified)
    if isinstance(response, Fetched | NotModified):
        after = with_redirect(statistics, response.moved_to, now)
        if isinstance(response, NotModified) or (
            statistics.body and fingerprint(response.body) == statistics.body
        ):
            after = _with_blank_counted(after)
            return _unchanged(_with_statistics(state, statistics, after), after, now, response.fresh_seconds)
        return await _read(gatherer, _with_statistics(state, statistics, after), response, address, now)
    if moved:
        # The new address failed: the next poll asks the old one again.
        statistics = without_move(statistics)
    elif isinstance(response, Gone):
        ended = replace(state, last_poll_at=now, failures=state.failures + 1, last_error=response.reason)
        return PollResult(ended, gone=True, error=response.reason)
    if isinstance(response, FetchFailed):
        return _failed(state, statistics, now, response.reason, response.retry_after_seconds)
    return _failed(state, statistics, now, "the feed moved to an address that was removed permanently (410)")


def unexpected_failure(state: FeedState, error: Exception, now: datetime) -> PollResult:
    """Return the result of a poll that raised an error which nothing in gather expects."""
    reason = f"an unexpected error occurred ({type(error).__name__}: {error})"
    failures = state.failures + 1
    failed = replace(
        state,
        next_poll_at=now + RETRY_DELAY * failures,
        last_poll_at=now,
        failures=failures,
        last_error=reason,
    )
    return PollResult(failed, error=reason)


async def _read(
    gatherer: Gatherer, state: FeedState, response: Fetched, address: str, now: datetime
) -> PollResult:
    """Read the document that was fetched from `address`."""
    context = DocumentContext(
        state.feed, state.seen_items, response.url, response.content_type, now, state.last_success_at
    )
    try:
        document = await gatherer.workers.run(process_document, context, response.body)
        state, document = await _at_new_address(gatherer, state, document, address, now)
    except (FeedUnreadable, WorkLimitExceeded) as error:
        # Without validators the next poll gets the document again, and its error with it.
        unconditional = replace(state, etag=None, last_modified=None)
        statistics = statistics_of(state.seen_items)
        return _failed(unconditional, replace(statistics, blank=statistics.blank + 1), now, str(error))
    before = statistics_of(document.seen_items)
    new, edited, pages = await _articles(gatherer, state, document, now)
    statistics = with_cut(count_lines(before, new), [page.cut for page in pages], now)
    statistics = with_page_paths(statistics, [page.read_at for page in pages if page.read_at is not None])
    new, edited = with_repeated_lines(statistics, new), with_repeated_lines(statistics, edited)
    state = _with_statistics(replace(state, seen_items=document.seen_items), before, statistics)
    settled = _succeeded(state, statistics, now, response.fresh_seconds, document.note or None)
    return PollResult(settled, new, edited=edited, note=document.note)


async def _at_new_address(
    gatherer: Gatherer, state: FeedState, document: ProcessedDocument, address: str, now: datetime
) -> tuple[FeedState, ProcessedDocument]:
    """Return the document at the address to which this one says the feed has moved.

    Where there is no such address, or no feed at it, the document is returned, with a note.
    """
    announced = new_address(state.feed, address, document.new_url)
    if not announced:
        return state, document
    response = await gatherer.fetcher.fetch(announced)
    if not isinstance(response, Fetched):
        reason = "it answers without content" if isinstance(response, NotModified) else response.reason
        return _unread_move(state, document, announced, reason)
    context = DocumentContext(
        state.feed, state.seen_items, response.url, response.content_type, now, state.last_success_at
    )
    try:
        found = await gatherer.workers.run(process_document, context, response.body)
    except (FeedUnreadable, WorkLimitExceeded) as error:
        return _unread_move(state, document, announced, str(error))
    statistics = with_announced_move(statistics_of(found.seen_items), announced, now)
    remembered = serialize(statistics, None, found.seen_items)
    note = f"it has moved to {announced}, where it is read now; put that address into feeds.yaml"
    note = "; ".join(filter(None, (note, found.note)))
    state = replace(state, etag=response.etag, last_modified=response.last_modified)
    return state, replace(found, seen_items=remembered, note=note)


def _unread_move(
    state: FeedState, document: ProcessedDocument, announced: str, reason: str
) -> tuple[FeedState, ProcessedDocument]:
    """Return the document so that the next poll gets it again, and with it the new address."""
    note = f"it says that it has moved to {announced}, which cannot be read: {reason}"
    statistics = replace(statistics_of(document.seen_items), body="")
    remembered = serialize(statistics, None, document.seen_items)
    state = replace(state, etag=None, last_modified=None)
    return state, replace(document, seen_items=remembered, note=note)


async def _articles(
    gatherer: Gatherer, state: FeedState, document: ProcessedDocument, now: datetime
) -> tuple[tuple[Article, ...], tuple[Article, ...], Sequence[_Page]]:
    """Return the articles that are not stored yet, the stored ones that were edited, and the pages."""
    ids = {draft.id for draft in (*document.new, *document.edited)}
    known = await gatherer.store.known_articles(ids) if ids else set()
    new = [draft for draft in document.new if draft.id not in known]
    edited = [draft for draft in document.edited if draft.id in known]
    pages, completed = await _with_full_texts(gatherer, state, document.seen_items, [*new, *edited], now)
    return (
        tuple(_article(state, completed.get(draft.id, draft), now) for draft in new),
        tuple(_article(state, completed.get(draft.id, draft), now) for draft in edited),
        pages,
    )


class _Page(NamedTuple):
    """A draft with the text of its page, or with the reason.

    `cut` says why a limit cut the page, or is "". `read_at` has the path of its article and whether only that
    was read (see ExtractedPage), None for a page that was not read.
    """

    draft: ArticleDraft
    cut: str = ""
    read_at: tuple[str, bool] | None = None


async def _with_full_texts(
    gatherer: Gatherer, state: FeedState, seen_items: str, drafts: Sequence[ArticleDraft], now: datetime
) -> tuple[Sequence[_Page], dict[str, ArticleDraft]]:
    """Return the pages of the drafts that need their full text, and these drafts by id."""
    incomplete = [draft for draft in drafts if draft.needs_full_text]
    statistics = statistics_of(seen_items)
    pages = await asyncio.gather(
        *(
            _with_full_text(gatherer, state, draft, now, learned_path(statistics, number))
            for number, draft in enumerate(incomplete[-MAX_PAGES:])
        )
    )
    rest = {draft.id: replace(draft, unused_page=TOO_MANY_PAGES) for draft in incomplete[:-MAX_PAGES]}
    return pages, rest | {page.draft.id: page.draft for page in pages}


async def _with_full_text(
    gatherer: Gatherer, state: FeedState, draft: ArticleDraft, now: datetime, learned: LearnedPath
) -> _Page:
    if not await gatherer.robots.allows(draft.url, now):
        return _Page(replace(draft, unused_page="robots.txt forbids to fetch it"))
    response = await gatherer.fetcher.fetch(draft.url)
    if not isinstance(response, Fetched):
        reason = "it answers without content" if isinstance(response, NotModified) else response.reason
        return _Page(replace(draft, unused_page=reason))
    values = (response.body, draft.title, draft.text, response.content_type, state.feed.language or "")
    try:
        page = await gatherer.workers.run(partial(read_page, learned=learned), *values)
    except WorkLimitExceeded as error:
        reason = f"the page of an article was left out, because {error}"
        return _Page(replace(draft, unused_page=str(error)), reason)
    read_at = page.path, page.by_path
    if not page.text:
        missed = "" if page.reason in (NO_MORE_TEXT, LESS_TEXT) else page.reason
        return _Page(replace(draft, unused_page=missed), page.cut, read_at)
    language = state.feed.language or page.language
    full = replace(draft, text=page.text, blocks=page.blocks, language=language, cut=page.cut)
    return _Page(full, page.cut, read_at)


def _article(state: FeedState, draft: ArticleDraft, now: datetime) -> Article:
    feed = state.feed
    return Article(
        id=draft.id,
        feed_id=feed.id,
        url=draft.url,
        title=draft.title,
        text=draft.text or draft.title,
        language=draft.language,
        publisher=draft.publisher,
        published_at=draft.published_at,
        published_day_only=draft.published_day_only,
        gathered_at=now,
        topics=draft.topics,
        method=feed.method,
        blocks=draft.blocks if draft.text else (),
        text_note=draft.text_note,
        feed_rank=draft.feed_rank,
        picture=draft.picture,
    )


def _unchanged(
    state: FeedState, statistics: FeedStatistics, now: datetime, fresh_seconds: int | None
) -> PollResult:
    # An unchanged document without items still has none, so its note stays.
    note = state.last_error if statistics.blank else None
    return PollResult(_succeeded(state, statistics, now, fresh_seconds, note), unchanged=True)


def _succeeded(
    state: FeedState,
    statistics: FeedStatistics,
    now: datetime,
    fresh_seconds: int | None,
    note: str | None,
) -> FeedState:
    return replace(
        state,
        next_poll_at=after_success(state.feed, statistics, now, fresh_seconds).at,
        last_poll_at=now,
        last_success_at=now,
        failures=0,
        last_error=note,
    )


def _failed(
    state: FeedState,
    statistics: FeedStatistics,
    now: datetime,
    reason: str,
    retry_after_seconds: int | None = None,
) -> PollResult:
    failures = state.failures + 1
    failed = replace(
        state,
        next_poll_at=after_failure(state.feed, failures, now, retry_after_seconds).at,
        last_poll_at=now,
        failures=failures,
        last_error=reason,
        seen_items=serialize(statistics, None, state.seen_items),
    )
    return PollResult(failed, error=reason)


def _with_blank_counted(statistics: FeedStatistics) -> FeedStatistics:
    """Return the statistics after an unchanged document: one without items counts as blank again."""
    if not 0 < statistics.blank < MAX_COUNTED_BLANKS:
        return statistics
    return replace(statistics, blank=statistics.blank + 1)


def _with_statistics(state: FeedState, before: FeedStatistics, after: FeedStatistics) -> FeedState:
    """Return the state with the new statistics; most polls change nothing in them."""
    if after is before:
        return state
    return replace(state, seen_items=serialize(after, None, state.seen_items))
