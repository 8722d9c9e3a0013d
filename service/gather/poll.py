"""Look: one look at one feed, from the question to what is to be recorded of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from service.core.errors import FeedUnreadable
from service.core.model import Article, FeedState
from service.gather.entries.full_text import read_page
from service.gather.entries.process import ArticleDraft, DocumentContext, ProcessedDocument, process_document
from service.gather.entries.seen_items import (
    FeedStatistics,
    fingerprint,
    serialize,
    statistics_of,
    to_timestamp,
)
from service.gather.http.executor import Workers, WorkLimitExceeded
from service.gather.http.file_fetcher import FileFetcher, is_file_address
from service.gather.http.robots import RobotsCache
from service.gather.polling_interval import after_failure, after_success, move_is_confirmed
from service.gather.ports import Fetched, Fetcher, FetchFailed, GatherStore, Gone, NotModified, PollResult

MAX_COUNTED_BLANKS = 99
"""More blank looks in a row are not counted: the memory would be written anew each time."""
MAX_PAGES = 20
"""Pages fetched for one feed at one look; what is beyond is told from the feed's own words."""


@dataclass(frozen=True, slots=True)
class PollContext:
    """What a look is done with."""

    store: GatherStore
    fetcher: Fetcher
    config_folder: Path
    workers: Workers
    robots: RobotsCache


@dataclass(frozen=True, slots=True)
class PollFinding:
    """What a look found. `failed` and `note` are sentences for a person, "" when there is nothing to say."""

    result: PollResult
    unchanged: bool = False
    error: str = ""
    note: str = ""


async def poll_feed(context: PollContext, state: FeedState, now: datetime) -> PollFinding:
    """Ask the feed, read what is new in it, fetch the pages of teasers; record nothing."""
    head = statistics_of(state.seen_items)
    moved = move_is_confirmed(head, now)
    address = head.moved_to if moved else state.feed.url
    fetcher: Fetcher = FileFetcher(context.config_folder) if is_file_address(address) else context.fetcher
    answer = await fetcher.fetch(address, etag=state.etag, last_modified=state.last_modified)
    if isinstance(answer, NotModified):
        moving = _still_blank(_moving(head, answer.moved_to, now))
        return _unchanged(state, moving, _kept(state, head, moving), now, answer.fresh_seconds)
    if isinstance(answer, Fetched):
        state = replace(state, etag=answer.etag, last_modified=answer.last_modified)
        moving = _moving(head, answer.moved_to, now)
        if head.body and fingerprint(answer.body) == head.body:
            moving = _still_blank(moving)
            return _unchanged(state, moving, _kept(state, head, moving), now, answer.fresh_seconds)
        memory = _kept(state, head, moving)
        return await _read(context, replace(state, seen_items=memory), moving, answer, now)
    if moved:
        # The new place is no good (any more): the next look asks the old one again.
        head = replace(head, moved_to="", moved_since=0, moved_looks=0)
    elif isinstance(answer, Gone):
        reason = "the publisher says that this feed is finished for good (410)"
        ended = replace(state, last_poll_at=now, failures=state.failures + 1, last_error=reason)
        return PollFinding(PollResult(ended, gone=True), error=reason)
    if isinstance(answer, FetchFailed):
        return _failed(state, head, now, answer.reason, answer.retry_after_seconds)
    return _failed(state, head, now, "the address that this feed moved to says it is finished (410)")


async def _read(
    eyes: PollContext, state: FeedState, head: FeedStatistics, answer: Fetched, now: datetime
) -> PollFinding:
    order = DocumentContext(
        state.feed, state.seen_items, answer.url, answer.content_type, now, state.last_success_at
    )
    try:
        found = await eyes.workers.run(process_document, order, answer.body)
    except (FeedUnreadable, WorkLimitExceeded) as trouble:
        return _failed(
            replace(state, etag=None, last_modified=None),
            replace(head, blank=head.blank + 1),
            now,
            str(trouble),
        )
    articles, changed = await _articles(eyes, state, found, now)
    head = statistics_of(found.seen_items)
    settled = _succeeded(state, head, found.seen_items, now, answer.fresh_seconds, note=found.note or None)
    return PollFinding(PollResult(settled, articles, edited=changed), note=found.note)


