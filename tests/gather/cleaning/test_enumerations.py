"""Numbered items in running text."""

from __future__ import annotations

import pytest

from service.gather.cleaning.enumerations import enumerated_parts


@pytest.mark.parametrize(
    ("text", "before", "items"),
    [
        ("Rules: 1. No boats. 2. Two lamps. 3. A fee.", "Rules:", ["No boats.", "Two lamps.", "A fee."]),
        ("It may (1) close the pier; (2) sell it.", "It may", ["close the pier;", "sell it."]),
        ("It may 1) close the pier, 2) sell it.", "It may", ["close the pier,", "sell it."]),
        ("It may a) close the pier, b) sell it.", "It may", ["close the pier,", "sell it."]),
        ("1. No boats. 2. Two lamps.", "", ["No boats.", "Two lamps."]),
        (
            "规定：1、夜间禁止船只通行。2、船员须带两盏灯。",
            "规定：",
            ["夜间禁止船只通行。", "船员须带两盏灯。"],
        ),
        ("规定：①夜间禁止通行；②须带两盏灯。", "规定：", ["夜间禁止通行；", "须带两盏灯。"]),
    ],
)
def test_numbered_items_are_found(text: str, before: str, items: list[str]):
    assert enumerated_parts(text) == (before, items)


@pytest.mark.parametrize(
    "text",
    [
        "It opens on 1. May and closes on 2. June.",
        "They won 2. The others lost 1. Then came 2. more",
        "The fee rose by 1.5 to 2.5 crowns.",
        "See 2. Samuel and 1. Kings.",
        "The vote was 1. The end.",
        "The board met.",
        "",
    ],
)
def test_other_numbers_are_no_marks(text: str):
    assert enumerated_parts(text) is None
