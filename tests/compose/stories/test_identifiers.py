"""Identifiers: numbers that say which one of a kind a title is about, and numbers that do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.stories.identifiers import Identifier, conflict, identifiers_of


def found(title: str, *names: str) -> set[tuple[str, str]]:
    return {tuple(identifier) for identifier in identifiers_of(title, frozenset(names))}


@pytest.mark.parametrize(
    ("title", "identifier"),
    [
        ("The Harbour Hour, Episode 41 (with Ole Varga)", ("episode", "41")),
        ("Die Hafenstunde, Folge 12: Moore", ("folge", "12")),
        ("M 5.3 - 20 km NE of Tarn", ("m", "5.3")),
        ("Séisme de magnitude 5,1 près de Dunmar", ("magnitu", "5.1")),
        ("CVE-2026-40117: heap overflow in Brackfs", ("cve", "2026-40117")),
        ("DSA-6101-1 quillbase - security update", ("dsa", "6101-1")),
        ("#118 Why bogs matter", ("#", "118")),
        ("Lumenmq v5.1 is out", ("v", "5.1")),
        ("quillbase 4.1", ("quillba", "4.1")),
        ("oltnotes update 4.1.4 fixes printing", ("version", "4.1.4")),
        ("Obituary: Per Holm, 1944-2026", ("years", "1944-2026")),
        ("Woman, 34, hurt in crash", ("age", "34")),
        ("Woman (34) hurt in crash", ("age", "34")),
        ("港の時間 第41回", ("回", "41")),
    ],
)
def test_a_number_that_identifies_is_found_with_its_label(title: str, identifier: tuple[str, str]):
    assert identifier in found(title)


def test_a_number_behind_a_name_identifies_the_thing():
    assert found("Pilots praise the new Corvan 737 at its first show", "corvan") == {("corvan", "737")}


@pytest.mark.parametrize(
    "title",
    [
        "41 dead in Ruddock valley flood",
        "At least 44 dead in Ruddock valley flood",
        "Flood kills 14 in Ruddock valley",
        "Mindestens 41 Tote nach Flut im Ruddocktal",
        "Storm cuts off 4,000 homes, 21,000 people flee",
        "Helvar to cut 300 jobs by 2027",
        "Tarvia: 12 ministers resign",
    ],
)
def test_a_number_that_counts_is_no_identifier(title: str):
    assert found(title) == set()


def test_two_numbers_of_one_label_conflict():
    one, other = (frozenset({Identifier("episode", number)}) for number in ("41", "42"))
    assert conflict(one, other)
    assert not conflict(one, one | other)
    assert not conflict(one, frozenset({Identifier("m", "42")}))
    assert not conflict(one, frozenset())


@given(st.text(max_size=300))
def test_any_title_has_a_set_of_identifiers(title: str):
    assert isinstance(identifiers_of(title, frozenset()), frozenset)
