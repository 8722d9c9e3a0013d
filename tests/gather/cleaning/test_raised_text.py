"""Raised numbers are never joined to what is before them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.gather.cleaning.raised_text import is_note_mark, lowered, raised, with_fractions


@pytest.mark.parametrize(
    ("before", "inner", "text"),
    [
        ("5 × 10", "6", "⁶"),
        ("10", "-6", "⁻⁶"),
        ("40 km", "2", "²"),
        ("40 км", "2", "²"),
        ("E = mc", "2", "²"),
        ("x", "2", "²"),
        ("(a+b)", "2", "²"),
        ("2", "32", "³²"),
        ("", "14", "¹⁴"),
        ("the isotope ", "235", "²³⁵"),
        ("Ca", "2+", "²⁺"),
        ("SO4", "2-", "²⁻"),
        ("20", "0", "⁰"),
        ("$1,299", "99", "⁹⁹"),
    ],
)
def test_a_power_an_isotope_or_a_charge_stays_raised(before: str, inner: str, text: str):
    assert raised(before, inner) == text


@pytest.mark.parametrize(
    ("before", "inner"),
    [
        ("Some 1,200", "3"),
        ("in 2019", "12"),
        ("Lind wrote", "1"),
        ("the end.", "2"),
        ("“a lie”", "1"),
        ("12%", "3"),
        ("wrote", "1,2"),
        ("wrote", "3–5"),
        ("12", "[4]"),
        ("12", "[citation needed]"),
        ("wrote", "*"),
        ("patients", "a"),
        ("patients", "iv"),
        ("人口", "3"),
        ("كتب", "2"),
        ("(said the board)", "1"),
    ],
)
def test_the_mark_of_a_footnote_goes(before: str, inner: str):
    assert raised(before, inner) == ""


@pytest.mark.parametrize("before", ["10", "km", "x", "Some 12"])
def test_markup_that_refers_to_a_note_decides(before: str):
    assert raised(before, "2", note=True) == ""
    assert raised(before, "2") == "²"


@pytest.mark.parametrize(
    ("before", "inner", "text"),
    [
        ("the 1", "st", "st"),
        ("le 1", "er", "er"),
        ("le XX", "e", "e"),
        ("el 1", "o", "º"),
        ("n", "o", "º"),
        ("la 1", "a", "ª"),
        ("M", "me", "me"),
        ("D", "r", "r"),
        ("2", "n", "ⁿ"),
        ("Velmarsh", "TM", "™"),
        ("Velmarsh", "beta", " beta"),
        ("", "Photo: the museum of Tarn", "Photo: the museum of Tarn"),
        ("said.", "Photo: the museum of Tarn", " Photo: the museum of Tarn"),
        ("2", "n+1", "ⁿ⁺¹"),
        ("2", "n/2", "^(n/2)"),
        ("a", "", ""),
    ],
)
def test_raised_letters_stay_readable(before: str, inner: str, text: str):
    assert raised(before, inner) == text


@pytest.mark.parametrize(
    ("before", "inner", "text"),
    [
        ("CO", "2", "₂"),
        ("x", "i", "ᵢ"),
        ("V", "max", "ₘₐₓ"),
        ("V", "bad", "_bad"),
        ("a ", "small print", "small print"),
    ],
)
def test_lowered_text_stays_lowered(before: str, inner: str, text: str):
    assert lowered(before, inner) == text


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("1¹/₂ cups", "1½ cups"),
        ("1 ¹⁄₂ cups", "1½ cups"),
        ("about ³/₄ of it", "about ¾ of it"),
        ("2³/₁₆ inches", "2 3⁄16 inches"),
        ("¹/2 cup", "½ cup"),
        ("10²/4", "10²/4"),
        ("m²/3", "m²/3"),
        ("20ºC, 120⁰ F", "20°C, 120° F"),
        ("el 1º de mayo", "el 1º de mayo"),
    ],
)
def test_fractions_and_degrees_are_written_in_full(line: str, text: str):
    assert with_fractions(line) == text


@pytest.mark.parametrize("text", ["1", "[4]", "†", "a", "iv", "1,2", "³", "↩", "note 3", "[when?]"])
def test_marks(text: str):
    assert is_note_mark(text)


@pytest.mark.parametrize("text", ["km", "Read", "2026", "a b c of the whole long text", "wrote", "10%"])
def test_words_and_years_are_no_marks(text: str):
    assert not is_note_mark(text)


TEXT = st.text("019,. aAmx)(×%°º²¹₂/⁄", max_size=12)


@given(TEXT, st.from_regex(r"[0-9]{1,3}", fullmatch=True), st.booleans())
def test_no_digit_is_ever_joined_to_a_digit(before: str, inner: str, note: bool):
    assert not any(char in "0123456789" for char in raised(before, inner, note=note))


@given(TEXT, TEXT)
def test_any_text_can_be_raised_and_lowered(before: str, inner: str):
    with_fractions(before + raised(before, inner) + lowered(before, inner))
