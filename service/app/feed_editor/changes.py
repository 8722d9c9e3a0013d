"""Changes of feeds.yaml by an editor; comments stay, and the running service loads the file by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.app.config.saved import saved_config
from service.app.factories import config_folder
from service.core.coverage import feed_gaps
from service.core.errors import CaveatError, ConfigError, UsageError
from service.core.ids import feed_id
from service.core.model import Feed, Newsletter
from service.settings.yaml.document import read_yaml

if TYPE_CHECKING:
    from service.app.factories.application import Application

FILE = "feeds.yaml"


@dataclass(frozen=True, slots=True)
class WrittenFeed:
    """A feed of feeds.yaml as it is written there. `hash` names these values."""

    id: str
    values: Mapping[str, Any]

    @property
    def hash(self) -> str:
        """The hash of the values, for a form that is made from them."""
        return sha256(json.dumps(self.values, sort_keys=True, default=str).encode()).hexdigest()[:16]


async def configured_feeds(app: Application) -> tuple[Feed, ...]:
    """Return the feeds of feeds.yaml as saved; while the files are broken, those in force."""
    saved = await saved_config(app)
    return saved.loaded.roster.feeds if saved.loaded else app.roster.feeds


async def configured_feed(app: Application, wanted: str) -> Feed | None:
    """Return the configured feed with this id, or None."""
    return next((one for one in await configured_feeds(app) if one.id == wanted), None)


async def feed_item(app: Application, feed: Feed) -> WrittenFeed:
    """Return the item of the file. Raises ConfigError for a broken file, UsageError for none."""
    return await asyncio.to_thread(_read, app.settings.folder, feed)


def _read(folder: Path, feed: Feed) -> WrittenFeed:
    try:
        document = read_yaml(FILE, (folder / FILE).read_bytes())
    except OSError as error:
        raise CaveatError(f"{FILE} cannot be read: {error.strerror}") from error
    if document.faults:
        raise ConfigError(document.faults)
    content = document.content if isinstance(document.content, dict) else {}
    items = content.get("feeds")
    for one in items if isinstance(items, list) else ():
        if isinstance(one, dict) and feed_id(str(one.get("url", ""))) == feed.id:
            return WrittenFeed(feed.id, one)
    raise UsageError(f"the feed {feed.name} is not in {FILE} any more")


async def change_feed(app: Application, item: WrittenFeed, changes: Mapping[str, Any]) -> None:
    """Set keys of a feed; a value of None removes the key.

    Raises ConfigError, and changes nothing, if the folder would not load with it, and UsageError if somebody
    else changed the feed since `item` was read.
    """

    def checked(values: Mapping[str, Any]) -> Mapping[str, Any]:
        if WrittenFeed(item.id, values).hash != item.hash:
            raise UsageError("somebody else changed this feed since you opened the page; nothing was saved")
        return changes

    url = str(item.values["url"])
    await asyncio.to_thread(config_folder.change_feed, app.settings.folder, url, checked)


async def add_feeds(app: Application, entries: Sequence[Mapping[str, Any]]) -> None:
    """Add feeds to feeds.yaml. Raises ConfigError, and changes nothing, if the folder would not load."""
    await asyncio.to_thread(config_folder.add_feeds, app.settings.folder, [dict(one) for one in entries])


async def remove_feed(app: Application, feed: Feed) -> None:
    """Remove a feed from feeds.yaml; its articles stay in the database."""
    await asyncio.to_thread(config_folder.remove_feed, app.settings.folder, feed.url)


def takers(feed: Feed, newsletters: Sequence[Newsletter]) -> tuple[Newsletter, ...]:
    """Return the newsletters that take articles of the feed by its topics."""
    topics = {*feed.possible_topics}
    return tuple(one for one in newsletters if not one.topics or topics & {*one.topics})


def gaps_of(feed: Feed, newsletters: Sequence[Newsletter]) -> tuple[str, ...]:
    """Return sentences about what keeps newsletters from taking the feed."""
    if not newsletters:
        return ()
    return tuple(
        f"{problem[:1].upper()}{problem[1:]}; expected {expected}."
        for _, problem, expected in feed_gaps(feed, newsletters)
    )


def left_without_feed(
    feed: Feed, feeds: Sequence[Feed], newsletters: Sequence[Newsletter]
) -> tuple[Newsletter, ...]:
    """Return the newsletters that would have no feed without this one."""
    others = [one for one in feeds if one.id != feed.id and not one.muted]
    return tuple(
        one for one in takers(feed, newsletters) if not any(takers(other, (one,)) for other in others)
    )
