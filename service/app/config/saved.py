"""Saved configuration: the config folder as it is on the disk, compared with what is in force."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from service.app.factories import config_folder
from service.core.errors import ConfigError, Fault
from service.core.model import Newsletter
from service.settings.config_files import CONFIG_FILES
from service.settings.values import LoadedConfig, Settings

if TYPE_CHECKING:
    from service.app.factories.application import Application

Signature = tuple[tuple[str, int, int, int], ...]
"""Name, time of the last change, size and inode of each file."""


@dataclass(frozen=True, slots=True)
class SavedConfig:
    """The files as saved. `loaded` is None while they have `faults`; `last_valid` is what was read before."""

    loaded: LoadedConfig | None
    faults: tuple[Fault, ...] = ()
    last_valid: LoadedConfig | None = None

    @property
    def newsletters(self) -> Mapping[str, Newsletter]:
        """The newsletters by id, as saved."""
        return {one.id: one for one in self.loaded.roster.newsletters} if self.loaded else {}


_read: dict[Path, tuple[Signature, SavedConfig]] = {}
"""The last result for each folder: reading 10,000 subscribers takes a second."""


async def saved_config(app: Application) -> SavedConfig:
    """Return the configuration of the folder as the service reads it; files are read when they change."""
    folder = app.settings.folder
    signature = await asyncio.to_thread(_signature, folder)
    known = _read.get(folder)
    if known is not None and known[0] == signature:
        return known[1]
    found = await asyncio.to_thread(_load, folder, known[1].last_valid if known else None)
    _read[folder] = (signature, found)
    return found


def is_in_force(app: Application, saved: SavedConfig) -> bool:
    """Return whether the running service uses the saved files; what needs a restart does not count."""
    if saved.loaded is None:
        return False
    return (_watched(saved.loaded.settings), saved.loaded.roster) == (_watched(app.settings), app.roster)


def _watched(settings: Settings) -> tuple[object, ...]:
    """Return what a running service takes over from its files, without what its command line can override."""
    mail = replace(settings.mail, smtp=replace(settings.mail.smtp, connections=1))
    return settings.site, mail, settings.fetch, settings.condense


def _load(folder: Path, last_valid: LoadedConfig | None) -> SavedConfig:
    try:
        loaded = config_folder.load(folder, tolerant=True)
    except ConfigError as error:
        return SavedConfig(None, error.faults, last_valid)
    return SavedConfig(loaded, last_valid=loaded)


def _signature(folder: Path) -> Signature:
    """Return what changes with the files, with the files beside them, and with the operator's themes."""
    found = []
    for name in (*CONFIG_FILES, ".", "templates/digest"):
        try:
            state = (folder / name).stat()
        except OSError:
            continue
        found.append((name, state.st_mtime_ns, state.st_size, state.st_ino))
    return tuple(found)
