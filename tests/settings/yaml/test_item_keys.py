"""Keys of an item: only their own characters change, whatever the style of the file and of the values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from service.settings.packaged_files import config_folder
from service.settings.roster_files import NewsletterEntry
from service.settings.yaml.document import read_yaml
from service.settings.yaml.item_list import YamlList

ORDER = list(NewsletterEntry.model_fields)
PACKAGED = (config_folder() / "newsletters.yaml").read_text(encoding="utf-8")
ODD = """\
# before
newsletters:
- language: en   # behind the dash
  id: morning
  # about the title
  title: >-  # folded
    The
    Morning

  topics:   # as lines
  - world # w
  - "economy"
  # after the list
  schedule: 'daily 07:00'   # quoted
  timezone:
    UTC
  minutes: # empty
  follow: &words [climate,   "central bank"]

# between
-   id: "evening"
    title: Evening
    schedule: every 3h
    timezone: UTC
    mute: *words
    stories:    12        # aligned
    # the end
# last
"""
FLOW = """\
newsletters: # in one line each
  - {id: morning, title: "The Morning", topics: [world,  'economy'], schedule: "daily 07:00", timezone: UTC}
  - {id: evening, title: Evening, schedule: every 3h, timezone: UTC, stories: 12, mute: [a],
     points: 3}  # two
"""
JSON = (
    '{"newsletters": [{"id": "morning", "title": "M", "topics": ["world"]}, {"id": "evening", "title": "E"}]}'
)
FILES = {"packaged": PACKAGED, "odd": ODD, "flow": FLOW, "json": JSON, "crlf": ODD.replace("\n", "\r\n")}

HOSTILE = (
    "!!python/object/apply:os.system [id]",
    "&a x",
    "*words",
    "a: b",
    "x # y",
    "- x",
    "{a: 1}",
    "yes",
    "null",
    "07:00",
    "1e3",
    "'",
    '"',
    "\\",
    "---",
    "a\n  id: other",
    "`",
    "@x",
    "%YAML 1.1",
    "~",
    "é Ü 世界",
)
PRINTABLE = st.characters(exclude_categories=("Cc", "Cs"))
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(PRINTABLE, min_size=1, max_size=30))
VALUES = {
    "title": TEXTS,
    "topics": st.lists(TEXTS, max_size=4) | st.none(),
    "schedule": TEXTS,
    "language": TEXTS | st.none(),
    "mute": st.lists(TEXTS, max_size=4) | st.none(),
    "stories": st.integers(1, 50) | st.none(),
    "minutes": st.integers(1, 60) | st.none(),
    "lead_picture": st.booleans() | st.none(),
}
CHANGES = st.fixed_dictionaries({}, optional=VALUES)


def lines_of(text: str, index: int, changed: set[str]) -> list[str]:
    """Return the lines without those of an item's values that changed, found by an independent reader."""
    document = read_yaml("newsletters.yaml", text.encode())
    positions = {
        path[2]: line
        for path, (line, _) in document.key_positions.items()
        if path[:2] == ("newsletters", index)
    }
    first = document.value_positions["newsletters", index][0]
    starts = sorted({*positions.values(), first})
    lines, gone = text.splitlines(), set[int]()
    for key in changed & positions.keys():
        line = positions[key]
        later = [one for one in starts if one > line]
        last_value = max(
            (
                at[0]
                for path, at in document.value_positions.items()
                if path[:3] == ("newsletters", index, key)
            ),
            default=line,
        )
        gone |= set(range(line, max(last_value, line) + 1)) | (
            {one for one in range(line, later[0]) if not lines[one - 1].lstrip().startswith("#")}
            if later
            else set()
        )
    return [one for number, one in enumerate(lines, 1) if number not in gone]


@pytest.mark.parametrize("name", ["packaged", "odd", "crlf"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(index=st.integers(0, 1), changes=CHANGES)
@example(index=0, changes={"title": "a\n  id: other", "topics": ["!!python/name:os"], "minutes": None})
def test_all_lines_of_other_keys_and_all_comments_stay(name: str, index: int, changes: dict[str, Any]):
    text = FILES[name]
    items = YamlList("newsletters", text, ORDER)
    after = items.update(index, changes)

    kept, result = lines_of(text, index, set(changes)), iter(after.splitlines())
    assert all(line in result for line in kept), "a line that no change touches is missing or moved"


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(index=st.integers(0, 1), changes=CHANGES)
def test_the_file_then_says_exactly_what_was_set(name: str, index: int, changes: dict[str, Any]):
    items = YamlList("newsletters", FILES[name], ORDER)
    document = read_yaml("newsletters.yaml", items.update(index, changes).encode())

    expected = [dict(one) for one in items.values]
    for key, value in changes.items():
        expected[index][key] = value
        if value is None:
            del expected[index][key]
    assert document.faults == []
    assert document.content == {"newsletters": expected}


def test_a_change_back_gives_the_same_bytes():
    items = YamlList("newsletters", PACKAGED, ORDER)
    once = items.update(0, {"stories": 12, "schedule": "weekdays 06:30", "mute": ["horoscope"]})
    back = {"stories": 8, "schedule": "daily 07:00", "mute": None}

    assert YamlList("newsletters", once, ORDER).update(0, back) == PACKAGED


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        ("title: 'M'  # c\n", {"title": "It's"}, "title: 'It''s' # c\n"),
        ('title: "M"\n', {"title": "N"}, 'title: "N"\n'),
        (
            "title: M\n    topics:\n      - a\n      - b\n",
            {"topics": ["b"]},
            "title: M\n    topics:\n      - b\n",
        ),
        ("title: M\n    topics: [a, 'b']\n", {"topics": ["b", "c"]}, "title: M\n    topics: ['b', c]\n"),
        ("title: M\n    points: 3\n", {"stories": 5}, "title: M\n    stories: 5\n    points: 3\n"),
        ("title: M", {"minutes": 5}, "title: M\n    minutes: 5"),
        ("title: M # t", {"stories": 5, "minutes": 5}, "title: M # t\n    stories: 5\n    minutes: 5"),
        ("title: M\n    # note\n    points: 3 # few\n", {"points": None}, "title: M\n    # note\n"),
    ],
)
def test_quotes_list_style_and_order_are_those_of_the_file(before: str, changes: dict[str, Any], after: str):
    text = f"newsletters:\n  - id: morning\n    {before}"

    assert (
        YamlList("newsletters", text, ORDER).update(0, changes)
        == f"newsletters:\n  - id: morning\n    {after}"
    )
