"""What holds for the whole call: the folder of configuration, and whether to show the inside."""

from __future__ import annotations

import os
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service.cli.ui.output import print_message

if TYPE_CHECKING:
    from service.settings.values import FetchSettings, LoadedConfig

DEFAULT_FOLDER = Path("config")


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """`config` is the folder of configuration; `debug` shows logs and tracebacks."""

    config: Path = DEFAULT_FOLDER
    debug: bool = False


_options: ContextVar[GlobalOptions] = ContextVar("session")


def set_options(config: Path | None, *, debug: bool) -> None:
    """Remember what the options before the command say."""
    _options.set(GlobalOptions(config or DEFAULT_FOLDER, debug))


def options() -> GlobalOptions:
    """Return what holds for this call."""
    return _options.get(None) or GlobalOptions()


def load_config(*, tolerant: bool = False, connections: int | None = None) -> LoadedConfig:
    """Return what the folder of configuration and the environment say. Raises ConfigError.

    `tolerant` skips a bad feed or subscriber with a warning; `connections` goes before the setting.
    """
    from service.settings.load import load_config as load_folder  # noqa: PLC0415 - 250 ms that `--help` must not pay

    environ = dict(os.environ)
    if connections is not None:
        environ["CAVEAT_MAIL__SMTP__CONNECTIONS"] = str(connections)
    return load_folder(options().config, environ, tolerant=tolerant)


def fetch_settings() -> FetchSettings:
    """Return how feeds are fetched; without a folder of configuration, as the example says."""
    from service.settings.load import load_config as load_folder  # noqa: PLC0415 - as in load
    from service.settings.packaged_files import config_folder  # noqa: PLC0415 - as in load

    if options().config.is_dir():
        return load_config(tolerant=True).settings.fetch
    return load_folder(config_folder(), os.environ, tolerant=True).settings.fetch


def print_warnings(loaded: LoadedConfig) -> None:
    """Say what is odd in the configuration."""
    for warning in loaded.warnings:
        print_message(f"{warning}")
