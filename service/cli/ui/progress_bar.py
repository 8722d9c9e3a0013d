"""Progress bars on a terminal (EDGE rich)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress as bars
from rich.markup import escape
from rich.text import Text

from service.cli.ui.rich_output import console
from service.core.progress import Progress

MAX_LABEL_CHARACTERS = 40  # of the item that was just done, such as a feed's name


class RateColumn(bars.ProgressColumn):
    """Items per second, over the last half minute."""

    def render(self, task: bars.Task) -> Text:
        """Return `34/s`, or `0.4/s` below ten; nothing while the rate is unknown."""
        speed = task.finished_speed or task.speed
        return Text("" if not speed else f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s")


class TimeLeftColumn(bars.TimeRemainingColumn):
    """The estimated time to the end."""

    def render(self, task: bars.Task) -> Text:
        """Return `0:42 left`; nothing while the time is unknown."""
        time = super().render(task).plain
        return Text(f"{time} left" if any(map(str.isdigit, time)) and not task.finished else "")


@contextmanager
def progress_bar(title: str, *, rate: bool) -> Iterator[Progress]:
    """Draw a bar on standard error during the block, and yield the callback that moves it."""
    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}"),
        bars.BarColumn(bar_width=24),
        bars.TextColumn("{task.fields[count]}"),
        *((RateColumn(),) if rate else ()),
        TimeLeftColumn(compact=True),
        bars.TextColumn("[dim]{task.fields[what]}", markup=True),
    )
    with bars.Progress(*columns, console=console(sys.stderr), transient=True) as drawn:
        task = drawn.add_task(title, total=None, what="", count="")

        def report(what: str, done: int, total: int) -> None:
            count = f"{done:,}/{total:,}" if total else ""
            label = escape(what[:MAX_LABEL_CHARACTERS])
            drawn.update(task, completed=done, total=total or None, what=label, count=count)

        yield report
