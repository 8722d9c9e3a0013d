"""A text in base64 with values of any length in it."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from service.core.transfer_encoding.base64_template import Base64Template, encoded_lines

PIECES = st.binary(max_size=200) | st.binary(max_size=2)


@given(PIECES, st.lists(st.tuples(PIECES, PIECES), max_size=6))
def test_a_filled_template_decodes_to_its_pieces_and_values(first, following):
    template = Base64Template([first, *(piece for _, piece in following)])
    filled = template.fill([value for value, _ in following])
    data = b"".join((template.start, *filled))

    assert len(filled) == template.filled_pieces
    assert base64.b64decode(data, validate=False) == first + b"".join(v + piece for v, piece in following)
    assert all(len(line) <= 76 for line in data.split(b"\r\n"))
    assert data.rstrip(b"=\r\n").find(b"=") == -1, "padding stands at the end only"


def test_one_template_is_filled_again_and_again():
    template = Base64Template([b"Dear ", b", your page is ", b"."])

    for name, page in ((b"A", b"1"), (b"Be", b"22"), (b"Cla", b""), (b"", b"4444")):
        data = template.start + b"".join(template.fill([name, page]))
        assert base64.b64decode(data) == b"Dear " + name + b", your page is " + page + b"."


def test_nothing_is_encoded_as_nothing():
    assert encoded_lines(b"") == b""
    assert Base64Template([b""]).fill([]) == [b""]
