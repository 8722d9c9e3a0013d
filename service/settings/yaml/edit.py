"""Edit (EDGE config/): add, change and remove list items; every other byte of the file stays.

lock     the folder, so that two edits do not undo one another
alter    the lines of the item; comments stay
check    that the folder loads with the new text, else refuse
write    a temporary file, sync it to the disk, rename it over the old one
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from service.core import ids as identity
from service.core.errors import UsageError
from service.settings.config_files import CONFIG_FILES
from service.settings.errors import block_at, keys_of
from service.settings.load import load_config
from service.settings.values import LoadedConfig
from service.settings.yaml.files import locked, write
from service.settings.yaml.item_list import YamlList

ItemValues = Mapping[str, Any]
Environ = Mapping[str, str]


def _feed_names(raw: ItemValues) -> set[str]:
    url, name = str(raw.get("url", "")), str(raw.get("name", ""))
    return {identity.feed_id(url), url, name.casefold()} - {""}


ITEM_NAMES: dict[str, tuple[str, Callable[[ItemValues], set[str]], Callable[[str], set[str]]]] = {
    "feeds": ("feed", _feed_names, lambda name: {name, name.casefold(), identity.feed_id(name)}),
    "newsletters": ("newsletter", lambda raw: {str(raw.get("id", ""))}, lambda name: {name}),
    "subscribers": (
        "subscriber",
        lambda raw: {identity.subscriber_id(str(raw.get("email", "")))},
        lambda name: {identity.subscriber_id(name)},
    ),
}
"""List name -> noun for an item, names of an item, and names to look up for a user's spelling."""


def add(folder: Path, list_name: str, items: Sequence[ItemValues], environ: Environ) -> LoadedConfig:
    """Add items at the end of a list (feeds, newsletters or subscribers); return the new configuration.

    Raises ConfigError, and changes nothing, when the folder would not load.
    """
    return _edited(folder, list_name, environ, lambda edited: edited.append(items))


def remove(folder: Path, list_name: str, name: str, environ: Environ) -> LoadedConfig:
    """Remove the item with this name: a feed's address or name, an email address or a newsletter's id.

    Raises UsageError when there is none, ConfigError when the folder would not load without it.
    """
    return _edited(folder, list_name, environ, removing(list_name, name))


def update(folder: Path, list_name: str, name: str, changes: ItemValues, environ: Environ) -> LoadedConfig:
    """Set keys of the item with this name; a value of None removes the key.

    Raises UsageError when there is no such item, ConfigError when the folder would not load with it.
    """
    return change(folder, list_name, name, lambda _values: changes, environ)


def change(
    folder: Path, list_name: str, name: str, changes: Callable[[ItemValues], ItemValues], environ: Environ
) -> LoadedConfig:
    """Set keys of an item as `update` does; `changes` takes the item's values and returns the new ones."""
    return _edited(folder, list_name, environ, changing(list_name, name, changes))


Alteration = Callable[[YamlList], str]
"""An edit of a list: returns the new text of its file. `changing`, `removing`, YamlList.append."""


def drafted(content: bytes, list_name: str, alter: Alteration) -> bytes:
    """Return the content of a list's file after an edit; nothing is written, and nothing is checked.

    Raises UsageError when the item of the edit does not exist.
    """
    mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    items = YamlList(list_name, content.decode("utf-8-sig"), _keys(list_name))
    return mark + alter(items).encode()


def changing(list_name: str, name: str, changes: Callable[[ItemValues], ItemValues]) -> Alteration:
    """Return the edit that sets keys of the item with this name, as `change` does."""

    def alter(items: YamlList) -> str:
        index = _index(items, list_name, name)
        return items.update(index, changes(items.values[index]))

    return alter


def removing(list_name: str, name: str) -> Alteration:
    """Return the edit that removes the item with this name, as `remove` does."""
    return lambda items: items.remove(_index(items, list_name, name))


def _edited(folder: Path, kind: str, environ: Environ, alter: Alteration) -> LoadedConfig:
    file = f"{kind}.yaml"
    if file not in CONFIG_FILES or kind not in ITEM_NAMES:
        raise UsageError(f"there is no list of {kind} to edit")
    # A symbolic link stays; the file that it points to is changed.
    path = (folder.expanduser().absolute() / file).resolve()
    with locked(path.parent):
        # Refuse a folder that does not load, even if the edit would remove the fault.
        load_config(folder, environ)
        before = path.read_bytes()
        after = drafted(before, kind, alter)
        loaded = load_config(folder, environ, replacements={file: after})
        if after != before:
            write(path, after)
    return loaded


def _keys(kind: str) -> Sequence[str]:
    """Return the keys of an item of a list, in the order of their model."""
    block = block_at(CONFIG_FILES[f"{kind}.yaml"], (kind,))
    return list(keys_of(block)) if block else ()


def _index(items: YamlList, kind: str, name: str) -> int:
    noun, names_of, spellings = ITEM_NAMES[kind]
    for index, raw in enumerate(items.values):
        if isinstance(raw, dict) and names_of(raw) & spellings(name.strip()):
            return index
    keys = ("email", "id", "name", "url")
    known = [str(raw[key]) for raw in items.values if isinstance(raw, dict) for key in keys if key in raw]
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(f"there is no {noun} {name!r} in {kind}.yaml.{hint}")
