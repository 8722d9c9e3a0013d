"""A whole day of 300 feeds and 3,000 articles, in which the pool's processes are replaced again and again.

    python3 dev.py test -m long tests/end_to_end

It takes a few minutes on two cores: some 9,000 requests over real HTTP, a real pool, real SMTP.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path

import pytest
import structlog.testing
import structlog.typing
from aiohttp import web

from service.app.process_pool.pool import ProcessPool
from service.core.read_models import IssueDetails, RecordCounts
from tests.end_to_end.installation import (
    Clock,
    Inbox,
    free_port,
    running,
    smtp_server,
    sweep_until_idle,
    write_config,
)
from tests.end_to_end.news_site import NewsArticle, feed, page

pytestmark = pytest.mark.long

START = datetime(2026, 10, 5, tzinfo=UTC)
FEEDS, ARTICLES_PER_FEED = 300, 10
TASKS_PER_PROCESS = 40
"""Low, so that each of the pool's processes is replaced many times in a day."""
TICK = timedelta(hours=1)
PATIENCE = 300
"""Maximum seconds of a tick; a tick takes a few seconds, and a pool that hangs never ends."""


def news_of_a_day() -> list[NewsArticle]:
    """Return ten articles of each feed, spread over a day; the first of each is published at the start."""
    apart = timedelta(days=1) / (FEEDS * ARTICLES_PER_FEED)
    first = START - FEEDS * apart
    return [NewsArticle(f"paper{n % FEEDS}", n, first + n * apart) for n in range(FEEDS * ARTICLES_PER_FEED)]


class NewsServer:
    """Three hundred publishers on one port; a third of their feeds are teasers, whose pages are fetched."""

    def __init__(self, news: list[NewsArticle], clock: Clock) -> None:
        self._clock, self.base = clock, ""
        self._pages = {item.mark: item for item in news}
        self._papers: dict[str, list[NewsArticle]] = {}
        for item in news:
            self._papers.setdefault(item.publisher, []).append(item)

    async def answer(self, request: web.Request) -> web.Response:
        """Serve a feed or a page with the articles published by now."""
        name = request.path.strip("/")
        if name in self._pages and self._pages[name].at <= self._clock():
            return web.Response(text=page(self._pages[name]), content_type="text/html")
        if name not in self._papers:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        out = [item for item in self._papers[name] if item.at <= self._clock()]
        whole = int(name.removeprefix("paper")) % 3 > 0
        body = feed(self.base, "courier" if whole else "wire", out)
        return web.Response(text=body, content_type="application/rss+xml")

    async def open(self) -> web.AppRunner:
        """Listen on loopback until the runner is cleaned up."""
        app = web.Application()
        app.router.add_get("/{name}", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.base = f"http://127.0.0.1:{port}"
        return runner


@dataclass
class Day:
    """The results."""

    inbox: Inbox
    counts: RecordCounts
    issues: list[IssueDetails]
    unfinished: int
    processes: int
    logs: list[structlog.typing.EventDict]
    news: list[NewsArticle]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    with smtp_server() as (inbox, smtp_port), pytest.MonkeyPatch.context() as patched:
        return asyncio.run(run_day(tmp_path_factory.mktemp("day"), inbox, smtp_port, patched))


async def run_day(folder: Path, inbox: Inbox, smtp_port: int, patched: pytest.MonkeyPatch) -> Day:
    """Run the service for a day, tick by tick."""
    patched.setattr("service.runtime.service.Pool", partial(ProcessPool, tasks=TASKS_PER_PROCESS))
    patched.setattr("tests.end_to_end.installation.TIMEOUT_SECONDS", PATIENCE)
    clock, news = Clock(START), news_of_a_day()
    press = NewsServer(news, clock)
    runner, config = await press.open(), folder / "config"
    write_config(
        config,
        storage=f"sqlite:///{folder / 'caveat.db'}",
        news_url=press.base,
        smtp_port=smtp_port,
        web_port=free_port(),
    )
    (config / "feeds.yaml").write_text(
        "feeds:\n"
        + "".join(
            f"  - {{url: '{press.base}/paper{n}', name: Paper {n}, topics: [world], every: 30m}}\n"
            for n in range(FEEDS)
        )
    )
    text = (config / "caveat.yaml").read_text()
    text = text.replace("settle: 10m", "settle: 10m, host_spacing: 0s, connections: 32")
    (config / "caveat.yaml").write_text(text.replace("processes: 1", "processes: 2"))
    try:
        with structlog.testing.capture_logs() as logs:
            async with running(config, clock) as service:
                while clock.at <= START + timedelta(days=1) + 2 * TICK:
                    await sweep_until_idle(service)
                    clock.at += TICK
                overview = service.app.queries
                return Day(
                    inbox,
                    await overview.counts(),
                    list(await overview.issues(limit=100)),
                    (await service.app.pending_work()).articles,
                    service._pool.started,
                    logs,
                    news,
                )
    finally:
        await runner.cleanup()


def test_every_article_of_the_day_is_condensed(day: Day):
    assert day.counts.articles == FEEDS * ARTICLES_PER_FEED
    assert day.unfinished == 0
    problems = [log for log in day.logs if log["log_level"] in ("warning", "error", "critical")]
    assert Counter(log["event"] for log in problems) == Counter()


def test_the_processes_of_the_pool_were_replaced_many_times(day: Day):
    assert day.processes > 30


def test_every_subscriber_got_digests_of_the_day(day: Day):
    assert {mail.to for mail in day.inbox.mails} == {
        "amina@example.org",
        "ben@example.org",
        "carla@example.org",
    }
    assert all(issue.books.closed and issue.books.sent == issue.books.due for issue in day.issues)
    assert sum(issue.books.sent for issue in day.issues) == len(day.inbox.mails)
    for mail in day.inbox.mails:
        assert len(mail.article_marks) == len(set(mail.article_marks)) > 20
