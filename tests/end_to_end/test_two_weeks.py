"""Two weeks with clock changes on two continents: each subscriber gets each article once, at their time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from service.app.sending.foreground_delivery import deliver_issues
from service.app.sending.manual_send import send
from service.core.model import Books
from service.core.send_request import SendRequest
from service.runtime.service import Roles, Service
from tests.end_to_end.installation import (
    Clock,
    Inbox,
    Mail,
    free_port,
    running,
    smtp_server,
    sweep_until_idle,
    unsubscribe,
    write_config,
)
from tests.end_to_end.news_site import NewsArticle, news_site, published_articles

START = datetime(2026, 10, 19, tzinfo=UTC)
DAYS = 14
HOURS = {
    "amina": (time(7, 0), ZoneInfo("Asia/Qatar")),
    "ben": (time(2, 30), ZoneInfo("Europe/Berlin")),  # which 25 October brings twice
    "carla": (time(8, 0), ZoneInfo("America/New_York")),  # an hour later by UTC from 1 November on
}
STOPPED, STARTED = START + timedelta(days=5, hours=22), START + timedelta(days=6, hours=6)
MANUAL_SEND_AT = START + timedelta(days=8, hours=10)
UNSUBSCRIBED_AT = START + timedelta(days=9, hours=15)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.long


@dataclass
class TwoWeeks:
    """The results."""

    inbox: Inbox
    news: list[NewsArticle]
    books: list[Books]

    def scheduled(self, name: str) -> list[Mail]:
        """Return a subscriber's mails without the manual send."""
        return [mail for mail in self.inbox.mails_to(name) if mail.at != MANUAL_SEND_AT]


def moments_of(name: str) -> list[datetime]:
    """Return a subscriber's due time on each day; the first one of a local time that occurs twice."""
    hour, zone = HOURS[name]
    days = [START.date() + timedelta(days=n) for n in range(-1, DAYS + 1)]
    found = [_first(day, hour, zone) for day in days]
    return [moment for moment in found if START < moment <= START + timedelta(days=DAYS)]


