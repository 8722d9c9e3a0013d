"""Persons whom a sentence names."""

from __future__ import annotations

import pytest

from service.text.references.names import PersonNames
from service.text.references.persons import persons_named
from service.text.references.words import reference_words


def named(sentence: str, text: str = "") -> list[str]:
    """Return the names of the persons in a sentence, "" for a person without a name."""
    words = reference_words("en")
    assert words is not None
    tokens = sentence.split()
    codes = [words[token] for token in tokens]
    found = persons_named(tokens, codes, PersonNames(text or sentence, words))
    return [" ".join(tokens[one.first : one.last + 1]) if one.first >= 0 else "" for one in found]


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        ("Minister Anders Holm met Maria Berg.", ["Anders Holm", "Maria Berg."]),
        ("The mayor met a lawyer.", ["", ""]),
        ("The port spokesman Anders Holm left.", ["Anders Holm"]),
        ("Anders Holm, a lawyer from Bergen, left.", ["Anders Holm,"]),
        ("Anders Holm said Holm left.", ["Anders Holm"]),
        ("On Friday the Senate met in Bergen.", []),
        ("Ferries left.", []),
    ],
)
def test_each_person_is_named_once(sentence: str, names: list[str]):
    assert named(sentence) == names


def test_a_first_word_is_a_name_if_it_has_its_capital_elsewhere():
    assert named("Holm left.", "Holm left. They met Holm there.") == ["Holm"]
    assert named("Ferries left.", "Ferries left. They met ferries there.") == []
