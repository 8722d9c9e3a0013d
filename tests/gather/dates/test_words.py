"""The names of months and weekdays are those of the Unicode CLDR."""

from __future__ import annotations

import tomllib

import pytest
from babel import Locale, localedata

from service.gather.dates.words import FOLDER, fold, minutes, phrase, word_table

NAMES = tomllib.loads((FOLDER / "names.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", NAMES)
def test_every_name_of_the_cldr_has_its_meaning(language: str) -> None:
    table = word_table().phrases
    for locale in [name for name in localedata.locale_identifiers() if name.partition("_")[0] == language]:
        found = Locale.parse(locale)
        for width in ("wide", "abbreviated"):
            for number, name in found.months["format"][width].items():
                if not any(letter.isdigit() for letter in name):
                    assert language in table[phrase(name)].months[number], name
            for name in found.days["format"][width].values():
                assert table[phrase(name)].weekday, name


def test_a_word_is_folded_to_its_letters() -> None:
    assert fold("FÉVRIER") == "fevrier"
    assert fold("Kasım") == fold("KASIM") == "kasim"
    assert fold("٢٩") == fold("２９") == "29"
    assert phrase("p. m.") == ("p", "m")
    assert phrase("μ.μ.") == ("μμ",)


def test_an_offset_is_in_minutes() -> None:
    assert (minutes("+05:30"), minutes("-03:30"), minutes("+02")) == (330, -210, 120)
