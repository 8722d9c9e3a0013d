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
from service.gather.entries.process import Draft, Examined, Order, examine
from service.gather.entries.seen_items import Head, fingerprint, head_of, remembered, seconds
from service.gather.http.executor import Workers, WorkRefused
from service.gather.http.file_fetcher import Files, is_file
from service.gather.http.robots import Robots
from service.gather.polling_interval import after_answer, after_failure, move_has_held
from service.gather.ports import Failed, Fetched, Fetcher, GatherStore, Gone, Look, NotModified

ENOUGH_BLANKS = 99
"""More blank looks in a row are not counted: the memory would be written anew each time."""
MOST_PAGES = 20
"""Pages fetched for one feed at one look; what is beyond is told from the feed's own words."""


@dataclass(frozen=True, slots=True)
class Eyes:
    """What a look is done with."""

    store: GatherStore
    fetcher: Fetcher
    house: Path
    workers: Workers
    robots: Robots


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look found. `failed` and `note` are sentences for a person, "" when there is nothing to say."""

    look: Look
    unchanged: bool = False
    failed: str = ""
    note: str = ""


async def look_at(eyes: Eyes, state: FeedState, now: datetime) -> Finding:
    """Ask the feed, read what is new in it, fetch the pages of teasers; record nothing."""
    head = head_of(state.memory)
    moved = move_has_held(head, now)
    address = head.moved_to if moved else state.feed.url
    fetcher: Fetcher = Files(eyes.house) if is_file(address) else eyes.fetcher
    answer = await fetcher.fetch(address, etag=state.etag, last_modified=state.last_modified)
    if isinstance(answer, NotModified):
        moving = _still_blank(_moving(head, answer.moved, now))
        return _unchanged(state, moving, _kept(state, head, moving), now, answer.fresh_for)
    if isinstance(answer, Fetched):
        state = replace(state, etag=answer.etag, last_modified=answer.last_modified)
        moving = _moving(head, answer.moved, now)
        if head.body and fingerprint(answer.body) == head.body:
            moving = _still_blank(moving)
            return _unchanged(state, moving, _kept(state, head, moving), now, answer.fresh_for)
        memory = _kept(state, head, moving)
        return await _read(eyes, replace(state, memory=memory), moving, answer, now)
    if moved:
        # The new place is no good (any more): the next look asks the old one again.
        head = replace(head, moved_to="", moved_since=0, moved_looks=0)
    elif isinstance(answer, Gone):
        reason = "the publisher says that this feed is finished for good (410)"
        ended = replace(state, last_look_at=now, failures=state.failures + 1, last_error=reason)
        return Finding(Look(ended, gone=True), failed=reason)
    if isinstance(answer, Failed):
        return _failed(state, head, now, answer.reason, answer.retry_after)
    return _failed(state, head, now, "the address that this feed moved to says it is finished (410)")


async def _read(eyes: Eyes, state: FeedState, head: Head, answer: Fetched, now: datetime) -> Finding:
    order = Order(state.feed, state.memory, answer.url, answer.content_type, now, state.last_success_at)
    try:
        found = await eyes.workers.run(examine, order, answer.body)
    except (FeedUnreadable, WorkRefused) as trouble:
        return _failed(
            replace(state, etag=None, last_modified=None),
            replace(head, blank=head.blank + 1),
            now,
            str(trouble),
        )
    articles, changed = await _articles(eyes, state, found, now)
    head = head_of(found.memory)
    settled = _succeeded(state, head, found.memory, now, answer.fresh_for, note=found.note or None)
    return Finding(Look(settled, articles, changed=changed), note=found.note)


async def _articles(
    eyes: Eyes, state: FeedState, found: Examined, now: datetime
) -> tuple[tuple[Article, ...], tuple[Article, ...]]:
    """Return the articles that are not stored yet, and those stored that were edited."""
    ids = {draft.id for draft in (*found.new, *found.changed)}
    known = await eyes.store.known_articles(ids) if ids else set()
    new = [draft for draft in found.new if draft.id not in known]
    changed = [draft for draft in found.changed if draft.id in known]
    texts = await _full_texts(eyes, state, [*new, *changed], now)
    return (
        tuple(_article(state, texts.get(draft.id, draft), now) for draft in new),
        tuple(_article(state, texts.get(draft.id, draft), now) for draft in changed),
    )


async def _full_texts(
    eyes: Eyes, state: FeedState, drafts: Sequence[Draft], now: datetime
) -> dict[str, Draft]:
    """Return the drafts whose page gave more than the feed did, with the page's text."""
    wanted = [draft for draft in drafts if draft.teaser][-MOST_PAGES:]
    found = await asyncio.gather(*(_full_text(eyes, state, draft, now) for draft in wanted))
    return {draft.id: draft for draft in found}


async def _full_text(eyes: Eyes, state: FeedState, draft: Draft, now: datetime) -> Draft:
    if not await eyes.robots.allow(draft.url, now):
        return draft
    answer = await eyes.fetcher.fetch(draft.url)
    if not isinstance(answer, Fetched):
        return draft
    declared = state.feed.language or ""
    try:
        page = await eyes.workers.run(read_page, answer.body, draft.title, draft.text, answer.url, declared)
    except WorkRefused:
        return draft
    if len(page.text) <= len(draft.text):
        return draft
    return replace(draft, text=page.text, language=state.feed.language or page.language)


def _article(state: FeedState, draft: Draft, now: datetime) -> Article:
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


def _unchanged(state: FeedState, head: Head, memory: str, now: datetime, fresh_for: int | None) -> Finding:
    # A feed that held nothing still holds nothing.
    note = state.last_error if head.blank else None
    return Finding(Look(_succeeded(state, head, memory, now, fresh_for, note=note)), unchanged=True)


def _succeeded(
    state: FeedState, head: Head, memory: str, now: datetime, fresh_for: int | None, *, note: str | None
) -> FeedState:
    return FeedState(
        feed=state.feed,
        etag=state.etag,
        last_modified=state.last_modified,
        next_look_at=after_answer(state.feed, head, now, fresh_for).at,
        last_look_at=now,
        last_success_at=now,
        last_error=note,
        memory=memory,
    )


def _failed(
    state: FeedState, head: Head, now: datetime, reason: str, retry_after: int | None = None
) -> Finding:
    failures = state.failures + 1
    settled = replace(
        state,
        next_look_at=after_failure(state.feed, failures, now, retry_after).at,
        last_look_at=now,
        failures=failures,
        last_error=reason,
        memory=remembered(head, None, state.memory),
    )
    return Finding(Look(settled), failed=reason)


def _still_blank(head: Head) -> Head:
    """Return the head after a look that found the document as it was: one without items has none again."""
    return replace(head, blank=head.blank + 1) if 0 < head.blank < ENOUGH_BLANKS else head


def _kept(state: FeedState, head: Head, moving: Head) -> str:
    """Return the memory with the head that is true now; most looks change nothing in it."""
    return state.memory if moving is head else remembered(moving, None, state.memory)


def _moving(head: Head, moved: str | None, now: datetime) -> Head:
    """Return the head with what this answer said about a permanent move."""
    if moved is None:
        # Once we go to the new place directly, nothing redirects any more.
        settled = not head.moved_to or move_has_held(head, now)
        return head if settled else replace(head, moved_to="", moved_since=0, moved_looks=0)
    if moved == head.moved_to:
        return replace(head, moved_looks=head.moved_looks + 1)
    return replace(head, moved_to=moved, moved_since=seconds(now), moved_looks=1)
