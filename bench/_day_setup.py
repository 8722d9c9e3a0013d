"""What is there when the measured day begins: the configuration, readers, and days of condensed articles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
from _day_news import TOPICS, Publisher, Report
from _day_site import address_of, page_of
from sqlalchemy import insert, select, update

from service.core import ids
from service.core.model import (
    Article,
    FeedState,
    KeyPoint,
    Newsletter,
    Preferences,
    Role,
    Roster,
    Subscriber,
    Summary,
)
from service.gather.ports import PollResult
from service.store.database import Database
from service.store.gather import SqlGatherStore
from service.store.mappers import summary_values
from service.store.queries import Queries
from service.store.schema import articles, story_articles, summaries
from service.store.subscribers import SqlSubscriberStore
from service.subscribers.preferences import placement_for

BATCH = 500
POINTS = 5  # of a summary of an earlier day
HOURS = ("05:30", "06:30", "07:00", "08:00", "18:00")
ZONES = (
    *("Europe/Berlin", "America/New_York", "Asia/Qatar", "Europe/London", "Asia/Tokyo"),
    *("America/Los_Angeles", "Asia/Kolkata", "Africa/Cairo", "America/Sao_Paulo", "Australia/Sydney"),
)


def write_config(
    folder: Path, feeds: Sequence[Publisher], *, storage: str, site_port: int, sink: int
) -> None:
    """Write the four files of a configuration; mail goes to the port `sink` of this machine."""
    folder.mkdir()
    (folder / "caveat.yaml").write_text(f"""
site:
  name: The Bench
  url: "https://news.example.org"
  from: "The Bench <digest@example.org>"
  postal_address: "1 Example Street"
storage: "{storage}"
mail: {{channel: smtp, smtp: {{host: 127.0.0.1, port: {sink}, security: none, hello: bench.example}}}}
fetch: {{allow_private: ["127.0.0.0/8"], host_spacing: 0s}}
web: {{listen: "127.0.0.1:0"}}
""")
    (folder / "caveat.yaml").chmod(0o600)
    lines = (
        f"  - {{url: '{address_of(one, site_port)}', name: Paper {one.number}, language: {one.language}, "
        f"topics: [{', '.join(one.topics)}]}}\n"
        for one in feeds
    )
    (folder / "feeds.yaml").write_text("feeds:\n" + "".join(lines))
    (folder / "newsletters.yaml").write_text("""
newsletters:
  - {id: morning, title: The Morning, schedule: "daily 07:00", timezone: Europe/London, languages: [en]}
  - id: world
    title: The World
    schedule: "daily 07:00"
    timezone: Europe/London
    languages: [en]
    topics: [world, business, climate]
    theme: brief
  - {id: matin, title: Le Matin, schedule: "daily 07:00", timezone: Europe/Paris, languages: [fr],
     language: fr}
  - {id: morgen, title: Der Morgen, schedule: "daily 07:00", timezone: Europe/Berlin, languages: [de, en]}
  - {id: weekend, title: Sport and culture, schedule: "daily 18:00", timezone: Europe/London,
     topics: [sport, culture], stories: 12}
