"""How work that takes its time tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as work goes on: what was just done, how many are done, how many there are."""


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""
