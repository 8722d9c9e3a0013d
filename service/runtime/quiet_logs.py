"""Quiet logs: for commands that print their result, and start faster without the library of the logs."""

from __future__ import annotations

import logging


def silence_logs() -> None:
    """Write only critical lines to standard error.

    Packages that such commands use log by the standard library, because structlog takes a tenth of a second
    to import.
    """
    root = logging.getLogger()
    root.handlers[:] = [logging.StreamHandler()]
    root.setLevel(logging.CRITICAL)
