"""A fortnight in which two continents change their clocks: everybody gets everything once, at their hour."""

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

from service.app.foreground_delivery import deliver_issues
from service.app.manual_send import send
from service.core.model import Books
from service.core.send_request import SendRequest
from service.runtime.service import Roles, Service
from tests.end_to_end.press import News, edition_of, press
from tests.end_to_end.world import (
    Clock,
    Inbox,
    Mail,
    free_port,
    leave,
    running,
    smtp_server,
    until_quiet,
    write_config,
)

START = datetime(2026, 10, 19, tzinfo=UTC)
DAYS = 14
HOURS = {
    "amina": (time(7, 0), ZoneInfo("Asia/Qatar")),
    "ben": (time(2, 30), ZoneInfo("Europe/Berlin")),  # which 25 October brings twice
    "carla": (time(8, 0), ZoneInfo("America/New_York")),  # an hour later by UTC from 1 November on
}
STOPPED, STARTED = START + timedelta(days=5, hours=22), START + timedelta(days=6, hours=6)
BY_HAND = START + timedelta(days=8, hours=10)
LEFT = START + timedelta(days=9, hours=15)
HOUR = timedelta(hours=1)


@dataclass
class Fortnight:
    """What is known when it is over."""

    inbox: Inbox
    news: list[News]
    books: list[Books]

    def scheduled(self, name: str) -> list[Mail]:
        """Return somebody's mails but the one that was sent by hand."""
        return [mail for mail in self.inbox.of(name) if mail.at != BY_HAND]


def moments_of(name: str) -> list[datetime]:
    """Return when somebody's hour comes on each day, by the clock on their wall; the first time, if twice."""
    hour, zone = HOURS[name]
    days = [START.date() + timedelta(days=n) for n in range(-1, DAYS + 1)]
    found = [_first(day, hour, zone) for day in days]
    return [moment for moment in found if START < moment <= START + timedelta(days=DAYS)]


def _first(day: date, hour: time, zone: ZoneInfo) -> datetime:
    both = [datetime.combine(day, hour, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    return min(both)


def ticks() -> list[datetime]:
    """Return the moments that matter: everybody's hour, and a look at the feeds every eight hours."""
    looks = [START + timedelta(hours=hours) for hours in range(0, 24 * DAYS, 8)]
    due = [moment for name in HOURS for moment in moments_of(name)]
    return sorted({*looks, *due, BY_HAND, LEFT})


@pytest.fixture(scope="module", params=["sqlite", "postgresql, two workers"])
def fortnight(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Fortnight:
    folder, on_sqlite = tmp_path_factory.mktemp("fortnight"), request.param == "sqlite"
    storage = (
        f"sqlite:///{folder / 'caveat.db'}"
        if on_sqlite
        else _database(request.getfixturevalue("postgres_server"))
    )
    clock, news = Clock(START), edition_of(START - timedelta(days=1), DAYS + 1)
    with smtp_server() as (inbox, smtp_port), press(news, clock) as base:
        write_config(
            folder / "config", storage=storage, press=base, smtp_port=smtp_port, web_port=free_port()
        )
        books = asyncio.run(lived(folder / "config", clock, inbox, workers=0 if on_sqlite else 2))
    return Fortnight(inbox, news, books)


async def lived(config: Path, clock: Clock, inbox: Inbox, *, workers: int) -> list[Books]:
    """Let the fortnight go by; return the books of every issue."""
    before = [tick for tick in ticks() if tick <= STOPPED]
    after = [STARTED, *(tick for tick in ticks() if tick > STARTED)]
    for moments in (before, after):
        clock.at = moments[0]
        async with at_home(config, clock, workers=workers) as service:
            for moment in moments:
                clock.at = moment
                await until_quiet(service)
                if moment == BY_HAND:
                    await send_by_hand(service, "amina@example.org")
                if moment == LEFT:
                    await leave(inbox.of("carla")[-1])
            issues = await service.app.overview.issues(limit=1_000)
    return [issue.books for issue in issues]


@asynccontextmanager
async def at_home(config: Path, clock: Clock, *, workers: int) -> AsyncIterator[Service]:
    """Run everything in one service, or scheduler and web apart from the workers."""
    async with AsyncExitStack() as stack:
        main = Roles() if not workers else Roles(stages=())
        service = await stack.enter_async_context(running(config, clock, main))
        for _ in range(workers):
            await stack.enter_async_context(running(config, clock, Roles(schedule=False, web=False)))
        yield service


async def send_by_hand(service: Service, address: str) -> None:
    for _ in range(2):  # the second time by mistake
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
def test_everybody_gets_one_issue_a_day_at_their_hour(fortnight: Fortnight, name: str):
    expected = [
        max(moment, STARTED) if STOPPED < moment <= STARTED else moment for moment in moments_of(name)
    ]
    if name == "carla":
        expected = [moment for moment in expected if moment <= LEFT]

    assert [mail.at for mail in fortnight.scheduled(name)] == expected


def test_the_clocks_did_change(fortnight: Fortnight):
    hours = {name: {mail.at.hour for mail in fortnight.scheduled(name)} for name in ("amina", "ben")}

    assert hours["amina"] == {4, STARTED.hour}
    assert hours["ben"] == {0, 1, STARTED.hour}


@pytest.mark.parametrize("name", HOURS)
def test_nothing_is_told_twice(fortnight: Fortnight, name: str):
    told = [mark for mail in fortnight.inbox.of(name) for mark in mail.told]

    assert len(told) == len(set(told))


@pytest.mark.parametrize("name", HOURS)
def test_nothing_is_missed(fortnight: Fortnight, name: str):
    mails = fortnight.inbox.of(name)
    told = {mark for mail in mails for mark in mail.told}
    # The first issue tells one day; what is younger than the last look and the settling rests for the next.
    first, last = mails[0].at - timedelta(days=1), mails[-1].at - 9 * HOUR

    assert {item.mark for item in fortnight.news if first + HOUR < item.at <= last} <= told


def test_one_mail_by_hand_and_not_a_second_by_mistake(fortnight: Fortnight):
    by_hand = [mail for mail in fortnight.inbox.mails if mail.at == BY_HAND]

    assert [(mail.to, bool(mail.told)) for mail in by_hand] == [("amina@example.org", True)]


def test_whoever_left_gets_nothing_more(fortnight: Fortnight):
    assert all(mail.at <= LEFT for mail in fortnight.inbox.of("carla"))
    assert len(fortnight.inbox.of("carla")) < DAYS - 2


def test_every_message_is_one_of_a_kind(fortnight: Fortnight):
    ids = [mail.message["Message-ID"] for mail in fortnight.inbox.mails]

    assert len(ids) == len(set(ids))


def test_the_books_close_and_agree_with_the_server(fortnight: Fortnight):
    assert all(books.closed and books.sent == books.due for books in fortnight.books)
    assert sum(books.sent for books in fortnight.books) == len(fortnight.inbox.mails)
