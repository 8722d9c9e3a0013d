"""Edit (EDGE config/): add, change and take out list items, and leave every other byte of the file alone.

lock     the folder, so that two edits do not undo one another
alter    the lines of the one item; comments stay where they are
check    that the folder would load with the new text, else refuse
write    beside the file, to the disk, then in its place
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
"""For each list: what an item is called, the names that it goes by, and how a person may name it."""


def add(folder: Path, list_name: str, items: Sequence[ItemValues], environ: Environ) -> LoadedConfig:
    """Add items at the end of the list `kind` (feeds, newsletters or subscribers).

    Return what the folder says now. Raises ConfigError, and changes nothing, when it would not load.
    """
    return _edited(folder, list_name, environ, lambda edited: edited.append(items))


def remove(folder: Path, list_name: str, name: str, environ: Environ) -> LoadedConfig:
    """Take the item out that goes by this name: a feed's address or name, an email address, an id.

    Raises UsageError when there is none, ConfigError when the folder would not load without it.
    """
    return _edited(folder, list_name, environ, lambda items: items.remove(_index(items, list_name, name)))


def update(folder: Path, list_name: str, name: str, changes: ItemValues, environ: Environ) -> LoadedConfig:
    """Set keys of the item that goes by this name; a value of None takes the key out.

    Raises UsageError when there is no such item, ConfigError when the folder would not load with it.
    """
    return _edited(
        folder, list_name, environ, lambda items: items.update(_index(items, list_name, name), changes)
    )


def _edited(folder: Path, kind: str, environ: Environ, alter: Callable[[YamlList], str]) -> LoadedConfig:
    file = f"{kind}.yaml"
    if file not in CONFIG_FILES or kind not in ITEM_NAMES:
        raise UsageError(f"there is no list of {kind} to edit")
    # A file that another folder lends us (a link) is changed where it lies.
    path = (folder.expanduser().absolute() / file).resolve()
    with _locked(path.parent):
        # Without this, a broken file would be mended or refused by what the edit happens to touch.
        load_config(folder, environ)
        before = path.read_bytes()
        mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
        after = mark + alter(YamlList(kind, before.decode("utf-8-sig"))).encode()
        loaded = load_config(folder, environ, replacements={file: after})
        if after != before:
            _write(path, after)
    return loaded


def _index(items: YamlList, kind: str, name: str) -> int:
    noun, names_of, wanted = ITEM_NAMES[kind]
    for index, raw in enumerate(items.values):
        if isinstance(raw, dict) and names_of(raw) & wanted(name.strip()):
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
    """Replace the file as a whole: after a crash it holds the old bytes or the new ones (POSIX rename)."""
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
