"""A small newsroom for pictures of the editors' pages: eight feeds, two newsletters, four days.

The feeds are served by HTTP, the mails are taken by an SMTP server, and the four stages run by a set clock.
"""

# ruff: noqa: INP001 - a part of a script: in no package

from __future__ import annotations

import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path

from aiohttp import web

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are not installed

from service.app.accounts.manage import create_account
from service.app.accounts.passwords import hash_password
from service.app.factories.application import Application, bootstrap
from service.app.maintenance import finish_issues
from service.app.process_pool.pool import ProcessPool
from service.core.secret import Secret
from service.settings.load import load_config
from service.settings.packaged_files import templates_folder
from service.store.accounts import SqlAccountStore
from service.web.admin.application import admin_application
from service.web.app import application
from tests.deliver.server import MailServer, Reply
from tests.end_to_end.installation import Clock, free_port
from tests.web.conftest import served

NAME, PASSWORD = "vera", "four words nobody joins"
FIRST_DAY = datetime(2026, 10, 5, tzinfo=UTC)
DAYS, STEP = 4, timedelta(hours=3)
LAST_MOMENT = FIRST_DAY + timedelta(days=DAYS, hours=4, minutes=20)
"""When the pages are looked at: the draft of the morning waits for its review."""
MOVED = "alumni@example.org"  # refused by the mail server

PUBLISHERS = {
    "courier": ("The Meridian Courier", "world"),
    "wire": ("Northwater Wire", "world"),
    "herald": ("The Castelbrae Herald", "world"),
    "ledger": ("The Ledger", "economy"),
    "harbour": ("Harbour Business", "economy"),
    "lantern": ("The Lantern", "science"),
    "fieldnotes": ("Field Notes", "science"),
    "sports": ("Sunday Sports", "world"),
}
PLACES = ("Skarrow", "Port Ansel", "Brannholm", "Sellin", "Marrow", "Tarn Bridge", "Kessary", "Oltmark")
STORIES = tomllib.loads(Path(__file__).with_name("admin_stories.toml").read_text())["story"]
CAVEAT_YAML = """\
site:
  name: The Morning Caveat
  url: "https://news.example.org"
  from: "The Morning Caveat <digest@news.example.org>"
  postal_address: "1 Example Street, Exampleton"
storage: sqlite:///caveat.db
mail: {{channel: smtp, smtp: {{host: 127.0.0.1, port: {port}, security: none, connections: 2}}}}
fetch: {{allow_private: ["127.0.0.1"], settle: 0m}}
condense: {{processes: 1}}
web: {{sign_up: [morning, markets]}}
"""
NEWSLETTERS = """\
newsletters:
  - id: morning
    title: The Morning Caveat
    topics: [world, science]
    schedule: "daily 07:00"
    timezone: Europe/Berlin
    stories: 8
    review: 90m
    unreviewed: send
    archive: public
  - {id: markets, title: Markets at Noon, topics: [economy], schedule: "weekdays 12:00"}
"""
PEOPLE = (
    "Amina",
    "Ben",
    "Carla",
    "Dilek",
    "Emre",
    "Farida",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Karim",
    "Lucia",
    "Marek",
    "Nia",
    "Oskar",
    "Paula",
    "Quentin",
    "Rosa",
    "Samir",
    "Tilda",
    "Umar",
    "Viola",
    "Wanda",
    "Xenia",
    "Yusuf",
    "Zoe",
    "Anton",
    "Berit",
    "Cyril",
    "Dora",
    "Edgar",
    "Fatima",
    "Gita",
    "Henrik",
    "Irma",
    "Juno",
    "Klaus",
    "Lena",
)


@dataclass(frozen=True)
class Newsroom:
    """The pages at `url`, with the mail server that took their mails."""

    url: str
    app: Application
    clock: Clock
    mails: MailServer


