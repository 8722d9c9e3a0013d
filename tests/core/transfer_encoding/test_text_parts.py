"""The encoding of a part is the smaller one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.placeholders import Placeholder
from service.core.transfer_encoding.text_parts import (
    USUAL_VALUE_BYTES,
    TransferEncoding,
    encoded_size,
    most_encoded_bytes,
    quoted_printable_size,
    smallest_encoding,
    split_part,
)

ENGLISH = "The harbour reopened on Monday, the port said.\n" * 20
PIECES = [
    "a",
    "word ",
    "ä",
    "字",
    "👩",
    "=",
    "&",
    " ",
    "\t",
    ".",
    "From ",
    "\n",
    "\n.",
    "\r",
    "\u2028",
    "\x85",
]
PIECES += ["\0", "\ud800", "x" * 70, *(place.marker for place in Placeholder)]
ARABIC = "أعلنت الهيئة أن البئر الجديدة تكفي حاجة المدينة من مياه الشرب.\n" * 20


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (ENGLISH, TransferEncoding.QUOTED_PRINTABLE),
        ("Nach neun Tagen fährt die Bahn wieder überall.\n" * 20, TransferEncoding.QUOTED_PRINTABLE),
        (ARABIC, TransferEncoding.BASE64),
        ("高原天文台公布首批星系图像。\n" * 20, TransferEncoding.BASE64),
        ("Поезда снова ходят по расписанию.\n" * 20, TransferEncoding.BASE64),
    ],
)
def test_a_part_has_the_encoding_in_which_it_is_smaller(text: str, encoding: TransferEncoding):
    assert smallest_encoding(text) is encoding


def test_base64_takes_about_half_of_quoted_printable_for_arabic():
    assert encoded_size(ARABIC) < 1.4 * len(ARABIC.encode())


def test_a_placeholder_counts_as_a_value_of_the_usual_length():
    place = Placeholder.UNSUBSCRIBE_URL.marker

    for text in (ENGLISH, ARABIC):
        assert encoded_size(text + place) >= encoded_size(text) + USUAL_VALUE_BYTES


def test_a_part_is_split_at_its_placeholders():
    texts, places = split_part(f"a\r\nb{Placeholder.NAME.marker}\x07c\u2028d\n\n")

    assert texts == ["a\nb", "c\nd"]
    assert places == ["name"]


@given(
    st.lists(st.sampled_from(PIECES), max_size=5).flatmap(
        lambda some: st.lists(st.sampled_from(some or [""]))
    )
)
def test_no_part_is_larger_than_the_most_bytes_that_it_can_take(pieces: list[str]):
    part = "".join(pieces)

    assert encoded_size(part) <= most_encoded_bytes(part)


def test_the_most_bytes_of_ordinary_text_are_few_more_than_its_size():
    text = ENGLISH.replace("\n", " ")

    assert most_encoded_bytes(text) < 1.12 * encoded_size(text)


def test_quoted_printable_is_counted_as_sent():
    assert quoted_printable_size("abc") == 3
    assert quoted_printable_size("ä=") == 9
    assert quoted_printable_size("one\ntwo") == 8
    assert quoted_printable_size("x" * 80) > 80 + 2
