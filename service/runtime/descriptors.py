"""File descriptors: the limit of this process, and the share of the web server."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import structlog

from service.settings.values import Settings

HIGHEST_LIMIT = 65_536
"""Descriptors. More are never needed, and some programs loop over all numbers up to the limit."""

RESERVED_DESCRIPTORS = 256
"""Descriptors for databases, worker processes, files, logs, DNS and the bounce listener."""

MAX_WEB_CONNECTIONS = 512
"""An answer takes milliseconds, so this is enough for thousands of requests per second."""

MIN_WEB_CONNECTIONS = 32
"""Allowed even with a low limit of descriptors, because unsubscribe links must work."""

MAX_METRICS_CONNECTIONS = 32
"""Enough for a few monitoring programs."""

log = structlog.get_logger("service")


@dataclass(frozen=True, slots=True)
class DescriptorShares:
    """The process's limit of descriptors, and the maximum open connections of the two web listeners."""

    limit: int
    web: int
    metrics: int = MAX_METRICS_CONNECTIONS


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files (RLIMIT_NOFILE) to the hard one; return the limit in force."""
    if sys.platform == "win32":
        return HIGHEST_LIMIT
    import resource  # noqa: PLC0415 - not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    possible = HIGHEST_LIMIT if hard == resource.RLIM_INFINITY else min(hard, HIGHEST_LIMIT)
    if soft == resource.RLIM_INFINITY or soft >= possible:
        return HIGHEST_LIMIT if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
    except (OSError, ValueError) as error:  # macOS has a lower limit than the hard one that it reports
        log.warning("open_file_limit_not_raised", limit=soft, reason=str(error))
        return soft
    return possible


def pipeline_needs(settings: Settings) -> int:
    """Return the maximum number of descriptors for fetching, sending and the rest of the process."""
    return settings.fetch.connections + settings.mail.smtp.connections + RESERVED_DESCRIPTORS


def share_descriptors(limit: int, settings: Settings) -> DescriptorShares:
    """Divide `limit` descriptors: those of the pipeline are reserved, the web server gets of the rest.

    Logs a warning when the limit is too low for the settings.
    """
    left = limit - pipeline_needs(settings) - MAX_METRICS_CONNECTIONS
    if left < MIN_WEB_CONNECTIONS:
        log.warning(
            "open_file_limit_too_low",
            message="raise the limit of open files (ulimit -n, LimitNOFILE=)",
            limit=limit,
            needed=pipeline_needs(settings) + MAX_METRICS_CONNECTIONS + MIN_WEB_CONNECTIONS,
        )
    return DescriptorShares(limit, min(MAX_WEB_CONNECTIONS, max(left, MIN_WEB_CONNECTIONS)))
