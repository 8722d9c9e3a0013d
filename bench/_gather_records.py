"""The record of polls: the cost of a poll with a new article, alone and in groups, on SQLite."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from _gather_feeds import NOON, a_feed, run_loop

from service.core.model import Article, FeedState
from service.gather.ports import PollResult
from service.store.database import Database
from service.store.gather import SqlGatherStore
from service.store.subscribers import SqlSubscriberStore

FEEDS, ROUNDS = 300, 4
TEXT = "The council of the town votes on the bridge over the river. " * 43
SEEN_ITEMS = "x" * 20_000  # of a feed with 400 items


def records() -> None:
    """Record polls in groups of several sizes; print the CPU time of a poll, and of the queries of a pass."""
    for size in (1, 3, 10):
        run_loop(_recorded(size))


async def _recorded(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(f"sqlite:///{Path(folder) / 'caveat.sqlite'}")
        store = SqlGatherStore(database)
        feeds = [a_feed(f"https://{n}.example/rss", str(n)) for n in range(FEEDS)]
        await SqlSubscriberStore(database).save_feeds(feeds, NOON)
        shortest = float("inf")
        for number in range(ROUNDS):
            polls = [_a_poll(FeedState(feed), number) for feed in feeds]
            begun = time.process_time()
            for start in range(0, FEEDS, size):
                await store.record_polls(polls[start : start + size])
            shortest = min(shortest, time.process_time() - begun)
        print(f"{f'record of a poll with an article, {size} in a transaction':<58} {_ms(shortest)}")
        if size == 1:
            await _print_queries(store)
        await database.close()


def _a_poll(state: FeedState, number: int) -> PollResult:
    """Return a poll that found one article, another for each number."""
    url = f"{state.feed.url}/{number}"
    article = Article(url, state.feed.id, url, f"Bridge {number}", TEXT, "en", "The Example", NOON, NOON)
    seen = replace(state, next_poll_at=NOON, seen_items=f"{SEEN_ITEMS}{number}")
    return PollResult(seen, (replace(article, topics=("world",)),))


async def _print_queries(store: SqlGatherStore) -> None:
    early = NOON - timedelta(days=1)
    queries = {
        "which of two articles are known": lambda: store.known_articles(["a", "b"]),
        "claim without due feeds": lambda: store.claim_feeds(early, NOON),
    }
    for what, query in queries.items():
        begun = time.process_time()
        for _ in range(FEEDS):
            await query()
        print(f"{what:<58} {_ms(time.process_time() - begun)}")


def _ms(seconds: float) -> str:
    return f"{seconds / FEEDS * 1e3:>19.2f} ms"
