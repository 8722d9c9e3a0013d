"""Seen items are read as they were written, stay small, and are ignored when unreadable."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.gather.entries.seen_items import (
    CLEANING_VERSION,
    MAX_ITEMS,
    FeedStatistics,
    SeenItem,
    fingerprint,
    from_timestamp,
    line_from_item,
    seen_items_of,
    serialize,
    statistics_of,
    to_timestamp,
    with_arrivals,
)
from tests.builders import NOON
from tests.gather.fakes import items_of

MARK = st.text(alphabet="abcdefghijklmnopqrstuvwxyzABC0123456789_-", min_size=8, max_size=8)
ITEMS = st.builds(
    SeenItem,
    raw=MARK,
    guid=MARK | st.just(""),
    link=MARK | st.just(""),
    title=MARK,
    words=MARK,
    edits=st.integers(0, 9),
    cleaning=st.integers(1, 9),
)


@given(st.lists(ITEMS, max_size=5), st.text(max_size=20), st.integers(0, 2**40), st.booleans())
def test_what_is_written_is_read(items: list[SeenItem], title: str, ttl: int, splits: bool):
    head = FeedStatistics(title=title, ttl=ttl, splits=splits, days={"2026-03-01": 2})
    memory = serialize(head, map(line_from_item, items))

    assert statistics_of(memory) == head
    assert items_of(memory) == tuple(items)


@given(st.lists(ITEMS, max_size=9), st.lists(MARK, max_size=3))
def test_items_with_a_name_are_found_without_reading_the_others(items: list[SeenItem], others: list[str]):
    names = {*others, *(name for item in items[::3] for name in item[1:5])} - {""}
    known = seen_items_of(serialize(FeedStatistics(), map(line_from_item, items)))

    found = known.with_any_name(names)

    assert [item for item in items if names & set(item[1:5])] == [
        item for item in found if names & set(item[1:5])
    ]
    assert set(known.lines_by_fingerprint()) == {item.raw for item in items}


def test_seen_items_of_an_early_version_are_read():
    memory = json.dumps({"v": 1}) + "\n" + json.dumps(["a b - d e 2", "f - - - - 0"])

    assert items_of(memory) == (
        SeenItem("a", "b", "", "d", "e", 2, cleaning=1),
        SeenItem("f", "", "", "", "", cleaning=1),
    )


def test_the_statistics_change_without_the_items():
    memory = serialize(FeedStatistics(ttl=5), [line_from_item(SeenItem("a", "b", "c", "d", "e"))])

    changed = serialize(FeedStatistics(ttl=6), None, memory)

    assert statistics_of(changed).ttl == 6
    assert items_of(changed) == items_of(memory)


@pytest.mark.parametrize(
    "memory",
    [
        "",
        "nonsense",
        "[]",
        '{"v":99,"ttl":5}',
        '{"ttl":5}',
        '{"v":1,"ttl":"five","days":3,"unknown":1}\n[1]',
        "{}\n{",
        "{}\n[",
        "{}\na b c",
    ],
)
def test_unreadable_seen_items_are_ignored(memory: str):
    assert statistics_of(memory) == FeedStatistics()
    assert items_of(memory) == ()


def test_the_number_of_seen_items_is_limited():
    items = [SeenItem(fingerprint(str(n)), *["x" * 8] * 4) for n in range(2 * MAX_ITEMS)]

    assert len(items_of(serialize(FeedStatistics(), map(line_from_item, items)))) == MAX_ITEMS


def test_empty_parts_have_no_fingerprint():
    assert fingerprint("") == fingerprint("", b"") == ""
    assert len({fingerprint("a", "b"), fingerprint("ab"), fingerprint("ab", ""), fingerprint("\ud800")}) == 4


def test_items_are_counted_by_day_and_old_days_forgotten():
    head = with_arrivals(
        FeedStatistics(), [NOON, NOON, NOON - timedelta(days=1), NOON - timedelta(days=99)], NOON
    )
    assert head.days == {"2026-03-01": 1, "2026-03-02": 2}
    assert from_timestamp(head.newest) == NOON

    later = with_arrivals(head, [], NOON + timedelta(days=60))
    assert later.days == {"2026-03-02": 2}


def test_an_arrival_from_the_future_counts_as_now():
    assert with_arrivals(FeedStatistics(), [NOON + timedelta(days=5)], NOON).newest == to_timestamp(NOON)


def test_the_statistics_are_read_from_the_first_line_alone():
    first, _, rest = serialize(
        FeedStatistics(ttl=5), [line_from_item(SeenItem("a", "", "", "", ""))]
    ).partition("\n")

    assert json.loads(first) == {"v": 1, "ttl": 5}
    assert rest == f"a - - - - 0.{CLEANING_VERSION}"
