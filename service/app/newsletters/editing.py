"""Changes of newsletters.yaml by an editor: read with a hash, drafted as new bytes, and applied.

read     the file, and one newsletter of it; the hash of the bytes goes into the form
draft    the new bytes: only the characters of the changed keys differ
check    that the file still has that hash, else show both versions
apply    with the plan and the guard of `app.config`
"""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.app.newsletters.values import KeyChange, changed_values, key_changes
from service.core.errors import CaveatError, ConfigError, Fault, UnknownName
from service.settings.packaged_files import themes
from service.settings.roster_files import NewsletterEntry
from service.settings.yaml.document import YamlDocument, read_yaml
from service.settings.yaml.item_list import YamlList

if TYPE_CHECKING:
    from service.app.factories.application import Application

FILE, LIST = "newsletters.yaml", "newsletters"


@dataclass(frozen=True, slots=True)
class NewslettersFile:
    """newsletters.yaml as it was read. `hash` names these bytes; `entries` are the values of its list."""

    data: bytes
    hash: str
    entries: tuple[Mapping[str, Any], ...]

    def entry(self, newsletter_id: str) -> Mapping[str, Any] | None:
        """Return the values of a newsletter, None if the file does not have it."""
        return next((one for one in self.entries if one.get("id") == newsletter_id), None)

    def index(self, newsletter_id: str) -> int:
        """Return the place of a newsletter. Raises UnknownName."""
        ids = [str(one.get("id")) for one in self.entries]
        if newsletter_id not in ids:
            raise UnknownName("newsletter", newsletter_id, ids)
        return ids.index(newsletter_id)


@dataclass(frozen=True, slots=True)
class NewsletterDraft:
    """A change that is not saved: newsletters.yaml before and after, and the keys that differ."""

    before: bytes
    after: bytes
    changes: tuple[KeyChange, ...]

    @property
    def files(self) -> dict[str, bytes]:
        """The new content, by name of the file."""
        return {FILE: self.after}


class FileChanged(CaveatError):
    """newsletters.yaml was changed since the page was read; nothing was saved. `file` is as it is now."""

    def __init__(self, file: NewslettersFile) -> None:
        self.file = file
        super().__init__(
            "newsletters.yaml was changed by somebody else since you opened this page; nothing was saved"
        )


async def read_newsletters_file(app: Application) -> NewslettersFile:
    """Return newsletters.yaml as it is now. Raises ConfigError if it holds no list of newsletters."""
    return await asyncio.to_thread(_read, app.settings.folder)


async def theme_names(app: Application) -> tuple[str, ...]:
    """Return the names of the themes that a newsletter can have."""
    return tuple(await asyncio.to_thread(themes, app.settings.folder))


def _read(folder: Path) -> NewslettersFile:
    try:
        data = (folder / FILE).read_bytes()
    except OSError as error:
        raise CaveatError(f"{FILE} cannot be read: {error.strerror}") from error
    document = read_yaml(FILE, data)
    content = document.content if isinstance(document.content, dict) else {}
    entries = content.get(LIST)
    if document.faults or not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise ConfigError(document.faults or [_no_list(document)])
    return NewslettersFile(data, sha256(data).hexdigest(), tuple(entries))


def _no_list(document: YamlDocument) -> Fault:
    what, expected = "there is no list of newsletters", "`newsletters:` and its items"
    return document.fault_at_path((LIST,), what, expected)


def require_unchanged(file: NewslettersFile, seen_hash: str) -> None:
    """Raise FileChanged if the file is not the one with the hash of the form."""
    if file.hash != seen_hash:
        raise FileChanged(file)


def drafted_change(file: NewslettersFile, newsletter_id: str, values: Mapping[str, Any]) -> NewsletterDraft:
    """Return the change that gives a newsletter these values, which are valid. Raises UnknownName."""
    index = file.index(newsletter_id)
    before = file.entries[index]
    changes = changed_values(before, values)
    return _draft(file, lambda items: items.update(index, changes), key_changes(before, changes))


def drafted_addition(file: NewslettersFile, values: Mapping[str, Any]) -> NewsletterDraft:
    """Return the change that adds a newsletter with these values, which are valid."""
    required = {key: values[key] for key in ("id", "title", "schedule", "timezone")}
    entry = {**required, **changed_values(required, values)}
    ordered = {key: entry[key] for key in NewsletterEntry.model_fields if key in entry}
    return _draft(file, lambda items: items.append([ordered]), key_changes({}, ordered))


def drafted_removal(file: NewslettersFile, newsletter_id: str) -> NewsletterDraft:
    """Return the change that removes a newsletter. Raises UnknownName."""
    index = file.index(newsletter_id)
    return _draft(file, lambda items: items.remove(index), ())


def _draft(
    file: NewslettersFile, alter: Callable[[YamlList], str], changes: tuple[KeyChange, ...]
) -> NewsletterDraft:
    mark = codecs.BOM_UTF8 if file.data.startswith(codecs.BOM_UTF8) else b""
    items = YamlList(LIST, file.data.decode("utf-8-sig"), list(NewsletterEntry.model_fields))
    return NewsletterDraft(file.data, mark + alter(items).encode(), changes)
