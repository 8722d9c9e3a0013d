"""A story over several days: subscribers get its new points as an update, across restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.utils import format_datetime
from html import escape
from pathlib import Path

import pytest

from service.app.factories.application import open_application
from service.settings.load import load_config
from tests.end_to_end.installation import Clock

SEVEN = datetime(2026, 3, 4, 7, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

CONFIG = {
    "caveat.yaml": """
site:
  name: The Test
  url: "https://news.example.org"
  from: "The Test <digest@news.example.org>"
  postal_address: "1 Example Street"
storage: sqlite:///../caveat.db
mail: {channel: file, folder: ../outbox}
fetch: {settle: 10m}
condense: {processes: 1}
""",
    "feeds.yaml": """
feeds:
  - {url: "file:courier.xml", name: The Courier, topics: [world], language: en, every: 15m}
  - {url: "file:wire.xml", name: Northwater Wire, topics: [world], language: en, every: 15m}
""",
    "newsletters.yaml": """
newsletters:
  - {id: daily, title: The Test, schedule: "daily 08:00", timezone: UTC}
""",
    "subscribers.yaml": """
subscribers:
  - {email: amina@example.org, name: Amina, newsletters: [daily]}
""",
}

Piece = tuple[str, str]
"""A title and a text."""

FIRE = (
    "Fire destroys grain silo at Skarrow port",
    """
A fire destroyed a grain silo at the port of Skarrow early on Wednesday. It broke out at about 3:20 a.m.
in silo 6, after a dust explosion that tore off the roof. Four firefighters were taken to hospital with
burns. Nine freighters are waiting in the roads, and exports of wheat are suspended until the conveyor
belts have been checked. The owner put the loss at 11,000 tonnes of wheat. That figure is preliminary, the
company said, because nobody has been able to enter the silo so far.
""",
)
FIRE_BY_THE_WIRE = (
    "Blaze guts grain silo at Skarrow",
    """
A grain silo at the port of Skarrow was destroyed by a fire early on Wednesday. A dust explosion tore the
roof off silo 6 shortly before half past three. Nine freighters are waiting in the roads off Skarrow, and
exports of wheat are suspended until the conveyor belts have been checked, the port said.
""",
)
ARREST = (
    "Skarrow silo fire: owner arrested over dust warnings",
    """
Police arrested the owner of the grain silo at the port of Skarrow on Thursday, a day after the fire.
Inspectors had warned him twice about dust in silo 6, the prosecutor said. His lawyer denies that there
was any warning. A dust explosion had torn the roof off silo 6 early on Wednesday. Four firefighters were
taken to hospital with burns. Exports of wheat remain suspended.
""",
)
RETOLD = (
    "What happened at Skarrow: the silo fire",
    """
A fire destroyed a grain silo at the port of Skarrow early on Wednesday. At about 3:20 a.m. a dust
explosion tore the roof off silo 6. Nine freighters are waiting in the roads, and exports of wheat are
suspended until the conveyor belts have been checked.
""",
)


QUAKE = (
    "At least eight dead in Tarvia quake",
    """
An earthquake of magnitude 6.1 shook northern Tarvia early on Wednesday, killing at least eight people,
officials said. Hundreds of houses were damaged near the town of Osmet. Rescuers were searching the rubble.
""",
)
FOURTEEN = (
    "Tarvia quake: number of dead rises to 14",
    """
The earthquake in northern Tarvia killed at least 14 people, officials said on Thursday, after rescuers
reached two villages near Osmet. Hundreds of houses were damaged near the town of Osmet.
""",
)
TWELVE = (
    "Twelve bodies found after Tarvia earthquake",
    """
Twelve people are known to have died in the earthquake in northern Tarvia, the police said on Thursday.
Rescuers pulled a boy of six out of the rubble of a school near Osmet alive. The earthquake of magnitude 6.1
had shaken the region and damaged hundreds of houses early on Wednesday.
""",
)


class Feeds:
    """Two publishers, as feeds in files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.items: dict[str, list[str]] = {"courier": [], "wire": []}

    def publish(self, paper: str, piece: Piece, at: datetime) -> None:
        title, text = (escape(" ".join(part.split())) for part in piece)
        number = len(self.items[paper])
        self.items[paper].insert(
            0,
            f"<item><title>{title}</title><guid>{paper}-{number}</guid>"
            f"<link>https://{paper}.example/{number}</link><pubDate>{format_datetime(at)}</pubDate>"
            f"<description>{text}</description></item>",
        )
        for name, items in self.items.items():
            feed = f"<rss version='2.0'><channel><title>{name}</title>{''.join(items)}</channel></rss>"
            (self.folder / f"{name}.xml").write_text(feed)