def items(publisher: str, now: datetime) -> list[tuple[str, str, datetime, str]]:
    """Return what a publisher has published by now: title, text, time and number of each article."""
    found = []
    for number in range((DAYS + 1) * len(STORIES)):
        day, kind = divmod(number, len(STORIES))
        story = STORIES[kind]
        at = FIRST_DAY + timedelta(days=day, hours=2 + 2 * (kind % 5), minutes=7 * kind)
        if publisher not in story["publishers"] or at > now or now - at > timedelta(days=2):
            continue
        words = {
            "a": PLACES[(day + kind) % len(PLACES)],
            "b": PLACES[(day + kind + 3) % len(PLACES)],
            "n": 4 + (5 * day + 3 * kind) % 17,
            "m": f"{1_140 + 370 * day + 210 * kind:,}",
            "day": f"{at:%A}",
        }
        found.append(
            (story["title"].format(**words), story["text"].format(**words), at, f"{publisher}-{number}")
        )
    return found


@asynccontextmanager
async def publishers(clock: Clock) -> AsyncIterator[str]:
    """Serve the feeds; one of them fails from the third day on."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"

    async def feed(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name == "fieldnotes" and clock() > FIRST_DAY + timedelta(days=2):
            return web.Response(status=503)
        entries = "".join(
            f"<item><title>{escape(title)}</title><link>{base}/{id_}</link><guid>{id_}</guid>"
            f"<pubDate>{format_datetime(at)}</pubDate><description>{escape(text)}</description></item>"
            for title, text, at, id_ in items(name, clock())
        )
        head = f"<title>{PUBLISHERS[name][0]}</title><link>{base}</link><language>en</language>"
        return web.Response(
            text=f'<rss version="2.0"><channel>{head}{entries}</channel></rss>',
            content_type="application/rss+xml",
        )

    site = web.Application()
    site.router.add_get("/{name}.xml", feed)
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield base
    finally:
        await runner.cleanup()


def write_config(folder: Path, base: str, smtp_port: int) -> None:
    """Write the configuration of the newsroom."""
    people = [
        f"  - {{email: {name.lower()}@example.org, name: {name}, "
        f"timezone: {('Europe/Berlin', 'Europe/Berlin', 'Asia/Qatar', 'Europe/Lisbon')[number % 4]}, "
        f"newsletters: [{'morning, markets' if number % 3 == 0 else 'morning'}]}}\n"
        for number, name in enumerate(PEOPLE)
    ]
    people.append(f"  - {{email: {MOVED}, newsletters: [morning]}}\n")
    feeds = "".join(
        f'  - {{url: "{base}/{id_}.xml", name: "{name}", topics: [{topic}], language: en, every: 1h}}\n'
        for id_, (name, topic) in PUBLISHERS.items()
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "caveat.yaml": CAVEAT_YAML.format(port=smtp_port),
        "newsletters.yaml": NEWSLETTERS,
        "feeds.yaml": f"feeds:\n{feeds}",
        "subscribers.yaml": f"subscribers:\n{''.join(people)}",
    }.items():
        (folder / name).write_text(text)


async def run_stages(app: Application) -> None:
    """Run every stage once, as a sweep does."""
    await app.gather()
    await app.condense()
    await app.compose()
    await app.deliver()
    await finish_issues(app)  # counts the mails of each day


@asynccontextmanager
async def newsroom(folder: Path) -> AsyncIterator[Newsroom]:
    """Run the days of the newsroom in the folder, and serve its pages; `vera` is its admin."""
    clock, pool = Clock(FIRST_DAY), ProcessPool(1)
    refusals = {MOVED: {"RCPT": Reply("550 5.1.1 The address has moved")}}
    async with MailServer(per_address=refusals) as mails, publishers(clock) as base:
        write_config(folder, base, mails.port)
        loaded = load_config(folder, {})
        app = await bootstrap(loaded.settings, loaded.roster, clock=clock, pool=pool)
        try:
            await app.apply_roster()
            made = await create_account(app, NAME, "admin", "vera@news.example.org")
            await SqlAccountStore(app.database).set_password(
                made.account.id, await hash_password(Secret(PASSWORD))
            )
            while clock.at < LAST_MOMENT - STEP:
                clock.at += STEP
                await run_stages(app)
            for clock.at in (LAST_MOMENT - timedelta(minutes=70), LAST_MOMENT):
                await run_stages(app)
            templates = templates_folder()
            pages = application(
                app.self_service,
                app.health,
                templates,
                archive=app.archive,
                sign_up=app.sign_up,
                admin=admin_application(app, templates, root=""),
            )
            async for url in served(pages):
                yield Newsroom(url, app, clock, mails)
        finally:
            await app.close()
            pool.shutdown(wait=False, cancel_futures=True)
