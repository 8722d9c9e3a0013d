"""Quoted-printable parts that can be joined."""

from __future__ import annotations

import quopri

from hypothesis import given
from hypothesis import strategies as st

from service.core.transfer_encoding.quoted_printable import encode, encode_open, encode_value

LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=500)


def decoded(data: bytes) -> str:
    return quopri.decodestring(data).replace(b"\r\n", b"\n").decode()


@given(LINES)
def test_encoded_text_decodes_to_itself_in_short_lines(text):
    data = encode(text)
    assert decoded(data) == text
    assert all(len(line) <= 76 for line in data.split(b"\r\n"))


@given(LINES, LINES, LINES)
def test_pieces_and_values_may_be_joined(before, value, after):
    data = encode_open(before) + encode_value(value) + encode(after)
    assert decoded(data) == before + value + after
    assert all(len(line) <= 76 for line in data.split(b"\r\n"))


@given(LINES)
def test_no_line_begins_with_a_dot_or_from(text):
    lines = encode(text).split(b"\r\n")
    assert not any(line.startswith((b".", b"From ")) for line in lines)


def test_a_line_of_maximum_length_is_not_broken():
    assert encode("x" * 76) == b"x" * 76
    assert encode("x" * 77) == b"x" * 75 + b"=\r\nxx"


def test_an_escape_sequence_or_character_is_never_split():
    for offset in range(12):
        for line in encode("x" * (64 + offset) + "王🌍é" * 3).split(b"=\r\n"):
            quopri.decodestring(line).decode()


def test_white_space_at_the_end_of_a_line_is_kept():
    assert encode("a \nb\t") == b"a=20\r\nb=09"
