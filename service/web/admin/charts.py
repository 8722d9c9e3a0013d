"""Small charts of the editors' pages: numbers become rectangles, which templates/admin/charts.html draws.

The drawing (SVG) has no text, so that it can be stretched to the width of any screen; labels are HTML beside
it, and the numbers follow as a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

COLUMN = 10  # width of a column with its gap, in units of the drawing
GAP = 2  # between two columns
HEIGHT = 100  # of the drawing
LEAST = 2.0  # height or width of a number above 0: three refusals beside 100,000 deliveries must be seen


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers of one kind, one for each label of a chart.

    `style` is a class of the style sheet: "mark" (usual), "bad" (refused, failed), "warn" or "rest" (less
    important).
    """

    name: str
    numbers: tuple[int, ...]
    style: str = "mark"


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of a column, in units of the drawing."""

    x: float
    y: float
    width: float
    height: float
    style: str


@dataclass(frozen=True, slots=True)
class Column:
    """The numbers of one label: rectangles from the bottom to the top, and the sentence that names them."""

    label: str
    numbers: tuple[int, ...]
    rectangles: tuple[Rectangle, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class ColumnChart:
    """A column for each label, of stacked parts. `description` says in a sentence what the chart shows."""

    series: tuple[Series, ...]
    columns: tuple[Column, ...]
    most: int
    description: str
    height: int = HEIGHT

    @property
    def width(self) -> int:
        """Width of the drawing in its units."""
        return max(1, len(self.columns)) * COLUMN

    @property
    def totals(self) -> tuple[int, ...]:
        """The sum of each series."""
        return tuple(sum(one.numbers) for one in self.series)


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart. `share` is the length in percent of the longest; `link` is a path or ""."""

    label: str
    number: int
    share: float
    link: str = ""
    style: str = "mark"


def column_chart(labels: Sequence[str], *series: Series, unit: str = "day") -> ColumnChart:
    """Return a chart with a column for each label. `unit` is what a column stands for: "day", "hour".

    Raises ValueError if a series has more or fewer numbers than there are labels.
    """
    rows = list(zip(*(one.numbers for one in series), strict=True)) if series else []
    if len(rows) != len(labels):
        raise ValueError(f"{len(labels)} labels and {len(rows)} numbers in each series")
    most = max((sum(row) for row in rows), default=0)
    columns = tuple(
        Column(label, row, _stack(index, row, series, most), _sentence(label, row, series))
        for index, (label, row) in enumerate(zip(labels, rows, strict=True))
    )
    return ColumnChart(series, columns, most, _description(columns, series, most, unit))


def bar_chart(rows: Sequence[tuple[str, int, str]], *, style: str = "mark") -> tuple[Bar, ...]:
    """Return a horizontal bar for each label, number and link (a path, or "" for none), in their order."""
    most = max((number for _, number, _ in rows), default=0)
    return tuple(Bar(label, number, _length(number, most, 100), link, style) for label, number, link in rows)


def _stack(index: int, row: Sequence[int], series: Sequence[Series], most: int) -> tuple[Rectangle, ...]:
    """Return the rectangles of a column. One that is too small to see takes its height from the largest."""
    heights = [_length(number, most, HEIGHT) for number in row]
    surplus = sum(heights) - HEIGHT
    if surplus > 0:
        heights[heights.index(max(heights))] -= surplus
    top, rectangles = float(HEIGHT), []
    for height, one in zip(heights, series, strict=True):
        if height > 0:
            top -= height
            rectangles.append(
                Rectangle(index * COLUMN + GAP / 2, round(top, 2), COLUMN - GAP, round(height, 2), one.style)
            )
    return tuple(rectangles)


def _length(number: int, most: int, whole: int) -> float:
    return round(max(LEAST, whole * number / most), 2) if number > 0 else 0.0


def _sentence(label: str, row: Sequence[int], series: Sequence[Series]) -> str:
    parts = (f"{number:,} {one.name}" for number, one in zip(row, series, strict=True))
    return f"{label}: {', '.join(parts)}"


def _description(columns: Sequence[Column], series: Sequence[Series], most: int, unit: str) -> str:
    if not columns:
        return "No numbers yet."
    totals = ", ".join(f"{sum(one.numbers):,} {one.name}" for one in series)
    span = f"{columns[0].label} to {columns[-1].label}: {totals}."
    if not most:
        return span
    peak = next(column for column in columns if sum(column.numbers) == most)
    return f"{span} Most in a {unit}: {most:,} ({peak.label})."