""")
    (folder / "subscribers.yaml").write_text("subscribers: []\n")


async def subscribe(
    database: Database, newsletters: Sequence[Newsletter], readers: int, editions: int, start: datetime
) -> int:
    """Store the readers, who got everything up to a day before; return the number of their editions."""
    wishes = [_wish(newsletters, number) for number in range(editions)]
    placements = []
    for number in range(readers):
        # Earlier editions have more readers, but each has one.
        place = number % editions if number < editions * 2 else (number * number // 7) % editions
        newsletter, preferences, zone = wishes[place]
        email = f"reader{number}@example{number % 50}.org"
        subscriber = Subscriber(ids.subscriber_id(email), email, f"Reader {number}", timezone=zone)
        placements.append(placement_for(subscriber, newsletter, preferences, start))
    await SqlSubscriberStore(database).add_subscriptions(
        placements, start - timedelta(days=1), starts_after=start - timedelta(days=1)
    )
    return len({placement.edition_key for placement in placements})


def _wish(newsletters: Sequence[Newsletter], number: int) -> tuple[Newsletter, Preferences, str]:
    """Return newsletter, preferences and zone of an edition; one of four has topics of its own."""
    place, variant = number % len(newsletters), number // len(newsletters)
    hour = HOURS[variant % len(HOURS)]
    minute = variant // len(ZONES) * 7 % 60
    clock = f"daily {hour[:3]}{(int(hour[3:]) + minute) % 60:02}"
    topics = tuple(sorted((TOPICS[variant % 8], TOPICS[(variant + place) % 7]))) if variant % 4 == 3 else None
    zone = ZONES[(variant * 3 + place) % len(ZONES)]
    return newsletters[place], Preferences(schedule=clock, topics=topics), zone


async def fill(
    database: Database, roster: Roster, feeds: Sequence[Publisher], before: Sequence[Report], port: int
) -> None:
    """Store the articles of the days before, condensed and with their stories."""
    by_name = {feed.name: feed for feed in roster.feeds}
    await SqlSubscriberStore(database).save_feeds(roster.feeds, before[0].at)
    store = SqlGatherStore(database)
    for start in range(0, len(before), BATCH):
        batch = before[start : start + BATCH]
        found = []
        for report in batch:
            publisher = feeds[report.publisher]
            feed = by_name[f"Paper {publisher.number}"]
            page = page_of(publisher, report, port)
            found.append(
                Article(
                    id=ids.article_id(feed.id, page, page, report.title),
                    feed_id=feed.id,
                    url=page,
                    title=report.title,
                    text=report.text,
                    language=publisher.language,
                    publisher=feed.name,
                    published_at=report.at,
                    gathered_at=report.at + timedelta(minutes=15),
                    topics=feed.topics,
                )
            )
        await store.record_polls([PollResult(FeedState(roster.feeds[0]), tuple(found))])
        await _condense(database, batch, found)


async def _condense(database: Database, batch: Sequence[Report], found: Sequence[Article]) -> None:
    async with database.write() as connection:
        rows = await connection.execute(
            select(articles.c.id, articles.c.position).where(articles.c.id.in_([one.id for one in found]))
        )
        places = {row.id: row.position for row in rows}
        await connection.execute(
            update(articles).where(articles.c.position.in_(places.values())).values(state="condensed")
        )
        await connection.execute(
            insert(summaries),
            [
                {
                    "position": places[one.id],
                    "made_at": one.gathered_at,
                    **summary_values(Summary("keypoints", _key_points(report))),
                }
                for report, one in zip(batch, found, strict=True)
            ],
        )
        stories = [
            {"position": places[one.id], "story": ids.content_id("story", str(report.event))}
            for report, one in zip(batch, found, strict=True)
        ]
        await connection.execute(insert(story_articles), stories)


def _key_points(report: Report) -> tuple[KeyPoint, ...]:
    """Return the first sentence of each of the first paragraphs."""
    text, points, at = report.text, [], 0
    for rank, paragraph in enumerate(report.paragraphs[:POINTS]):
        length = paragraph.find(". ") + 1 or len(paragraph)
        points.append(KeyPoint.from_source(text, at, at + length, Role.POINT, None, rank=rank))
        at += len(paragraph) + 2
    return tuple(points)


async def sent_by_ledger(storage: str) -> int:
    """Return how many deliveries the ledger counts as sent."""
    database = await Database.open(storage)
    try:
        return sum(one.books.sent for one in await Queries(database).issues(limit=10_000))
    finally:
        await database.close()


async def size_of(storage: str) -> int:
    """Return the bytes of the database, for SQLite with its log."""
    if storage.startswith("sqlite"):
        file = Path(storage.removeprefix("sqlite:///"))
        return sum(one.stat().st_size for one in file.parent.glob(f"{file.name}*"))
    connection = await asyncpg.connect(storage)
    try:
        return int(await connection.fetchval("SELECT pg_database_size(current_database())"))
    finally:
        await connection.close()
