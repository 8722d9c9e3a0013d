"""The global options of this call, and the configuration that they select."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.output import print_message

with lazy_imports():
    from service.app.factories import config_folder

DEFAULT_FOLDER = Path("config")


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """`config` is the configuration folder; `debug` shows logs and tracebacks."""

    config: Path = DEFAULT_FOLDER
    debug: bool = False


_options: ContextVar[GlobalOptions] = ContextVar("global_options")


def set_options(config: Path | None, *, debug: bool) -> None:
    """Set the global options of this call."""
    _options.set(GlobalOptions(config or DEFAULT_FOLDER, debug))


def options() -> GlobalOptions:
    """Return the global options of this call."""
    return _options.get(None) or GlobalOptions()


def load_config(*, tolerant: bool = False, connections: int | None = None) -> config_folder.LoadedConfig:
    """Return the configuration. Raises ConfigError. See config_folder.load."""
    return config_folder.load(options().config, tolerant=tolerant, connections=connections)


def load_for_database() -> config_folder.LoadedConfig:
    """Return the configuration for a command that works on the database; see config_folder.

    A broken roster file is named in a warning with its place. Raises ConfigError if caveat.yaml is broken.
    """
    loaded = config_folder.load_for_database(options().config)
    if loaded.faults:
        more = f" (and {len(loaded.faults) - 1} more, see caveat config check)" if loaded.faults[1:] else ""
        print_message(f"{loaded.faults[0]}{more}; the last valid feeds and newsletters are used.")
    return loaded


def print_warnings(loaded: config_folder.LoadedConfig) -> None:
    """Print the warnings about the configuration."""
    for warning in loaded.warnings:
        print_message(str(warning))
