"""Asking: nothing that cannot be taken back happens without a yes."""

from __future__ import annotations

import sys

from service.cli.ui import terminal
from service.core.errors import UsageError


def require_confirmation(question: str, *, confirmed: bool) -> None:
    """Go on only when `--yes` was said, or a person answers yes. Raises UsageError otherwise."""
    if confirmed:
        return
    if not terminal.is_interactive(sys.stdin):
        raise UsageError(f"{question} Nobody is here to ask; say --yes to do it unasked.")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201 - a question is talk
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was done")
