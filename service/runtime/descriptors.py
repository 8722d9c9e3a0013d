"""File descriptors: how many this process may have open, and how many of them the web may use."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import structlog

from service.settings.values import Settings

HIGHEST_LIMIT = 65_536
"""Descriptors; more is never needed, and some programs loop over every number up to the limit."""

RESERVED_DESCRIPTORS = 256
"""Descriptors for databases, worker processes, files, logs, DNS and the bounce listener."""

MAX_WEB_CONNECTIONS = 512
"""At once; an answer takes milliseconds, so this is thousands of requests a second."""

MIN_WEB_CONNECTIONS = 32
"""At once, whatever the limit is: unsubscribe links must work."""

MAX_METRICS_CONNECTIONS = 32
"""At once; a handful of monitoring programs ask."""

log = structlog.get_logger("service")


@dataclass(frozen=True, slots=True)
class DescriptorShares:
    """The process's limit of descriptors, and how many connections the two web listeners may hold open."""

    limit: int
    web: int
    metrics: int = MAX_METRICS_CONNECTIONS


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files (RLIMIT_NOFILE) towards the hard one; return the limit in force."""
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
        log.warning("the limit of open files stays low", limit=soft, reason=str(error))
        return soft
    return possible


def pipeline_needs(settings: Settings) -> int:
    """Return how many descriptors gathering, sending and the rest of the pipeline may use at once."""
    return settings.fetch.connections + settings.mail.smtp.connections + RESERVED_DESCRIPTORS


def share_descriptors(limit: int, settings: Settings) -> DescriptorShares:
    """Divide `limit` descriptors: the pipeline's are reserved, the web gets a fixed share of the rest."""
    left = limit - pipeline_needs(settings) - MAX_METRICS_CONNECTIONS
    if left < MIN_WEB_CONNECTIONS:
        log.warning(
            "the limit of open files is too low for these settings; raise it (ulimit -n, LimitNOFILE=)",
            limit=limit,
            needed=pipeline_needs(settings) + MAX_METRICS_CONNECTIONS + MIN_WEB_CONNECTIONS,
        )
    return DescriptorShares(limit, min(MAX_WEB_CONNECTIONS, max(left, MIN_WEB_CONNECTIONS)))
