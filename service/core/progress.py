"""Progress reports of long-running work."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called after each step: a name for the step, the number of finished steps, the number of all steps."""


def no_progress(_step: str, _done: int, _total: int) -> None:
    """Ignore a progress report."""