class Installation:
    """An installation that each pass opens again, as commands do; time passes between them."""

    def __init__(self, folder: Path) -> None:
        self.config, self.outbox = folder / "config", folder / "outbox"
        self.config.mkdir()
        for name, text in CONFIG.items():
            (self.config / name).write_text(text)
        self.feeds = Feeds(self.config)
        self.clock = Clock(SEVEN - HOUR)
        self.read: set[Path] = set()

    async def pass_at(self, moment: datetime) -> list[str]:
        """Run all stages at that time; return the texts of the sent mails."""
        self.clock.at = moment
        loaded = load_config(self.config, {})
        async with open_application(loaded.settings, loaded.roster, clock=self.clock) as app:
            await app.apply_roster()
            await app.gather(force=True)
            await app.condense()
            made = await app.compose()
            assert made.problems == ()
            await app.deliver()
        new = sorted(set(self.outbox.glob("*.eml")) - self.read)
        self.read |= set(new)
        return [_text(path) for path in new]

    async def stories(self) -> set[str]:
        """Return the ids of the stories in the database."""
        loaded = load_config(self.config, {})
        async with open_application(loaded.settings, loaded.roster, clock=self.clock) as app:
            rows = await app.composer.story_assigner.store.articles_between(0, 99, 99)  # type: ignore[union-attr]
        return {story for _, story in rows if story}


def _text(path: Path) -> str:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",)).get_content()
    return f"{message['Subject']}\n{body}"


@pytest.fixture
async def installation(tmp_path: Path) -> Installation:
    installation = Installation(tmp_path)
    installation.feeds.publish("courier", FIRE, SEVEN - HOUR)
    installation.feeds.publish("wire", FIRE_BY_THE_WIRE, SEVEN - HOUR / 2)
    await installation.pass_at(SEVEN)
    return installation


def words(text: str) -> str:
    return " ".join(text.split())


async def test_the_second_day_has_the_new_points_marked_as_an_update(installation: Installation):
    [first] = await installation.pass_at(SEVEN + HOUR)
    assert words(first).count("tore") == 1
    assert "1 story" in words(first)

    installation.feeds.publish("courier", ARREST, SEVEN + DAY - HOUR)
    await installation.pass_at(SEVEN + DAY)
    [second] = await installation.pass_at(SEVEN + DAY + HOUR)
    assert second.startswith("Update: Skarrow silo fire: owner arrested")
    assert "Police arrested the owner" in words(second)
    assert "torn the roof off" not in words(second)
    assert "Four firefighters" not in words(second)
    assert len(await installation.stories()) == 1


async def test_an_article_without_new_points_makes_no_mail(installation: Installation):
    await installation.pass_at(SEVEN + HOUR)
    installation.feeds.publish("wire", RETOLD, SEVEN + DAY - HOUR)
    await installation.pass_at(SEVEN + DAY)
    assert await installation.pass_at(SEVEN + DAY + HOUR) == []
    assert len(await installation.stories()) == 1


async def test_the_third_day_repeats_nothing_of_the_second(installation: Installation):
    await installation.pass_at(SEVEN + HOUR)
    installation.feeds.publish("courier", ARREST, SEVEN + DAY - HOUR)
    await installation.pass_at(SEVEN + DAY)
    await installation.pass_at(SEVEN + DAY + HOUR)
    installation.feeds.publish("wire", ARREST, SEVEN + DAY + 5 * HOUR)
    installation.feeds.publish("wire", RETOLD, SEVEN + 2 * DAY - HOUR)
    await installation.pass_at(SEVEN + 2 * DAY)
    assert await installation.pass_at(SEVEN + 2 * DAY + HOUR) == []


async def test_a_risen_number_is_an_update_and_differing_publishers_are_both_shown(tmp_path: Path):
    installation = Installation(tmp_path)
    installation.feeds.publish("courier", QUAKE, SEVEN - HOUR)
    await installation.pass_at(SEVEN)
    [first] = await installation.pass_at(SEVEN + HOUR)
    assert not first.startswith("Update")

    installation.feeds.publish("courier", FOURTEEN, SEVEN + DAY - HOUR)
    installation.feeds.publish("wire", TWELVE, SEVEN + DAY - HOUR / 2)
    await installation.pass_at(SEVEN + DAY)
    [second] = await installation.pass_at(SEVEN + DAY + HOUR)
    assert second.startswith("Update: ")
    assert "killed at least 14 people" in words(second)
    assert "Twelve people are known to have died" in words(second)
    assert "Hundreds of houses" not in words(second)
