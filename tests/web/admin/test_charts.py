"""Charts: what the rectangles are, and that the page says the same in words."""

from __future__ import annotations

import re

import lxml.html
import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.settings.packaged_files import templates_folder
from service.web.admin.charts import HEIGHT, ColumnChart, Series, bar_chart, column_chart
from service.web.admin.rendering import isolated_text

DAYS = ("Sat, 28 Nov", "Sun, 29 Nov", "Mon, 30 Nov")
GOLDEN = """\
<svg class="chart " role="img" aria-labelledby="d.title d.desc" viewBox="0 0 30 100" \
preserveAspectRatio="none">
<title id="d.title">Deliveries a day</title>\
<desc id="d.desc">Sat, 28 Nov to Mon, 30 Nov: 140 delivered, 10 refused. \
Most in a day: 100 (Mon, 30 Nov).</desc>
<g><title>Sat, 28 Nov: 50 delivered, 0 refused</title>\
<rect class="mark" x="1.0" y="50.0" width="8" height="50.0"/></g>
<g><title>Mon, 30 Nov: 90 delivered, 10 refused</title>\
<rect class="mark" x="21.0" y="10.0" width="8" height="90.0"/>\
<rect class="bad" x="21.0" y="0.0" width="8" height="10.0"/></g>
<line class="axis" x1="0" x2="30" y1="100" y2="100"/>
</svg>"""


def deliveries(
    delivered: tuple[int, ...] = (50, 0, 90), refused: tuple[int, ...] = (0, 0, 10)
) -> ColumnChart:
    return column_chart(DAYS, Series("delivered", delivered), Series("refused", refused, "bad"))


def drawn(call: str, **values: object) -> str:
    """Return what a macro of charts.html draws."""
    environment = Environment(
        loader=FileSystemLoader(templates_folder() / "admin"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count="{:,}".format, isolated=isolated_text)
    environment.globals["admin"] = "/admin"
    source = '{% import "charts.html" as charts with context %}{{ ' + call + " }}"
    return environment.from_string(source).render(**values).strip()


def test_columns_are_stacked_from_the_bottom_in_the_scale_of_the_highest() -> None:
    saturday, sunday, monday = deliveries().columns
    assert [(one.y, one.height, one.style) for one in saturday.rectangles] == [(50.0, 50.0, "mark")]
    assert sunday.rectangles == ()
    assert [(one.y, one.height, one.style) for one in monday.rectangles] == [
        (10.0, 90.0, "mark"),
        (0.0, 10.0, "bad"),
    ]


def test_a_small_number_is_seen_beside_a_large_one_and_no_column_leaves_the_drawing() -> None:
    chart = deliveries(delivered=(1_000_000, 3, 0), refused=(3, 0, 1))
    for column in chart.columns:
        assert all(one.height >= 2 for one in column.rectangles)
        assert min(one.y for one in column.rectangles) >= 0
        assert sum(one.height for one in column.rectangles) <= HEIGHT


def test_the_description_says_what_the_drawing_shows() -> None:
    assert deliveries().description == (
        "Sat, 28 Nov to Mon, 30 Nov: 140 delivered, 10 refused. Most in a day: 100 (Mon, 30 Nov)."
    )
    assert column_chart((), Series("articles", ())).description == "No numbers yet."
    assert column_chart(DAYS, Series("articles", (0, 0, 0))).description == (
        "Sat, 28 Nov to Mon, 30 Nov: 0 articles."
    )


def test_numbers_without_labels_are_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="3 labels and 2 numbers"):
        column_chart(DAYS, Series("articles", (1, 2)))


def test_bars_are_as_long_as_their_share_of_the_longest() -> None:
    bars = bar_chart([("The Courier", 200, "/feeds/a"), ("The Ledger", 50, ""), ("Silent", 0, "")])
    assert [(bar.label, bar.share) for bar in bars] == [
        ("The Courier", 100.0),
        ("The Ledger", 25.0),
        ("Silent", 0.0),
    ]
    assert bar_chart([]) == ()


def test_the_drawing_is_the_one_that_we_know() -> None:
    """The whole SVG of a small chart: a change of what is drawn shows here."""
    svg = drawn('charts.drawing(chart, "d", "Deliveries a day")', chart=deliveries())
    assert svg == GOLDEN


def test_each_number_of_a_chart_is_in_its_table() -> None:
    page = lxml.html.fromstring(drawn('charts.columns(chart, "d", "Deliveries")', chart=deliveries()))
    cells = [[cell.text for cell in row] for row in page.xpath("//tbody/tr")]
    assert cells == [["Mon, 30 Nov", "90", "10"], ["Sun, 29 Nov", "0", "0"], ["Sat, 28 Nov", "50", "0"]]


def test_names_from_outside_stay_text() -> None:
    hostile = '<script>alert("x")</script>'
    bars = drawn(
        'charts.bars(rows, title, "Feed", "Articles")', rows=bar_chart([(hostile, 1, "")]), title=hostile
    )
    chart = column_chart([hostile], Series(hostile, (1,)))
    columns = drawn('charts.columns(chart, "d", title)', chart=chart, title=hostile)
    for page in (bars, columns):
        assert "<script" not in page
        assert not re.search(r"\sstyle=", page)
