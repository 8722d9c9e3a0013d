"""Logging (EDGE structlog): text on a terminal, else JSON; email addresses are hidden above level debug."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

LogEvent = MutableMapping[str, Any]

_PART = r"""[^\s<>"'(),:;@\[\]]"""
# The lookbehind: without it, a match could start at each of n characters, which takes n * n / 2 steps.
ADDRESS_PATTERN = re.compile(rf"""(?:"[^"\r\n]*"|(?<!{_PART}){_PART}+)(@|%40)(?={_PART})""")
"""The local part of an email address and its at sign: bare, quoted, or percent-encoded as in links."""
NOISY_LOGGERS = (
    "alembic",
    "apscheduler",
    "asyncio",
    "trafilatura",
    "uvicorn",
    "watchfiles",
)

FIELDS = (
    "article",
    "bytes",
    "delivery",
    "domain",
    "job",
    "per_minute",
    "reason",
    "relay",
    "result",
    "retry",
    "retry_seconds",
    "seconds",
    "sha256",
    "status",
    "url",
)
"""Fields that packages without structlog pass as `extra`. Fields of other libraries are left out."""


def configure_logs(level: str = "info") -> None:
    """Write the log of Caveat and of its libraries to standard error, from `level` upwards."""
    number = logging.getLevelNamesMapping()[level.upper()]
    is_terminal = sys.stderr.isatty()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if is_terminal else "iso", utc=not is_terminal),
        structlog.processors.format_exc_info,
    ]
    if number > logging.DEBUG:
        shared.append(hide_addresses)
    renderer = (
        structlog.dev.ConsoleRenderer(pad_event_to=0)
        if is_terminal
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
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def hide_addresses(_logger: object, _method: str, event: LogEvent) -> LogEvent:
    """Return the event with the local part of each email address replaced: `…@example.org`."""
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
