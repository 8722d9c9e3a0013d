"""The configuration folder for the command line: load it, create it, and edit its lists."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from service.core.coverage import feed_gaps
from service.core.errors import ConfigError, Fault, UsageError
from service.core.ids import feed_id
from service.core.model import Feed, Roster
from service.core.validators import fold_topics
from service.settings.config_files import CONFIG_FILES
from service.settings.load import MAIN_FILE, load_config, load_settings
from service.settings.packaged_files import config_folder, sample_folder
from service.settings.schema import json_schemas, reference_page
from service.settings.values import LoadedConfig
from service.settings.yaml import edit
from service.settings.yaml.files import read_files, replace_files

__all__ = [
    "LoadedConfig",
    "add_feed",
    "add_feeds",
    "add_subscriber",
    "change_feed",
    "create_example",
    "draft_files",
    "edit_subscriber",
    "json_schemas",
    "load",
    "load_config",
    "load_for_database",
    "load_or_example",
    "load_with",
    "read_files",
    "reference_page",
    "remove_feed",
    "remove_subscriber",
    "replace_files",
    "sample_folder",
]

NO_ROSTER = Roster((), (), ())

PRIVATE_PATTERNS = ("*.secret", "secrets", "*.local.yaml", ".*")  # never part of the example


def load(folder: Path, *, tolerant: bool = False, connections: int | None = None) -> LoadedConfig:
    """Return what the folder and the environment configure. Raises ConfigError.

    `tolerant` skips an invalid feed or subscriber with a warning; `connections` overrides the number of SMTP
    connections.
    """
    return load_config(folder, _environ(connections), tolerant=tolerant)


def load_for_database(folder: Path, *, connections: int | None = None) -> LoadedConfig:
    """Return what the folder configures; if only roster files are broken, the settings and their `faults`.

    Raises ConfigError if caveat.yaml or the environment has a fault: they name the database.
    """
    try:
        return load(folder, tolerant=True, connections=connections)
    except ConfigError as error:
        try:
            settings = load_settings(folder, _environ(connections))
        except ConfigError as unusable:
            needed = Fault(MAIN_FILE, 0, 0, f"{MAIN_FILE} names the database, so every command needs it")
            raise ConfigError([*error.faults, needed]) from unusable
        return LoadedConfig(settings, NO_ROSTER, faults=error.faults)


def _environ(connections: int | None) -> dict[str, str]:
    """Return the environment with this number of SMTP connections; None: with its own."""
    environ = dict(os.environ)
    if connections is not None:
        environ["CAVEAT_MAIL__SMTP__CONNECTIONS"] = str(connections)
    return environ


def load_with(folder: Path, files: Mapping[str, bytes], *, tolerant: bool = False) -> LoadedConfig:
    """Return what the folder would configure with `files` (content by name) in place of its own.

    Raises ConfigError, or UsageError for a name that is no config file.
    """
    for name in files:
        if name not in CONFIG_FILES:
            raise UsageError(f"{name!r} is no configuration file; known: {', '.join(CONFIG_FILES)}")
    return load_config(folder, dict(os.environ), tolerant=tolerant, replacements=files)


def draft_files(draft: Path) -> dict[str, bytes]:
    """Return the config files of a draft folder, by name; it needs only those that change.

    Raises UsageError if there is none, CaveatError if one cannot be read.
    """
    if not draft.is_dir():
        raise UsageError(f"there is no folder {draft}")
    found = read_files(draft)
    if not found:
        raise UsageError(f"{draft} has none of {', '.join(CONFIG_FILES)}")
    return found


def load_or_example(folder: Path) -> LoadedConfig:
    """Return what the folder configures; if it is missing, the example configuration."""
    return load(folder if folder.is_dir() else config_folder(), tolerant=True)


def create_example(target: Path) -> None:
    """Copy the example configuration, readable for its owner only, because it will contain passwords.

    Raises UsageError if one of its files exists in `target`.
    """
    example = config_folder()
    taken = [path.name for path in sorted(example.glob("*.yaml")) if (target / path.name).exists()]
    if taken:
        raise UsageError(f"{target} contains {', '.join(taken)} already; name another folder")
    mode = target.stat().st_mode & 0o7777 if target.exists() else 0o700
    ignored = shutil.ignore_patterns(*PRIVATE_PATTERNS)
    shutil.copytree(example, target, dirs_exist_ok=True, ignore=ignored, copy_function=shutil.copyfile)
    # copytree gives each folder the mode of its source.
    for folder in example.rglob("*/"):
        copied = target / folder.relative_to(example)
        if copied.is_dir():
            copied.chmod(0o700)
    target.chmod(mode)


def add_feed(folder: Path, url: str, values: Mapping[str, Any], *, dry_run: bool) -> tuple[str, ...]:
    """Add a feed to feeds.yaml with the non-empty ones of these values; with `dry_run` only check.

    Return sentences about what keeps newsletters from taking it. Raises UsageError if the feed is configured
    already, under any spelling of its address.
    """
    roster = load(folder).roster
    known = {feed.id: feed for feed in roster.feeds}.get(feed_id(url))
    if known is not None:
        raise UsageError(f"the feed {known.name} is configured already, with the address {known.url}")
    if not dry_run:
        add_feeds(folder, [{"url": url, **_without_empty(values)}])
    topics = fold_topics(values.get("topics") or ())
    feed = Feed(feed_id(url), url, values.get("name") or url, topics, values.get("language"))
    gaps = feed_gaps(feed, roster.newsletters) if roster.newsletters else ()
    return tuple(f"{problem}; expected {expected}" for _, problem, expected in gaps)


def add_feeds(folder: Path, entries: list[dict[str, Any]]) -> None:
    """Add entries to feeds.yaml. Raises ConfigError."""
    edit.add(folder, "feeds", entries, os.environ)


def remove_feed(folder: Path, name: str) -> None:
    """Remove a feed, by its address or name, from feeds.yaml. Raises UsageError if it is unknown."""
    edit.remove(folder, "feeds", name, os.environ)


def change_feed(folder: Path, name: str, changes: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Set keys of a feed in feeds.yaml; `changes` takes its values and returns the new ones.

    A value of None removes its key. Raises UsageError if the feed is unknown.
    """
    edit.change(folder, "feeds", name, changes, os.environ)