def _first(day: date, hour: time, zone: ZoneInfo) -> datetime:
    both = [datetime.combine(day, hour, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    return min(both)


def ticks() -> list[datetime]:
    """Return all due times, and a poll of the feeds every eight hours."""
    polls = [START + timedelta(hours=hours) for hours in range(0, 24 * DAYS, 8)]
    due = [moment for name in HOURS for moment in moments_of(name)]
    return sorted({*polls, *due, MANUAL_SEND_AT, UNSUBSCRIBED_AT})


@pytest.fixture(scope="module", params=["sqlite", "postgresql, two workers"])
def two_weeks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TwoWeeks:
    folder, on_sqlite = tmp_path_factory.mktemp("fortnight"), request.param == "sqlite"
    storage = (
        f"sqlite:///{folder / 'caveat.db'}"
        if on_sqlite
        else _database(request.getfixturevalue("postgres_server"))
    )
    clock, news = Clock(START), published_articles(START - timedelta(days=1), DAYS + 1)
    with smtp_server() as (inbox, smtp_port), news_site(news, clock) as base:
        write_config(
            folder / "config", storage=storage, news_url=base, smtp_port=smtp_port, web_port=free_port()
        )
        books = asyncio.run(run_two_weeks(folder / "config", clock, inbox, workers=0 if on_sqlite else 2))
    return TwoWeeks(inbox, news, books)


async def run_two_weeks(config: Path, clock: Clock, inbox: Inbox, *, workers: int) -> list[Books]:
    """Run the service for two weeks; return the books of every issue."""
    before = [tick for tick in ticks() if tick <= STOPPED]
    after = [STARTED, *(tick for tick in ticks() if tick > STARTED)]
    for moments in (before, after):
        clock.at = moments[0]
        async with running_processes(config, clock, workers=workers) as service:
            for moment in moments:
                clock.at = moment
                await sweep_until_idle(service)
                if moment == MANUAL_SEND_AT:
                    await send_manually(service, "amina@example.org")
                if moment == UNSUBSCRIBED_AT:
                    await unsubscribe(inbox.mails_to("carla")[-1])
            issues = await service.app.queries.issues(limit=1_000)
    return [issue.books for issue in issues]


@asynccontextmanager
async def running_processes(config: Path, clock: Clock, *, workers: int) -> AsyncIterator[Service]:
    """Run everything in one service, or the scheduler and web pages separate from the workers."""
    async with AsyncExitStack() as stack:
        main = Roles() if not workers else Roles(stages=())
        service = await stack.enter_async_context(running(config, clock, main))
        for _ in range(workers):
            await stack.enter_async_context(running(config, clock, Roles(schedule=False, web=False)))
        yield service


async def send_manually(service: Service, address: str) -> None:
    for _ in range(2):  # the second request is an accident
        planned = (await send(service.app, SendRequest("daily", (address,)))).planned
        await deliver_issues(service.app, planned.issues)


def _database(server: str) -> str:
    async def make() -> None:
        connection = await asyncpg.connect(f"{server}/postgres")
        await connection.execute("CREATE DATABASE fortnight TEMPLATE template")
        await connection.close()

    asyncio.run(make())
    return f"{server}/fortnight"


@pytest.mark.parametrize("name", HOURS)
def test_each_subscriber_gets_one_issue_a_day_at_their_time(two_weeks: TwoWeeks, name: str):
    expected = [
        max(moment, STARTED) if STOPPED < moment <= STARTED else moment for moment in moments_of(name)
    ]
    if name == "carla":
        expected = [moment for moment in expected if moment <= UNSUBSCRIBED_AT]

    assert [mail.at for mail in two_weeks.scheduled(name)] == expected


def test_the_clocks_did_change(two_weeks: TwoWeeks):
    hours = {name: {mail.at.hour for mail in two_weeks.scheduled(name)} for name in ("amina", "ben")}

    assert hours["amina"] == {4, STARTED.hour}
    assert hours["ben"] == {0, 1, STARTED.hour}


@pytest.mark.parametrize("name", HOURS)
def test_no_article_is_sent_twice(two_weeks: TwoWeeks, name: str):
    sent = [mark for mail in two_weeks.inbox.mails_to(name) for mark in mail.article_marks]

    assert len(sent) == len(set(sent))


@pytest.mark.parametrize("name", HOURS)
def test_no_article_is_missed(two_weeks: TwoWeeks, name: str):
    mails = two_weeks.inbox.mails_to(name)
    sent = {mark for mail in mails for mark in mail.article_marks}
    # The first issue covers one day; articles after the last poll or not yet settled wait for the next issue.
    first, last = mails[0].at - timedelta(days=1), mails[-1].at - 9 * HOUR

    assert {item.mark for item in two_weeks.news if first + HOUR < item.at <= last} <= sent


def test_a_repeated_manual_send_is_sent_once(two_weeks: TwoWeeks):
    by_hand = [mail for mail in two_weeks.inbox.mails if mail.at == MANUAL_SEND_AT]

    assert [(mail.to, bool(mail.article_marks)) for mail in by_hand] == [("amina@example.org", True)]


def test_an_unsubscribed_person_gets_no_more_mail(two_weeks: TwoWeeks):
    assert all(mail.at <= UNSUBSCRIBED_AT for mail in two_weeks.inbox.mails_to("carla"))
    assert len(two_weeks.inbox.mails_to("carla")) < DAYS - 2


def test_every_message_id_is_unique(two_weeks: TwoWeeks):
    ids = [mail.message["Message-ID"] for mail in two_weeks.inbox.mails]

    assert len(ids) == len(set(ids))


def test_the_books_close_and_agree_with_the_server(two_weeks: TwoWeeks):
    assert all(books.closed and books.sent == books.due for books in two_weeks.books)
    assert sum(books.sent for books in two_weeks.books) == len(two_weeks.inbox.mails)
