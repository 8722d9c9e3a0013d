"""What holds for the whole call: the folder of configuration, and whether to show the inside."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

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
