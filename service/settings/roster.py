"""Roster reader: feeds, newsletters and subscribers, each validated by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from service.core import ids as identity
from service.core.coverage import coverage_gaps
from service.core.errors import Fault
from service.core.model import Feed, Newsletter, Preferences, Roster, RosterEntry, Subscriber
from service.core.secret import Secret
from service.core.spellings.names import ABBREVIATED_ZONES
from service.core.validators import fold_topic
from service.settings.cache.subscribers import ReadSubscribers, SubscriberCache
from service.settings.config_files import CONFIG_FILES
from service.settings.errors import faults_from
from service.settings.field_types import ConfigBlock, did_you_mean
from service.settings.packaged_files import themes
from service.settings.roster_files import FeedEntry, NewsletterEntry, SubscriberEntry, SubscriptionEntry
from service.settings.yaml.document import KeyPath as Keys
from service.settings.yaml.document import YamlDocument

Entry = TypeVar("Entry", bound=ConfigBlock)

SUBSCRIBERS = "subscribers.yaml"
MONTHLY_MAX_AGE = timedelta(days=62)  # twice the longest month


@dataclass(slots=True)
class _Item(Generic[Entry]):
    """An item of a list. `entry` is None when `raw`, the value from YAML, is invalid."""

    keys: Keys
    raw: Any
    entry: Entry | None
    faults: list[Fault] = field(default_factory=list)


class RosterReader:
    """Reads the three roster files. `tolerant` skips a feed or subscriber with a fault, with a warning."""

    def __init__(
        self,
        folder: Path,
        documents: Mapping[str, YamlDocument],
        *,
        tolerant: bool,
        cache: SubscriberCache,
    ) -> None:
        self._folder, self._written, self._tolerant, self._cache = folder, documents, tolerant, cache
        # None while the file that declares them is unread: references are then not checked.
        self._topics: set[str] | None = None
        self._known_newsletters: set[str] | None = None
        self._good_feeds: Sequence[tuple[_Item[FeedEntry], FeedEntry]] = ()
        self._newsletter_places: Sequence[Keys] = ()
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []

    def read(self) -> Roster:
        """Return the roster. It is incomplete if `faults` is not empty."""
        feeds = self._feeds()
        topics = {topic for feed in feeds for topic in feed.possible_topics}
        self._topics = None if self._written["feeds.yaml"].is_unreadable else topics
        newsletters = self._newsletters()
        feeds = tuple(_with_default_max_age(feed, newsletters) for feed in feeds)
        self._warn_of_gaps(feeds, newsletters)
        subscribers, unread = self._subscribers()
        return Roster(feeds, newsletters, subscribers, unread)

    # --- feeds -----------------------------------------------------------------------------

    def _feeds(self) -> tuple[Feed, ...]:
        items = self._items("feeds.yaml", "feeds", FeedEntry)
        self._refuse_duplicates(items, "url", lambda entry: identity.feed_id(entry.url))
        for item in items:
            if item.entry and item.entry.url.startswith("file:"):
                self._check_file(item, item.entry.url.removeprefix("file:"))
        good = self._good(items, "url", "the feed")
        if not good and not self.faults:
            self._warn("feeds.yaml", ("feeds",), "there are no feeds: nothing will be gathered", "a feed")
        self._good_feeds = good
        return tuple(_feed(entry) for _, entry in good)

    def _warn_of_gaps(self, feeds: Sequence[Feed], newsletters: Sequence[Newsletter]) -> None:
        """Add a warning for each feed and newsletter that does less than it says."""
        places = {
            "feeds": [item.keys for item, _ in self._good_feeds],
            "newsletters": self._newsletter_places,
        }
        for gap in coverage_gaps(feeds, newsletters):
            keys = (*places[gap.kind][gap.index], *filter(None, [gap.key]))
            self._warn(f"{gap.kind}.yaml", keys, gap.problem, gap.expected)

    def _check_file(self, item: _Item[FeedEntry], name: str) -> None:
        folder = self._folder.resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            what = f"the file {name!r} is outside of this folder"
            item.faults.append(self._at("feeds.yaml", (*item.keys, "url"), what, f"a file in {folder}"))
        elif not path.is_file():
            self._warn("feeds.yaml", (*item.keys, "url"), f"there is no file {name!r} yet", f"it in {folder}")

    # --- newsletters -----------------------------------------------------------------------

    def _newsletters(self) -> tuple[Newsletter, ...]:
        items = self._items("newsletters.yaml", "newsletters", NewsletterEntry)
        if not self._written["newsletters.yaml"].is_unreadable:
            ids = [item.raw.get("id") for item in items if isinstance(item.raw, dict)]
            self._known_newsletters = {name for name in ids if isinstance(name, str)}
            self._check_sign_up(self._known_newsletters)
        self._refuse_duplicates(items, "id", lambda entry: entry.id.casefold())
        for item in items:
            if item.entry:
                self._check_theme(item, item.entry.theme)
            self.faults += item.faults
            self._warn_of_topics("newsletters.yaml", item.keys, item.entry)
            self._warn_of_zone("newsletters.yaml", item.keys, item.entry)
        good = [(item.keys, item.entry) for item in items if item.entry and not item.faults]
        self._newsletter_places = [keys for keys, _ in good]
        if not good and not self.faults:
            what = "there are no newsletters: nothing will be sent"
            self._warn("newsletters.yaml", ("newsletters",), what, "a newsletter")
        return tuple(_newsletter(entry) for _, entry in good)

    def _check_sign_up(self, newsletters: set[str]) -> None:
        """Add a fault for each unknown newsletter in `web.sign_up` of caveat.yaml."""
        main = self._written["caveat.yaml"]
        web = main.content.get("web") if isinstance(main.content, dict) else None
        offered = web.get("sign_up") if isinstance(web, dict) else None
        for number, name in enumerate(offered if isinstance(offered, list) else ()):
            if isinstance(name, str) and name not in newsletters:
                what = f"there is no newsletter {name!r}{did_you_mean(name, newsletters)}"
                keys = ("web", "sign_up", number)
                self.faults.append(self._at("caveat.yaml", keys, what, "one of newsletters.yaml"))

    def _check_theme(self, item: _Item[NewsletterEntry], theme: str) -> None:
        known = themes(self._folder)
        if theme not in known:
            what = f"there is no theme {theme!r}{did_you_mean(theme, known)}"
            item.faults.append(
                self._at("newsletters.yaml", (*item.keys, "theme"), what, f"one of {', '.join(known)}")
            )

    # --- subscribers -----------------------------------------------------------------------

    def _subscribers(self) -> tuple[Sequence[RosterEntry], tuple[str, ...]]:
        """Return the valid subscribers, and the ids of the skipped ones."""
        names = [None if one is None else sorted(one) for one in (self._known_newsletters, self._topics)]
        # Without a skipped subscriber, a tolerant reading and a strict one find the same.
        found = self._cache.get((*names, False), _cached_item)
        if found is None and self._tolerant:
            found = self._cache.get((*names, True), _cached_item)
        if found is None:
            faults, warnings = len(self.faults), len(self.warnings)
            entries, skipped = self._read_subscribers()
            found = ReadSubscribers(entries, skipped, tuple(self.warnings[warnings:]))
            del self.warnings[warnings:]
            document = self._written[SUBSCRIBERS]
            if len(self.faults) == faults and not document.faults:
                self._cache.put((*names, bool(skipped)), found, document)
        self.warnings += found.warnings
        return found.entries, found.skipped

    def _read_subscribers(self) -> tuple[tuple[RosterEntry, ...], tuple[str, ...]]:
        items = self._items(SUBSCRIBERS, "subscribers", SubscriberEntry)
        self._refuse_duplicates(items, "email", lambda entry: identity.subscriber_id(entry.email))
        for item in items:
            if item.entry:
                self._check_subscriptions(item, item.entry.newsletters)
        good = self._good(items, "email", "the subscriber", "who stays as they were")
        for item, entry in good:
            self._warn_of_zone(SUBSCRIBERS, item.keys, entry)
            for number, subscription in enumerate(entry.newsletters):
                keys = (*item.keys, "newsletters", number)
                self._warn_of_zone(SUBSCRIBERS, keys, subscription)
                self._warn_of_topics(SUBSCRIBERS, keys, subscription)
        entries = tuple(_roster_entry(entry) for _, entry in good)
        addresses = [item.raw.get("email") for item in items if item.faults and isinstance(item.raw, dict)]
        skipped = {identity.subscriber_id(address) for address in addresses if isinstance(address, str)}
        return entries, tuple(sorted(skipped - {entry.subscriber.id for entry in entries}))

    def _check_subscriptions(
        self, item: _Item[SubscriberEntry], subscriptions: Sequence[SubscriptionEntry]
    ) -> None:
        known, seen = self._known_newsletters, set[str]()
        for number, subscription in enumerate(subscriptions):
            keys, name = (*item.keys, "newsletters", number, "id"), subscription.id
            if name in seen:
                what = f"the newsletter {name!r} is listed twice"
                item.faults.append(self._at("subscribers.yaml", keys, what, "it once"))
            elif known is not None and name not in known:
                what = f"there is no newsletter {name!r}{did_you_mean(name, known)}"
                expected = f"one of {', '.join(sorted(known))}" if known else "one in newsletters.yaml"
                item.faults.append(self._at("subscribers.yaml", keys, what, expected))
            seen.add(name)

    # --- all three -------------------------------------------------------------------------

    def _items(self, file: str, key: str, model: type[Entry]) -> list[_Item[Entry]]:
        """Return the items of a file's list `key`, each validated by itself."""
        written = self._written[file]
        if written.is_unreadable:
            return []
        content = written.content if written.content is not None else {}
        if not isinstance(content, dict) or not isinstance(content.get(key), list) or len(content) > 1:
            try:
                CONFIG_FILES[file].model_validate(
                    content if not isinstance(content, dict) else _outline(content, key)
                )
            except ValidationError as error:
                self.faults += faults_from(error, CONFIG_FILES[file], written, ())
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            return []
        return [self._item(written, (key, number), raw, model) for number, raw in enumerate(content[key])]

    def _item(self, written: YamlDocument, keys: Keys, raw: object, model: type[Entry]) -> _Item[Entry]:
        try:
            return _Item(keys, raw, model.model_validate(raw))
        except ValidationError as error:
            return _Item(keys, raw, None, faults_from(error, model, written, keys))

    def _refuse_duplicates(
        self, items: Sequence[_Item[Entry]], key: str, identify: Callable[[Entry], str]
    ) -> None:
        file, first = f"{items[0].keys[0]}.yaml" if items else "", dict[str, _Item[Entry]]()
        for item in items:
            if item.entry is None:
                continue
            earlier = first.setdefault(identify(item.entry), item)
            if earlier is not item:
                line = self._at(file, (*earlier.keys, key), "").line
                what = f"{getattr(item.entry, key)!r} is listed twice, first in line {line}"
                item.faults.append(self._at(file, (*item.keys, key), what, "it once"))

    def _good(
        self, items: Sequence[_Item[Entry]], key: str, noun: str, consequence: str = ""
    ) -> list[tuple[_Item[Entry], Entry]]:
        """Return the items without faults; collect the faults of the others, as warnings if tolerant."""
        for item in items:
            name = item.raw.get(key) if isinstance(item.raw, dict) else None
            label = f"{noun} {name if isinstance(name, str) else f'number {int(item.keys[-1]) + 1}'}"
            for fault in item.faults:
                if not self._tolerant:
                    self.faults.append(fault)
                    continue
                what = f"{label} is skipped{', ' + consequence if consequence else ''}: {fault.message}"
                self.warnings.append(Fault(fault.file, fault.line, fault.column, what, fault.expected))
        return [(item, item.entry) for item in items if item.entry and not item.faults]

    def _warn_of_topics(self, file: str, keys: Keys, entry: ConfigBlock | None) -> None:
        wanted: Iterable[str] = getattr(entry, "topics", None) or ()
        known = self._topics
        for number, topic in enumerate(wanted):
            if known is not None and topic not in known:
                what = f"no feed has the topic {topic!r}{did_you_mean(topic, known)}"
                expected = f"one of {', '.join(sorted(known))}" if known else "a topic that a feed has"
                self._warn(file, (*keys, "topics", number), what, expected)

    def _warn_of_zone(self, file: str, keys: Keys, entry: ConfigBlock | None) -> None:
        """Warn of an abbreviation that is a zone of old programs: EST has no summer time."""
        zone = getattr(entry, "timezone", None)
        if zone in ABBREVIATED_ZONES:
            what = f"{zone!r} is an abbreviation, which follows no place and its summer time"
            self._warn(file, (*keys, "timezone"), what, ABBREVIATED_ZONES[zone])

    def _warn(self, file: str, keys: Keys, what: str, expected: str) -> None:
        self.warnings.append(self._at(file, keys, what, expected))

    def _at(self, file: str, keys: Keys, what: str, expected: str = "") -> Fault:
        return self._written[file].fault_at_path(keys, what, expected)


