"""Lists inside a paragraph: whole items, no ordinals, no versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.enumerations import find_enumeration, item_text

LISTS = {
    "dotted": "Three rules: 1. No boats at night. 2. Two lamps. 3. A fee of 6 crowns.",
    "bracket": "Three rules: 1) No boats at night; 2) Two lamps; 3) A fee of 6 crowns.",
    "in brackets": "Three rules: (1) No boats at night, (2) Two lamps and (3) A fee of 6 crowns.",
    "letters": "Three rules: a) No boats at night b) Two lamps c) A fee of 6 crowns.",
    "bullets": "Three rules: • No boats at night • Two lamps • A fee of 6 crowns.",
    "circled": "三つの規則：①夜は船禁止。②灯りは二つ。③料金は六。",
    "Chinese": "三条规则：1、夜间禁止行船；2、带两盏灯；3、收费六元。",
    "Russian": "Три правила: а) ночью нельзя; б) две лампы; в) сбор.",
}


def parts(text: str, *, ordinal: bool = False) -> tuple[str, list[str]] | None:
    """Return the introduction and the items."""
    found = find_enumeration(text, 0, len(text), ordinal=ordinal)
    if found is None:
        return None
    return text[slice(*found.introduction)] if found.introduction else "", [text[a:b] for a, b in found.items]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_in_a_paragraph_has_its_items(name: str):
    found = parts(LISTS[name])
    assert found is not None
    introduction, items = found
    assert introduction == LISTS[name][: len(introduction)]
    assert introduction.endswith((":", "："))
    assert len(items) == 3


@pytest.mark.parametrize(
    ("text", "before", "items"),
    [
        ("Rules: 1. No boats. 2. Two lamps. 3. A fee.", "Rules:", ["No boats.", "Two lamps.", "A fee."]),
        ("It may (1) close the pier; (2) sell it.", "It may", ["close the pier;", "sell it."]),
        ("It may 1) close the pier, 2) sell it.", "It may", ["close the pier,", "sell it."]),
        ("It may a) close the pier, b) sell it.", "It may", ["close the pier,", "sell it."]),
        ("1. No boats. 2. Two lamps.", "", ["No boats.", "Two lamps."]),
        ("Rules: 1) 40 boats; 2) 30 lamps.", "Rules:", ["40 boats;", "30 lamps."]),
        ("• No boats at night • Two lamps", "", ["No boats at night", "Two lamps"]),
        (
            "规定：1、夜间禁止船只通行。2、船员须带两盏灯。",
            "规定：",
            ["夜间禁止船只通行。", "船员须带两盏灯。"],
        ),
        ("规定：①夜间禁止通行；②须带两盏灯。", "规定：", ["夜间禁止通行；", "须带两盏灯。"]),
    ],
)
def test_the_items_are_whole(text: str, before: str, items: list[str]):
    assert parts(text) == (before, items)


@pytest.mark.parametrize(
    "text",
    [
        "It opens on 1. May and closes on 2. June.",
        "They won 2. The others lost 1. Then came 2. more",
        "The fee rose by 1.5 to 2.5 crowns.",
        "See 2. Samuel and 1. Kings.",
        "The vote was 1. The end.",
        "The board met.",
        "The rules (1) and (2) of the harbour stay.",
        "Ann Lee • Monday at noon • Five minutes",
        "",
    ],
)
def test_other_numbers_and_separators_are_no_marks(text: str):
    assert parts(text) is None


@pytest.mark.parametrize(
    ("text", "number", "item"),
    [
        ("• No boats", 3, "No boats"),
        ("2. Two lamps", 2, "Two lamps"),
        ("2. Two lamps", 1, ""),
        ("Two lamps", 1, ""),
    ],
)
def test_a_paragraph_that_begins_with_a_mark_is_an_item(text: str, number: int, item: str):
    assert item_text(text, number) == item


@pytest.mark.parametrize(
    "text",
    [
        "Am 1. Mai beginnt es, am 2. Juni und am 3. Juli geht es weiter.",
        "Er wurde 1. Sie wurde 2. Das Spiel endete mit einem 3. Platz.",
        "Version 1.2 and 2.1 came in 3. It was late.",
        "The rules: 1. No boats.",
        "She lives at 2) of the list: 3) no.",
        "It cost 1. 50 and then 2. 50 crowns.",
    ],
)
def test_ordinals_versions_and_single_numbers_are_no_list(text: str):
    assert parts(text, ordinal=True) is None


def test_two_dotted_numbers_are_a_list_only_where_they_are_no_ordinals():
    text = "Two rules: 1. No boats at night. 2. Two lamps."
    assert parts(text) == ("Two rules:", ["No boats at night.", "Two lamps."])
    assert parts(text, ordinal=True) is None


@given(st.text(alphabet="12a).( •①、b\n:"))
def test_items_are_disjoint_parts_of_the_paragraph(text: str):
    found = find_enumeration(text, 0, len(text), ordinal=False)
    at = found.introduction.end if found and found.introduction else 0
    for start, end in found.items if found else ():
        assert at <= start < end <= len(text)
        at = end
