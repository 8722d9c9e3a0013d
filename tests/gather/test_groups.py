"""Polls are recorded in groups: each group is full, has waited long enough, or is the last of its pass."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from service.core.model import Feed, FeedState
from service.gather import stage
from service.gather.poll import Gatherer
from service.gather.ports import PollResult
from service.gather.stage import gather
from tests.builders import NOON, a_feed
from tests.gather.fakes import Record
from tests.gather.feeds import numbered
from tests.gather.server import Request, Server, Wire, reply

NAMES = ["alder", "beech", "cedar", "dogwood", "elm"]


class Watched(Record):
    """A store that cannot record some feeds, and tells when it has recorded `awaited` feeds."""

    def __init__(self, *feeds: Feed) -> None:
        super().__init__(*feeds)
        self.refused: dict[str, Exception] = {}
        self.awaited = 0
        self.reached = asyncio.Event()
        self.released: list[Collection[str]] = []

    async def record_polls(
        self, results: Sequence[PollResult], unchanged: Sequence[FeedState] = ()
    ) -> Sequence[int]:
        for result in results:
            if result.articles and (error := self.refused.get(result.state.feed.name)):
                raise error
        stored = await super().record_polls(results, unchanged)
        if sum(self.groups) >= self.awaited:
            self.reached.set()
        return stored

    async def renew_claims(self, ids: Collection[str], until: datetime | None) -> None:
        if until is None:
            self.released.append(ids)


@pytest.fixture
def record(server: Server) -> Watched:
    for name in NAMES:
        server.routes[f"/{name}"] = reply(numbered([len(name)]))
    return Watched(*(a_feed(server.url(f"/{name}"), name=name) for name in NAMES))


@pytest.fixture
def gatherer(record: Watched, fetcher, tmp_path) -> Gatherer:
    return Gatherer(record, fetcher, tmp_path)


async def test_the_polls_of_a_short_pass_are_recorded_together(record, gatherer, monkeypatch):
    monkeypatch.setattr(stage, "GROUP_SECONDS", 60)
    assert (await gather(gatherer, now=NOON)).polled == len(NAMES)
    assert record.groups == [len(NAMES)]


async def test_a_full_group_is_recorded_at_once(record, gatherer, monkeypatch):
    monkeypatch.setattr(stage, "GROUP_SECONDS", 60)
    monkeypatch.setattr(stage, "GROUP_SIZE", 2)
    await gather(gatherer, now=NOON)
    assert record.groups == [2, 2, 1]


async def test_a_slow_feed_does_not_hold_up_the_record_of_the_others(server, record, gatherer, monkeypatch):
    monkeypatch.setattr(stage, "GROUP_SECONDS", 0.01)
    record.awaited = len(NAMES) - 1
    answered = server.routes["/elm"]

    async def after_the_others(request: Request, wire: Wire) -> None:
        await record.reached.wait()
        await answered(request, wire)

    server.routes["/elm"] = after_the_others
    assert (await gather(gatherer, now=NOON)).polled == len(NAMES)


async def test_a_poll_that_cannot_be_stored_stays_with_its_feed(record, gatherer, monkeypatch):
    monkeypatch.setattr(stage, "GROUP_SECONDS", 60)
    record.refused["beech"] = OverflowError("too large")
    report = await gather(gatherer, now=NOON)

    reason = "an unexpected error occurred (OverflowError: too large)"
    assert report.failed == (f"beech: {reason}",)
    assert (report.polled, len(record.articles)) == (len(NAMES), 3)
    errors = {state.feed.name: state.last_error for state in record.states.values()}
    assert errors == dict.fromkeys(NAMES, None) | {"beech": reason}
    again = await gather(gatherer, now=NOON)
    assert again.polled == 0


async def test_a_pass_that_records_all_its_feeds_releases_no_claim(record, gatherer):
    await gather(gatherer, now=NOON)
    assert record.released == []


async def test_polls_that_wait_when_the_pass_is_stopped_are_repeated(server, record, gatherer, monkeypatch):
    monkeypatch.setattr(stage, "GROUP_SECONDS", 60)
    answered, reached = server.routes["/elm"], asyncio.Event()

    async def hang(_request: Request, _wire: Wire) -> None:
        reached.set()
        await asyncio.Event().wait()

    server.routes["/elm"] = hang
    work = asyncio.create_task(gather(replace(gatherer, concurrency=1), now=NOON))
    await reached.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert record.groups == []
    assert [len(ids) for ids in record.released] == [len(NAMES)]

    server.routes["/elm"] = answered
    assert (await gather(gatherer, now=NOON)).polled == len(NAMES)
    assert len(record.articles) == 3


async def test_progress_counts_a_poll_when_it_is_recorded(record, gatherer):
    recorded_then: list[int] = []
    await gather(gatherer, now=NOON, progress=lambda *_line: recorded_then.append(sum(record.groups)))
    assert all(recorded >= number for number, recorded in enumerate(recorded_then, start=1))