def _outline(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the content with an empty list, to validate the keys around the items."""
    return {**content, key: []} if isinstance(content.get(key), list) else dict(content)


def _feed(entry: FeedEntry) -> Feed:
    host = (urlsplit(entry.url).hostname or entry.url.removeprefix("file:")).removeprefix("www.")
    return Feed(
        id=identity.feed_id(entry.url),
        url=entry.url,
        name=entry.name or host,
        topics=tuple(dict.fromkeys(entry.topics)),
        language=entry.language,
        method=entry.method,
        full_text=entry.full_text,
        poll_interval=entry.every,
        first_entries=entry.first_items,
        max_age=entry.max_age,
        weight=entry.weight,
        categories=tuple((fold_topic(name), topic) for name, topic in entry.categories.items()),
        muted=entry.muted,
    )


def _with_default_max_age(feed: Feed, newsletters: Sequence[Newsletter]) -> Feed:
    """Return the feed with twice the longest time between two issues that take its articles."""
    taken = [
        one.schedule for one in newsletters if not one.topics or set(one.topics) & set(feed.possible_topics)
    ]
    monthly = any(schedule.startswith("monthly") for schedule in taken)
    return replace(feed, default_max_age=MONTHLY_MAX_AGE) if monthly else feed


def _newsletter(entry: NewsletterEntry) -> Newsletter:
    return Newsletter(**_tuples(entry.model_dump()))


def _roster_entry(entry: SubscriberEntry) -> RosterEntry:
    chosen = entry.channel.model_dump(exclude_none=True) if entry.channel else {}
    channel, address = next(iter(chosen.items()), (None, ""))
    person = identity.subscriber_id(entry.email)
    return RosterEntry(
        Subscriber(person, entry.email, entry.name, entry.timezone, channel),
        tuple((subscription.id, _preferences(subscription)) for subscription in entry.newsletters),
        Secret(address),
    )


def _cached_item(raw: object) -> RosterEntry:
    """Return a subscriber who was valid when the cache was written. Raises ValidationError, a ValueError."""
    return _roster_entry(SubscriberEntry.model_validate(raw))


def _preferences(subscription: SubscriptionEntry) -> Preferences:
    return Preferences(**_tuples(subscription.model_dump(exclude={"id"})))


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with each list as a tuple of its different items."""
    return {k: tuple(dict.fromkeys(v)) if isinstance(v, list) else v for k, v in values.items()}
