"""Load (EDGE config/ and the environment): a folder of YAML files -> Settings and Roster, or all faults.

read       the four files, as plain values with their positions
override   keys of caveat.yaml by environment variables
check      each value by itself, then values that depend on one another
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from service.core.errors import ConfigError, Fault
from service.settings.build import SettingsBuilder
from service.settings.cache.subscribers import SubscriberCache, cache_folder
from service.settings.config_files import CONFIG_FILES
from service.settings.environment import apply_environment
from service.settings.errors import faults_from
from service.settings.main_file import MainConfig
from service.settings.roster import RosterReader
from service.settings.secret_files import SecretReader
from service.settings.show import effective_settings
from service.settings.storage_url import sqlite_file
from service.settings.values import LoadedConfig, Settings
from service.settings.yaml.document import YamlDocument, read_yaml

MAX_FILE_BYTES = 64 * 1024 * 1024
MAIN_FILE = "caveat.yaml"


def load_config(
    folder: Path,
    environ: Mapping[str, str],
    *,
    tolerant: bool = False,
    replacements: Mapping[str, bytes] | None = None,
) -> LoadedConfig:
    """Return the configuration of the folder, overridden by the environment variables `environ`.

    `tolerant` skips each feed or subscriber with a fault and names it in a warning; faults elsewhere still
    count. `replacements` is file content by file name, used instead of the file on disk. Raises ConfigError
    with all faults.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise ConfigError(
            [Fault(str(folder), 0, 0, "there is no such folder", "one that `caveat config init` made")]
        )
    documents = _Documents(folder, replacements or {})
    main = documents[MAIN_FILE]
    variable_faults, warnings = apply_environment(main, environ)
    secrets = SecretReader(folder, main)
    builder = SettingsBuilder(folder, main, secrets.read())
    invalid: list[Fault] = []
    file = _main(main, invalid)
    settings = builder.build(file) if file else None
    cache = documents.subscriber_cache(settings, environ)
    reader = RosterReader(folder, documents, tolerant=tolerant, cache=cache)
    roster = replace(reader.read(), fingerprint=documents.fingerprint)
    faults = [*documents.faults, *variable_faults, *invalid]
    faults += [*secrets.faults, *builder.faults, *reader.faults]
    if faults or settings is None or file is None:
        raise ConfigError(_in_order(faults))
    return LoadedConfig(
        settings,
        roster,
        warnings=_in_order([*warnings, *secrets.warnings, *builder.warnings, *reader.warnings]),
        effective=effective_settings(file, main, settings.storage_shown),
    )


def load_settings(folder: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings of caveat.yaml and the environment; the other files are not read.

    Raises ConfigError with all their faults.
    """
    folder = folder.expanduser().absolute()
    document = _Documents(folder, {})[MAIN_FILE]
    variable_faults, _ = apply_environment(document, environ)
    secrets = SecretReader(folder, document)
    builder = SettingsBuilder(folder, document, secrets.read())
    invalid: list[Fault] = []
    file = _main(document, invalid)
    settings = builder.build(file) if file else None
    faults = [*document.faults, *variable_faults, *invalid, *secrets.faults, *builder.faults]
    if faults or settings is None:
        raise ConfigError(_in_order(faults))
    return settings


class _Documents(dict[str, YamlDocument]):
    """The files as YAML, by name, each parsed when it is asked for first."""

    def __init__(self, folder: Path, replacements: Mapping[str, bytes]) -> None:
        self._folder, self._unread = folder, dict[str, Fault]()
        self._contents = {
            name: replacements[name] if name in replacements else self._content(name) for name in CONFIG_FILES
        }

    def __missing__(self, name: str) -> YamlDocument:
        if name in self._unread:
            found = YamlDocument(name, faults=[self._unread[name]])
        else:
            found = read_yaml(name, self._contents[name])
        self[name] = found
        return found

    @property
    def faults(self) -> list[Fault]:
        """The faults of the files that were parsed, or could not be read."""
        return [fault for document in self.values() for fault in document.faults]

    @property
    def fingerprint(self) -> str:
        """A hash of the roster files and of Caveat's version."""
        found = hashlib.sha256(version("caveat").encode())
        for name in CONFIG_FILES:
            if name != MAIN_FILE:
                found.update(hashlib.sha256(self._contents[name]).digest())
        return found.hexdigest()

    def subscriber_cache(self, settings: Settings | None, environ: Mapping[str, str]) -> SubscriberCache:
        """Return the cache for subscribers.yaml; without settings it is empty."""
        name = "subscribers.yaml"
        folder = None
        if settings is not None and name not in self._unread:
            folder = cache_folder(sqlite_file(settings.storage), environ)
        return SubscriberCache(folder, self._folder, self._contents[name])

    def _content(self, name: str) -> bytes:
        path, folder = self._folder / name, self._folder
        try:
            if path.stat().st_size <= MAX_FILE_BYTES:
                return path.read_bytes()
            self._unread[name] = Fault(name, 0, 0, "the file is too large", "one of at most 64 MB")
        except FileNotFoundError:
            what = f"the file is missing in {folder}"
            self._unread[name] = Fault(name, 0, 0, what, _minimal_content(name))
        except OSError as error:
            self._unread[name] = Fault(name, 0, 0, f"the file cannot be read: {error.strerror}")
        return b""


def _minimal_content(name: str) -> str:
    """Return the expected minimum of a file, for its fault."""
    key = name.removesuffix(".yaml")
    return "one with `site`" if name == MAIN_FILE else f"one with `{key}: []` if there are none"


def _main(written: YamlDocument, faults: list[Fault]) -> MainConfig | None:
    if written.is_unreadable:
        return None
    try:
        return MainConfig.model_validate(written.content if written.content is not None else {})
    except ValidationError as error:
        faults += faults_from(error, MainConfig, written, ())
        return None


def _in_order(faults: list[Fault]) -> tuple[Fault, ...]:
    """Return the faults by file, line and column; those of the environment come first."""
    files = list(CONFIG_FILES)
    return tuple(
        sorted(faults, key=lambda f: (files.index(f.file) if f.file in files else -1, f.line, f.column))
    )
