"""Bars: work that goes on, drawn where somebody looks (EDGE rich)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from service.core.progress import Progress

MAX_LABEL_CHARACTERS = 40


class RateColumn(bars.ProgressColumn):
    """How many are done in a second, over the last half minute."""

    def render(self, task: bars.Task) -> Text:
        """Return `34/s`, or `0.4/s` for what is slow; nothing while it is not known."""
        speed = task.finished_speed or task.speed
        return Text("" if not speed else f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s")


class TimeLeftColumn(bars.TimeRemainingColumn):
    """How long it will take yet."""

    def render(self, task: bars.Task) -> Text:
        """Return `0:42 left`; nothing while it is not known."""
        time = super().render(task).plain
        return Text(f"{time} left" if any(map(str.isdigit, time)) and not task.finished else "")


@contextmanager
def progress_bar(console: Console, title: str, *, rate: bool) -> Iterator[Progress]:
    """Draw a bar on the console for the length of the block; give the progress to report to."""
    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}"),
        bars.BarColumn(bar_width=24),
        bars.TextColumn("{task.fields[count]}"),
        *((RateColumn(),) if rate else ()),
        TimeLeftColumn(compact=True),
        bars.TextColumn("[dim]{task.fields[what]}", markup=True),
    )
    with bars.Progress(*columns, console=console, transient=True) as drawn:
        task = drawn.add_task(title, total=None, what="", count="")

        def report(what: str, done: int, total: int) -> None:
            counted = f"{done:,}/{total:,}" if total else ""
            drawn.update(
                task,
                completed=done,
                total=total or None,
                what=escape(what[:MAX_LABEL_CHARACTERS]),
                count=counted,
            )

        yield report