async def _articles(
    eyes: PollContext, state: FeedState, found: ProcessedDocument, now: datetime
) -> tuple[tuple[Article, ...], tuple[Article, ...]]:
    """Return the articles that are not stored yet, and those stored that were edited."""
    ids = {draft.id for draft in (*found.new, *found.edited)}
    known = await eyes.store.known_articles(ids) if ids else set()
    new = [draft for draft in found.new if draft.id not in known]
    changed = [draft for draft in found.edited if draft.id in known]
    texts = await _full_texts(eyes, state, [*new, *changed], now)
    return (
        tuple(_article(state, texts.get(draft.id, draft), now) for draft in new),
        tuple(_article(state, texts.get(draft.id, draft), now) for draft in changed),
    )


async def _full_texts(
    eyes: PollContext, state: FeedState, drafts: Sequence[ArticleDraft], now: datetime
) -> dict[str, ArticleDraft]:
    """Return the drafts whose page gave more than the feed did, with the page's text."""
    wanted = [draft for draft in drafts if draft.needs_full_text][-MAX_PAGES:]
    found = await asyncio.gather(*(_full_text(eyes, state, draft, now) for draft in wanted))
    return {draft.id: draft for draft in found}


async def _full_text(eyes: PollContext, state: FeedState, draft: ArticleDraft, now: datetime) -> ArticleDraft:
    if not await eyes.robots.allows(draft.url, now):
        return draft
    answer = await eyes.fetcher.fetch(draft.url)
    if not isinstance(answer, Fetched):
        return draft
    declared = state.feed.language or ""
    try:
        page = await eyes.workers.run(read_page, answer.body, draft.title, draft.text, answer.url, declared)
    except WorkLimitExceeded:
        return draft
    if len(page.text) <= len(draft.text):
        return draft
    return replace(draft, text=page.text, language=state.feed.language or page.language)


def _article(state: FeedState, draft: ArticleDraft, now: datetime) -> Article:
    feed = state.feed
    return Article(
        id=draft.id,
        feed_id=feed.id,
        url=draft.url,
        title=draft.title,
        text=draft.text or draft.title,
        language=draft.language,
        publisher=feed.name,
        published_at=draft.published_at,
        gathered_at=now,
        topics=feed.topics,
        method=feed.method,
    )


def _unchanged(
    state: FeedState, head: FeedStatistics, memory: str, now: datetime, fresh_for: int | None
) -> PollFinding:
    # A feed that held nothing still holds nothing.
    note = state.last_error if head.blank else None
    return PollFinding(PollResult(_succeeded(state, head, memory, now, fresh_for, note=note)), unchanged=True)


def _succeeded(
    state: FeedState,
    head: FeedStatistics,
    memory: str,
    now: datetime,
    fresh_for: int | None,
    *,
    note: str | None,
) -> FeedState:
    return FeedState(
        feed=state.feed,
        etag=state.etag,
        last_modified=state.last_modified,
        next_poll_at=after_success(state.feed, head, now, fresh_for).at,
        last_poll_at=now,
        last_success_at=now,
        last_error=note,
        seen_items=memory,
    )


def _failed(
    state: FeedState, head: FeedStatistics, now: datetime, reason: str, retry_after: int | None = None
) -> PollFinding:
    failures = state.failures + 1
    settled = replace(
        state,
        next_poll_at=after_failure(state.feed, failures, now, retry_after).at,
        last_poll_at=now,
        failures=failures,
        last_error=reason,
        seen_items=serialize(head, None, state.seen_items),
    )
    return PollFinding(PollResult(settled), error=reason)


def _still_blank(head: FeedStatistics) -> FeedStatistics:
    """Return the head after a look that found the document as it was: one without items has none again."""
    return replace(head, blank=head.blank + 1) if 0 < head.blank < MAX_COUNTED_BLANKS else head


def _kept(state: FeedState, head: FeedStatistics, moving: FeedStatistics) -> str:
    """Return the memory with the head that is true now; most looks change nothing in it."""
    return state.seen_items if moving is head else serialize(moving, None, state.seen_items)


def _moving(head: FeedStatistics, moved: str | None, now: datetime) -> FeedStatistics:
    """Return the head with what this answer said about a permanent move."""
    if moved is None:
        # Once we go to the new place directly, nothing redirects any more.
        settled = not head.moved_to or move_is_confirmed(head, now)
        return head if settled else replace(head, moved_to="", moved_since=0, moved_looks=0)
    if moved == head.moved_to:
        return replace(head, moved_looks=head.moved_looks + 1)
    return replace(head, moved_to=moved, moved_since=to_timestamp(now), moved_looks=1)
