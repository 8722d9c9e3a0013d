"""Logs (EDGE structlog): readable on a terminal, JSON elsewhere; no address in clear unless one debugs."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

LogEvent = MutableMapping[str, Any]

_PART = r"""[^\s<>"'(),:;@\[\]]"""
# A part is read from its first character alone: from each of n characters it would be n * n / 2 steps.
ADDRESS_PATTERN = re.compile(rf"""(?:"[^"\r\n]*"|(?<!{_PART}){_PART}+)(@|%40)(?={_PART})""")
"""Whoever an address names, before its at sign: bare, in quotes, or as it stands in links."""
NOISY_LOGGERS = (
    "aiosqlite",
    "alembic",
    "apscheduler",
    "asyncio",
    "trafilatura",
    "uvicorn",
    "watchfiles",
)

FIELDS = (
    "bytes",
    "delivery",
    "domain",
    "per_minute",
    "reason",
    "relay",
    "result",
    "retry_seconds",
    "sha256",
    "status",
)
"""The fields of log events that packages without structlog pass as `extra`; other libraries' are left out."""


def configure_logs(level: str = "info") -> None:
    """Send every log line, ours and the libraries', to standard error at `level` and above."""
    number = logging.getLevelNamesMapping()[level.upper()]
    person = sys.stderr.isatty()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if person else "iso", utc=not person),
        structlog.processors.format_exc_info,
    ]
    if number > logging.DEBUG:
        shared.append(hide_addresses)
    last = (
        structlog.dev.ConsoleRenderer(pad_event_to=0)
        if person
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(allow=FIELDS), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def hide_addresses(_logger: object, _method: str, event: LogEvent) -> LogEvent:
    """Return the event with whoever an address names hidden: `…@example.org`."""
    for key, value in event.items():
        event[key] = _hidden(value)
    return event


def _hidden(value: object) -> object:
    if isinstance(value, str):
        return ADDRESS_PATTERN.sub(r"…\1", value) if "@" in value or "%40" in value else value
    if isinstance(value, dict):
        return {_hidden(key): _hidden(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden(inner) for inner in value]
    return value if value is None or isinstance(value, int | float) else _hidden(str(value))
