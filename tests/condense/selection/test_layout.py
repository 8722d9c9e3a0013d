"""Layout: the lines are read in the order of the text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from service.condense.block_reading import Candidate
from service.condense.selection import layout
from service.condense.selection.lines import SummaryLine
from service.condense.selection.selecting import KeyPointSelection

TEXT = "Holm met them. Berg paid. The deal is small."


def test_a_line_whose_line_above_is_not_shown_stays_in_the_order_of_the_text(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layout, "mark_lines", lambda _: {})
    lines = [
        SummaryLine((0,), Candidate(0, 14)),
        SummaryLine((2,), Candidate(26, 44), above=1, may_stand_alone=True),
    ]
    selection = cast("KeyPointSelection", SimpleNamespace(lines=lines))
    assert [point.start for point in layout.lay_out(TEXT, selection)] == [0, 26]
