"""Feeds, claims, polls and gather positions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from service.core.model import Article, Feed, FeedState
from service.gather.ports import PollResult
from tests.builders import NOON, a_feed, an_article
from tests.store.stores import DAY, HOUR, MINUTE, Stores

FEEDS = [a_feed(f"https://{name}.example/rss", name=name) for name in ("cedar", "alder", "beech")]
LATER = NOON + MINUTE


async def test_a_declared_feed_is_due_at_once(stores: Stores):
    await stores.subscribers.save_feeds(FEEDS[:1], NOON)
    assert await stores.gather.claim_feeds(NOON, LATER) == [FeedState(FEEDS[0])]


async def claimed_names(stores: Stores, now: datetime = NOON) -> list[str]:
    return [state.feed.name for state in await stores.gather.claim_feeds(now, now + MINUTE)]


async def test_due_feeds_come_longest_overdue_first(stores: Stores):
    await stores.subscribers.save_feeds(FEEDS, NOON)
    for feed, minutes in zip(FEEDS, (1, 3, 2), strict=True):
        await stores.gather.record_polls([PollResult(FeedState(feed, next_poll_at=NOON - minutes * MINUTE))])
    assert await claimed_names(stores, NOON - 2 * MINUTE) == ["alder", "beech"]
    assert await claimed_names(stores) == ["alder", "beech", "cedar"]


async def test_a_feed_is_claimed_by_one_worker_at_a_time(stores: Stores):
    await stores.subscribers.save_feeds(FEEDS, NOON)
    claimed = await asyncio.gather(*(claimed_names(stores) for _ in range(4)))
    assert sorted(name for names in claimed for name in names) == ["alder", "beech", "cedar"]


async def test_a_claim_ends_by_expiry_release_or_a_recorded_poll(stores: Stores):
    await stores.subscribers.save_feeds(FEEDS[:1], NOON)
    [state] = await stores.gather.claim_feeds(NOON, LATER)
    ids = [state.feed.id]
    await stores.gather.renew_claims(ids, LATER + MINUTE)
    assert await claimed_names(stores, LATER) == []
    assert await claimed_names(stores, LATER + MINUTE) == ["cedar"]
    await stores.gather.renew_claims(ids, None)
    assert await claimed_names(stores, LATER + MINUTE) == ["cedar"]
    await stores.gather.record_polls([], [replace(state, next_poll_at=LATER)])
    await stores.gather.renew_claims(ids, LATER + HOUR)
    assert await claimed_names(stores, LATER + MINUTE) == ["cedar"]


async def test_the_feeds_of_one_host_are_claimed_by_one_worker_at_a_time(stores: Stores):
    one, two = (a_feed(f"https://shared.example/{name}", name=name) for name in ("one", "two"))
    files = [a_feed(f"file:{name}.xml", name=name) for name in ("three", "four")]
    await stores.subscribers.save_feeds([one, two, *files], NOON)
    await stores.gather.record_polls([PollResult(FeedState(two, next_poll_at=NOON + MINUTE))])
    await stores.gather.record_polls([PollResult(FeedState(files[1], next_poll_at=NOON + MINUTE))])

    first = await stores.gather.claim_feeds(NOON, NOON + HOUR)
    assert {state.feed.name for state in first} == {"one", "three"}
    assert await claimed_names(stores, NOON + MINUTE) == ["four"]
    await stores.gather.record_polls([PollResult(FeedState(one, next_poll_at=LATER + HOUR))])
    assert await claimed_names(stores, NOON + MINUTE) == ["two"]


async def test_feeds_are_listed_by_name(stores: Stores):
    await stores.subscribers.save_feeds(FEEDS, NOON)
    assert [state.feed.name for state in await stores.gather.all_feeds()] == ["alder", "beech", "cedar"]


async def test_feeds_are_found_by_id_while_they_are_active(stores: Stores):
    await stores.subscribers.save_feeds(FEEDS, NOON)
    await stores.subscribers.save_feeds(FEEDS[1:], NOON)
    found = await stores.gather.feed_states([feed.id for feed in FEEDS] + ["unknown"])
    assert [state.feed for state in found] == [FEEDS[1], FEEDS[2]]
    assert await stores.gather.feed_states([]) == []


async def test_every_field_of_a_feed_state_is_stored(stores: Stores):
    state = FeedState(
        a_feed(topics=("world", "economy"), language="de", poll_interval=timedelta(hours=2), first_entries=3),
        etag='W/"x\\y"',
        last_modified="Mon, 02 Mar 2026 11:00:00 GMT",
        next_poll_at=NOON + HOUR,
        last_poll_at=NOON,
        last_success_at=NOON - DAY,
        failures=2,
        last_error="the server answered 500",
        seen_items='{"seen": ["a", "b"]}',
    )
    await stores.subscribers.save_feeds([state.feed], NOON)
    await stores.gather.record_polls([PollResult(state)])
    assert await stores.gather.all_feeds() == [state]


async def test_a_feed_that_is_gone_is_not_polled_again(stores: Stores):
    await stores.subscribers.save_feeds(FEEDS[:1], NOON)
    await stores.gather.record_polls([PollResult(FeedState(FEEDS[0], last_poll_at=NOON), gone=True)])
    assert await stores.gather.claim_feeds(NOON, LATER) == []
    assert await stores.gather.all_feeds() == []
    [line] = await stores.queries.feeds()
    assert line.gone_at == NOON


async def test_articles_are_stored_once(stores: Stores):
    one, two = an_article("One"), an_article("Two")
    assert await stores.store_articles([one, one]) == 1
    assert await stores.store_articles([one, two]) == 1
    assert await stores.gather.known_articles([one.id, two.id, "other"]) == {one.id, two.id}
    assert await stores.gather.known_articles([]) == set()


async def test_an_article_comes_back_as_it_was(stores: Stores):
    article = an_article("\U0001f30d Größe", topics=("world", "economy"), published_at=None, method="lead")
    article = replace(article, text_note="its text was cut: it was too long")
    await stores.store_articles([article])
    assert await stores.condense.uncondensed(10) == [replace(article, position=1)]


async def test_text_with_unstorable_characters_keeps_its_length(stores: Stores):
    text = "A NUL \x00 and half a pair \ud800 in one sentence."
    await stores.store_articles([an_article("Poison", text)])
    [stored] = await stores.condense.uncondensed(10)
    assert stored.text == "A NUL \ufffd and half a pair \ufffd in one sentence."


async def test_positions_follow_the_order_of_arrival(stores: Stores):
    await stores.store_articles([an_article(title) for title in ("c", "a", "b")])
    await stores.store_articles([an_article("d")])
    stored = await stores.condense.uncondensed(10)
    assert [(a.title, a.position) for a in stored] == [("c", 1), ("a", 2), ("b", 3), ("d", 4)]


async def test_a_reader_never_sees_a_gap_that_a_concurrent_writer_fills_later(stores: Stores):
    writers, polls = 12, 5
    seen: list[list[int]] = []
    finished = asyncio.Event()

    async def write(writer: int) -> None:
        for poll in range(polls):
            await stores.store_articles([an_article(f"{writer} {poll} {n}") for n in range(3)])

    async def watch() -> None:
        while not finished.is_set():
            seen.append([article.position for article in await stores.condense.uncondensed(1_000)])

    watching = asyncio.create_task(watch())
    await asyncio.gather(*map(write, range(writers)))
    finished.set()
    await watching
    everything = list(range(1, writers * polls * 3 + 1))
    assert [article.position for article in await stores.condense.uncondensed(1_000)] == everything
    assert all(positions == everything[: len(positions)] for positions in seen)


async def test_concurrent_polls_store_the_same_article_once(stores: Stores):
    article = an_article("Wanted by all")
    stored = await asyncio.gather(*(stores.store_articles([article]) for _ in range(8)))
    assert sorted(stored) == [0] * 7 + [1]


def a_poll(feed: Feed, *articles: Article, **changes: object) -> PollResult:
    found = tuple(replace(article, feed_id=feed.id) for article in articles)
    return PollResult(FeedState(feed, next_poll_at=LATER, last_poll_at=NOON), found, **changes)


async def test_polls_of_several_feeds_are_recorded_together(stores: Stores):
    await stores.subscribers.save_feeds(FEEDS, NOON)
    of_both, old = an_article("Of both"), an_article("Old")
    await stores.store_articles([old])
    states = {state.feed: state for state in await stores.gather.all_feeds()}
    edited = (replace(old, title="New"),)
    polls = [
        a_poll(FEEDS[0], an_article("One"), of_both),
        a_poll(FEEDS[1], of_both, old, edited=edited),
        a_poll(FEEDS[2], an_article("Two"), gone=True),
    ]
    assert await stores.gather.record_polls(polls[:2], [states[FEEDS[2]]]) == [2, 0]
    assert await stores.gather.record_polls(polls) == [0, 0, 1]

    stored = await stores.condense.uncondensed(10)
    assert [(a.title, a.position) for a in stored] == [("New", 1), ("One", 2), ("Of both", 3), ("Two", 4)]
    kept = [state for state in await stores.gather.all_feeds() if state.feed in FEEDS]
    assert kept == [polls[1].state, polls[0].state]


async def test_polls_that_cannot_all_be_recorded_leave_nothing(stores: Stores):
    await stores.subscribers.save_feeds(FEEDS, NOON)
    orphan = replace(an_article("Orphan"), feed_id="unknown")
    polls = [a_poll(FEEDS[0], an_article("One")), PollResult(FeedState(FEEDS[1]), (orphan,))]
    with pytest.raises(IntegrityError):
        await stores.gather.record_polls(polls, [FeedState(FEEDS[2], next_poll_at=LATER)])
    assert await stores.condense.uncondensed(10) == []
    assert {state.next_poll_at for state in await stores.gather.all_feeds()} == {None}


async def test_an_ended_feed_stays_ended_after_a_later_poll(stores: Stores):
    await stores.subscribers.save_feeds(FEEDS[:1], NOON)
    ended = FeedState(FEEDS[0], last_poll_at=NOON)
    await stores.gather.record_polls([PollResult(ended, gone=True)])
    await stores.gather.record_polls([PollResult(replace(ended, last_poll_at=LATER))])
    [line] = await stores.queries.feeds()
    assert line.gone_at == NOON


async def test_workers_record_the_same_feeds_in_any_order(stores: Stores):
    await stores.subscribers.save_feeds(FEEDS, NOON)
    orders = [FEEDS, FEEDS[::-1], FEEDS[1:] + FEEDS[:1]] * 4

    async def record(feeds: list[Feed]) -> None:
        polls = [a_poll(feed, an_article(feed.name)) for feed in feeds[:2]]
        await stores.gather.record_polls(polls, [FeedState(feeds[2], next_poll_at=LATER)])

    await asyncio.gather(*map(record, orders))
    assert len(await stores.condense.uncondensed(10)) == len(FEEDS)


async def test_unchanged_feeds_are_recorded_together(stores: Stores):
    await stores.subscribers.save_feeds(FEEDS, NOON)
    states = [
        FeedState(
            feed, etag=f"\x00{feed.name}", last_poll_at=NOON, next_poll_at=NOON + MINUTE, seen_items=feed.url
        )
        for feed in FEEDS
    ]
    for state in states:
        await stores.gather.record_polls([PollResult(state)])
    later = [
        replace(s, last_poll_at=NOON + MINUTE, last_success_at=NOON, seen_items="not saved") for s in states
    ]
    await stores.gather.record_polls([], later)
    await stores.gather.record_polls([], [])

    kept = [replace(state, etag=f"\ufffd{state.feed.name}", seen_items=state.feed.url) for state in later]
    assert await stores.gather.all_feeds() == [kept[1], kept[2], kept[0]]


async def test_an_unchanged_feed_that_was_removed_meanwhile_stays_removed(stores: Stores):
    await stores.subscribers.save_feeds(FEEDS, NOON)
    await stores.subscribers.save_feeds(FEEDS[:1], NOON)
    await stores.gather.record_polls([], [FeedState(feed) for feed in FEEDS])

    assert [state.feed for state in await stores.gather.all_feeds()] == FEEDS[:1]