def add_subscriber(
    folder: Path, address: str, newsletters: list[str], schedule: str | None, values: Mapping[str, Any]
) -> None:
    """Add a subscriber to subscribers.yaml; a `schedule` replaces that of each newsletter."""
    subscriptions = [{"id": one, "schedule": schedule} if schedule else one for one in newsletters]
    entry = {"email": address, **_without_empty(values), "newsletters": subscriptions}
    edit.add(folder, "subscribers", [entry], os.environ)


def edit_subscriber(
    folder: Path,
    address: str,
    changes: Mapping[str, Any],
    preferences: Mapping[str, Any],
    newsletter: str | None,
) -> None:
    """Change values of a subscriber in subscribers.yaml, and preferences of a newsletter (None: of all).

    Raises UsageError if they are unknown, or not subscribed to the newsletter.
    """

    def changed(raw: Mapping[str, Any]) -> Mapping[str, Any]:
        if not preferences:
            return changes
        listed = [one if isinstance(one, dict) else {"id": one} for one in raw["newsletters"]]
        if newsletter and newsletter not in {one["id"] for one in listed}:
            raise UsageError(f"{address} is not subscribed to {newsletter!r} in subscribers.yaml")
        new = [_with(one, preferences) if newsletter in (None, one["id"]) else one for one in listed]
        return {**changes, "newsletters": new}

    edit.change(folder, "subscribers", address, changed, os.environ)


def _with(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with these changes; a change to None removes a value."""
    return {key: value for key, value in {**values, **changes}.items() if value is not None}


def remove_subscriber(folder: Path, address: str) -> None:
    """Remove a subscriber from subscribers.yaml. Raises UsageError if they are unknown."""
    edit.remove(folder, "subscribers", address, os.environ)


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}
