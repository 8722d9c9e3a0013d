"""What holds for the whole call: the folder of configuration, and whether to show the inside."""

from __future__ import annotations

import os
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service.cli.ui.output import say

if TYPE_CHECKING:
    from service.settings.values import FetchSettings, Loaded

DEFAULT_FOLDER = Path("config")


@dataclass(frozen=True, slots=True)
class Session:
    """`config` is the folder of configuration; `debug` shows logs and tracebacks."""

    config: Path = DEFAULT_FOLDER
    debug: bool = False


_session: ContextVar[Session] = ContextVar("session")


def begin(config: Path | None, *, debug: bool) -> None:
    """Remember what the options before the command say."""
    _session.set(Session(config or DEFAULT_FOLDER, debug))


def current() -> Session:
    """Return what holds for this call."""
    return _session.get(None) or Session()


def load(*, tolerant: bool = False, connections: int | None = None) -> Loaded:
    """Return what the folder of configuration and the environment say. Raises ConfigError.

    `tolerant` skips a bad feed or subscriber with a warning; `connections` goes before the setting.
    """
    from service.settings.load import load_settings  # noqa: PLC0415 - 250 ms that `--help` must not pay

    environ = dict(os.environ)
    if connections is not None:
        environ["CAVEAT_MAIL__SMTP__CONNECTIONS"] = str(connections)
    return load_settings(current().config, environ, tolerant=tolerant)


def fetch_settings() -> FetchSettings:
    """Return how feeds are fetched; without a folder of configuration, as the example says."""
    from service.settings.load import load_settings  # noqa: PLC0415 - as in load
    from service.settings.packaged_files import config_folder  # noqa: PLC0415 - as in load

    if current().config.is_dir():
        return load(tolerant=True).settings.fetch
    return load_settings(config_folder(), os.environ, tolerant=True).settings.fetch


def say_warnings(loaded: Loaded) -> None:
    """Say what is odd in the configuration."""
    for warning in loaded.warnings:
        say(f"{warning}")
