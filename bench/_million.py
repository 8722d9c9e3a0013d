"""A large installation for benchmarks of pages: a config folder and its SQLite database.

A million subscribers of a daily newsletter in 24 time zones, an issue for each zone and day with its
deliveries, 60 feeds and their articles. Ids, hashes and keys are real; the texts are short.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Table, insert
from sqlalchemy.dialects import sqlite

from service.app.factories.application import bootstrap
from service.app.process_pool.pool import ProcessPool
from service.core import ids as identity
from service.core.model import Edition, Preferences
from service.core.schedules import next_occurrence, parse_schedule
from service.settings.load import load_config
from service.settings.values import LoadedConfig
from service.store.database import Database
from service.store.schema import (
    SEARCH_INDEX,
    article_topics,
    articles,
    deliveries,
    editions,
    groups,
    issues,
    subscriber_search,
    subscribers,
    subscriptions,
    suppressions,
)
from service.store.subscriber_search import search_values
from service.subscribers.preferences import edition_for

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""The moment at which the installation is looked at: run its application with this clock."""

DAY = timedelta(days=1)
DAYS_WITH_ISSUES = 12
DAYS_IN_FULL = 2  # the issues of the latest days have a delivery to every subscriber, the others to a few
FEW = 500  # deliveries of an earlier issue
ARTICLES_A_DAY = 600
OWN_ZONE = "Europe/Berlin"
ZONES = (
    OWN_ZONE,
    *("Asia/Qatar", "America/New_York", "Asia/Tokyo", "Europe/London", "Asia/Kolkata", "Africa/Cairo"),
    *("America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "Asia/Dubai"),
    *("Asia/Karachi", "Asia/Dhaka", "Asia/Bangkok", "Asia/Shanghai", "Australia/Sydney", "Pacific/Auckland"),
    *("Atlantic/Azores", "Africa/Nairobi", "Asia/Tehran", "America/Halifax", "Europe/Moscow"),
    "Asia/Kathmandu",
)
FIRST_NAMES = (
    "Amina",
    "Ben",
    "Carla",
    "Dmitri",
    "Elena",
    "Farid",
    "Grace",
    "Hannah",
    "Ivan",
    "Jana",
    "Khalid",
)
SYLLABLES = tuple(f"{consonant}{vowel}" for consonant in "bdfgklmn" for vowel in "aeiou")
"""Forty syllables, of which surnames are made."""

SENTENCE = "The harbour reopened on Monday, although two ferries remain in dock, the port said. "
MAIN = """site:
  name: The Morning Caveat
  url: "https://news.example.org"
  from: "The Morning Caveat <digest@news.example.org>"
  postal_address: "1 Example Street, Exampleton"
"""


@dataclass(frozen=True, slots=True)
class Million:
    """The folder of the installation and its number of subscribers."""

    folder: Path
    people: int

    @property
    def database(self) -> Path:
        """The database's file."""
        return self.folder / "caveat.db"

    def load(self) -> LoadedConfig:
        """Return its configuration."""
        return load_config(self.folder, {})

    def address(self, number: int) -> str:
        """Return the address of a subscriber, counted from 1."""
        host = f"mail{number % 977}.example.org" if number % 3 else "post.example.com"
        return f"{_name(number).lower().replace(' ', '.')}.{number}@{host}"


def build(folder: Path, people: int = 1_000_000) -> Million:
    """Return the installation in this folder; make it if it is not there. That takes about a minute."""
    made = Million(folder, people)
    if not (folder / "complete").exists():
        _write_config(made)
        asyncio.run(_create_tables(made))
        with closing(sqlite3.connect(made.database)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            _fill(connection, made)
            connection.execute("ANALYZE")
        (folder / "complete").write_text(f"{people}\n", encoding="utf-8")
    return made


def _write_config(made: Million) -> None:
    made.folder.mkdir(parents=True, exist_ok=True)
    feeds = "".join(
        f'  - {{url: "https://paper{n}.example/feed.xml", name: Paper {n}, topics: [world]}}\n'
        for n in range(60)
    )
    newsletters = "".join(
        f"  - {{id: {name}, title: {title}, topics: [world], schedule: {schedule}, timezone: {OWN_ZONE}}}\n"
        for name, title, schedule in (
            ("morning", "The Morning Caveat", '"daily 07:00"'),
            ("weekly", "The Weekly", '"weekly mon 18:00"'),
        )
    )
    files = {
        "caveat.yaml": f"{MAIN}storage: sqlite:///{made.database}\n",
        "feeds.yaml": f"feeds:\n{feeds}",
        "newsletters.yaml": f"newsletters:\n{newsletters}",
        "subscribers.yaml": "subscribers: []\n",
    }
    for name, text in files.items():
        (made.folder / name).write_text(text, encoding="utf-8")


async def _create_tables(made: Million) -> None:
    loaded = made.load()
    pool = ProcessPool(1)
    database = await Database.open(loaded.settings.storage)
    app = await bootstrap(loaded.settings, loaded.roster, pool=pool, clock=lambda: NOON, database=database)
    await app.apply_roster()
    await app.close()
    pool.shutdown(wait=False, cancel_futures=True)


def _fill(connection: sqlite3.Connection, made: Million) -> None:
    newsletter = made.load().roster.newsletters[0]
    found = [edition_for(newsletter, Preferences(), zone) for zone in ZONES]
    last = ARTICLES_A_DAY * 14
    with connection:
        _add(connection, editions, [_edition_values(edition) for edition in found])
        rows = (_group_values(number, edition, last) for number, edition in enumerate(found, 1))
        _add(connection, groups, rows)
        _add(connection, subscribers, (_person_values(made, n) for n in range(1, made.people + 1)))
        people = range(1, made.people + 1)
        _add(connection, subscriber_search, (_search_values(made, n) for n in people))
        connection.execute(
            f"INSERT INTO {SEARCH_INDEX} (rowid, text) SELECT subscriber, text FROM subscriber_search"  # noqa: S608 - a constant
        )
        _add(connection, suppressions, (_suppression_values(made, n) for n in people[::2_000]))
        _add(connection, subscriptions, (_subscription_values(n) for n in range(1, made.people + 1)))
        feed_ids = [row[0] for row in connection.execute("SELECT id FROM feeds ORDER BY id")]
        _add(connection, articles, (_article_values(n, feed_ids, last) for n in range(1, last + 1)))
        _add(connection, article_topics, ({"topic": "world", "position": n} for n in range(1, last + 1)))
        connection.execute("UPDATE counters SET value = ? WHERE name = 'articles'", (last,))
    members: list[list[int]] = [[] for _ in ZONES]
    for person in range(1, made.people + 1):
        members[_zone_of(person)].append(person)
    for number, (day, zone, edition) in enumerate(_issue_places(found), 1):
        people = members[zone][: FEW if day < DAYS_WITH_ISSUES - DAYS_IN_FULL else made.people]
        at = NOON - (DAYS_WITH_ISSUES - 1 - day) * DAY - timedelta(hours=zone % 12)
        with connection:
            _add(connection, issues, [_issue_values(number, edition, at, day, len(people))])
            _add(connection, deliveries, (_delivery_values(number, n, at) for n in people))


def _add(connection: sqlite3.Connection, table: Table, rows: Iterable[dict[str, object]]) -> None:
    """Insert rows whose keys are the columns, with their values as SQLite stores them."""
    each = iter(rows)
    first = next(each)
    dialect = sqlite.dialect()
    names = list(first)
    kinds = {name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names}
    statement = str(insert(table).compile(dialect=dialect, column_keys=names))

    def stored(row: dict[str, object]) -> list[object]:
        return [kind(row[name]) if (kind := kinds[name]) else row[name] for name in names]

    connection.execute(statement, stored(first))
    connection.executemany(statement, (stored(row) for row in each))


def _zone_of(person: int) -> int:
    """Return the zone of a subscriber (number): six in ten have the newsletter's own."""
    return 0 if person % 10 < 6 else person % len(ZONES)


def _edition_values(edition: Edition) -> dict[str, object]:
    names = (column.name for column in editions.c if column.name != "key")
    return {"key": identity.edition_key(edition)} | {name: getattr(edition, name) for name in names}


def _group_values(number: int, edition: Edition, last: int) -> dict[str, object]:
    due = next_occurrence(parse_schedule(edition.schedule), ZoneInfo(edition.timezone), NOON)
    return {
        "number": number,
        "edition_key": identity.edition_key(edition),
        "told_through": last - ARTICLES_A_DAY // 2,
        "next_due_at": due.at,
    }


def _person_values(made: Million, number: int) -> dict[str, object]:
    email, zone = made.address(number), ZONES[_zone_of(number)]
    return {
        "number": number,
        "id": identity.subscriber_id(email),
        "address_hash": identity.address_hash(email),
        "email": email,
        "name": _name(number),
        "timezone": None if zone == OWN_ZONE else zone,
    }


def _name(number: int) -> str:
    """Return a name. Surnames are made of syllables, so that some are rare and many share parts."""
    first = FIRST_NAMES[number * 7 % len(FIRST_NAMES)]
    return f"{first} {''.join(SYLLABLES[number // step % 40] for step in (1, 41, 1_700)).title()}"


def _search_values(made: Million, number: int) -> dict[str, object]:
    person = _person_values(made, number)
    return search_values(number, str(person["email"]), str(person["name"]), on_postgres=False)


def _suppression_values(made: Million, number: int) -> dict[str, object]:
    hashed = identity.address_hash(made.address(number))
    return {"address_hash": hashed, "reason": "hard bounce", "at": NOON - 9 * DAY}


def _subscription_values(number: int) -> dict[str, object]:
    status = "unsubscribed" if number % 50 == 0 else "active"
    return {
        "subscriber": number,
        "newsletter": "morning",
        "group_number": _zone_of(number) + 1,
        "status": status,
        "choice": status,
        "declared": False,
        "chosen": False,
        "changed_at": NOON - 30 * DAY,
        "wishes": {},
    }


def _article_values(position: int, feed_ids: list[str], last: int) -> dict[str, object]:
    feed, title = feed_ids[position % len(feed_ids)], f"Harbour {position} reopens after storm"
    gathered = NOON - timedelta(days=14) * (last - position) / last
    return {
        "position": position,
        "id": identity.article_id(feed, "", f"https://paper.example/{position}", title),
        "feed_id": feed,
        "state": "condensed",
        "tries": 0,
        "gathered_at": gathered,
        "published_at": gathered,
        "language": "en",
        "publisher": "Paper",
        "topics": ("world",),
        "url": f"https://paper.example/{position}",
        "title": title,
        "problem": "",
        "text": SENTENCE * 20,
    }


def _issue_places(found: list[Edition]) -> Iterator[tuple[int, int, Edition]]:
    for day in range(DAYS_WITH_ISSUES):
        for zone, edition in enumerate(found):
            yield day, zone, edition


def _issue_values(number: int, edition: Edition, at: datetime, day: int, people: int) -> dict[str, object]:
    key, occurrence = identity.edition_key(edition), f"{at:%Y-%m-%d}T07:00"
    name = identity.issue_id(key, occurrence, day * ARTICLES_A_DAY)
    return {
        "number": number,
        "id": name,
        "delivery_prefix": identity.delivery_prefix(name, "file"),
        "channel": "file",
        "newsletter": edition.newsletter,
        "edition_key": key,
        "occurrence": occurrence,
        "due_at": at,
        "told_from": day * ARTICLES_A_DAY,
        "told_through": (day + 1) * ARTICLES_A_DAY,
        "created_at": at,
        "readers": people,
        "article_ids": (),
        "subject": f"Harbour {number} reopens, and other news",
        "text": SENTENCE * 100,
        "html": f"<html><body>{f'<p>{SENTENCE}</p>' * 400}</body></html>",
    }


def _delivery_values(issue: int, person: int, at: datetime) -> dict[str, object]:
    state, reply = "sent", "250 2.0.0 queued"
    if person % 100 == 1:
        state, reply = "refused", "550 5.1.1 no such mailbox"
    elif person % 100 == 2:
        state, reply = "suppressed", ""
    elif person % 1000 == 3:
        state, reply = "uncertain", "the connection ended after the message"
    return {
        "issue": issue,
        "subscriber": person,
        "state": state,
        "attempts": 0 if state == "suppressed" else 1,
        "at": at,
        "reply": reply,
    }
