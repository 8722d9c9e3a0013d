"""Edit (EDGE config/): add, change and remove list items; every other byte of the file stays.

lock     the folder, so that two edits do not undo one another
alter    the lines of the item; comments stay
check    that the folder loads with the new text, else refuse
write    a temporary file, sync it to the disk, rename it over the old one
"""

from __future__ import annotations

import codecs
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from service.core import ids as identity
from service.core.errors import CaveatError, UsageError
from service.settings.config_files import CONFIG_FILES
from service.settings.errors import block_at, keys_of
from service.settings.load import load_config
from service.settings.values import LoadedConfig
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
    return _edited(folder, list_name, environ, lambda items: items.remove(_index(items, list_name, name)))


def update(folder: Path, list_name: str, name: str, changes: ItemValues, environ: Environ) -> LoadedConfig:
    """Set keys of the item with this name; a value of None removes the key.

    Raises UsageError when there is no such item, ConfigError when the folder would not load with it.
    """
    return change(folder, list_name, name, lambda _values: changes, environ)


def change(
    folder: Path, list_name: str, name: str, changes: Callable[[ItemValues], ItemValues], environ: Environ
) -> LoadedConfig:
    """Set keys of an item as `update` does; `changes` takes the item's values and returns the new ones."""

    def alter(items: YamlList) -> str:
        index = _index(items, list_name, name)
        return items.update(index, changes(items.values[index]))

    return _edited(folder, list_name, environ, alter)


def _edited(folder: Path, kind: str, environ: Environ, alter: Callable[[YamlList], str]) -> LoadedConfig:
    file = f"{kind}.yaml"
    if file not in CONFIG_FILES or kind not in ITEM_NAMES:
        raise UsageError(f"there is no list of {kind} to edit")
    # A symbolic link stays; the file that it points to is changed.
    path = (folder.expanduser().absolute() / file).resolve()
    with _locked(path.parent):
        # Refuse a folder that does not load, even if the edit would remove the fault.
        load_config(folder, environ)
        before = path.read_bytes()
        mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
        after = mark + alter(YamlList(kind, before.decode("utf-8-sig"), _keys(kind))).encode()
        loaded = load_config(folder, environ, replacements={file: after})
        if after != before:
            _write(path, after)
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


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise CaveatError(f"{folder} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, data: bytes) -> None:
    """Replace the file atomically: after a crash it holds the old bytes or the new ones (POSIX rename)."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise CaveatError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            before = path.stat()
            os.fchmod(file.fileno(), before.st_mode & 0o7777)
            with suppress(PermissionError):
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise CaveatError(f"{path} cannot be written: {error.strerror}") from error
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
