"""Base64 (RFC 2045, 6.8) of a text with fields for values (pure).

Three bytes become four letters, so the letters behind a value depend on its length. Each fixed piece is
therefore encoded three times, without its first 0, 1 or 2 bytes: these are encoded with the value before it,
so that the piece begins at a multiple of three. Line breaks mean nothing in base64: every piece has its own.
"""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Sequence


class Base64Template:
    """A text encoded once, around values that differ."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        """`pieces` are the fixed parts before, between and behind the values: one more than the values."""
        first, *self._pieces = pieces
        self.start, self._rest_of_start = _split(first)
        self._variants = [tuple(_split(piece[skip:]) for skip in range(3)) for piece in self._pieces]

    @property
    def filled_pieces(self) -> int:
        """The number of pieces that `fill` returns."""
        return 2 * len(self._pieces) + 1

    def fill(self, values: Sequence[bytes]) -> list[bytes]:
        """Return what stands behind `start`: for each value itself and the piece behind it, then the end."""
        filled: list[bytes] = []
        rest = self._rest_of_start
        for value, piece, variants in zip(values, self._pieces, self._variants, strict=True):
            rest += value
            skip = -len(rest) % 3
            if len(piece) < skip:
                rest += piece
                filled += (b"", b"")
                continue
            own = encoded_lines(rest + piece[:skip])
            encoded, rest = variants[skip]
            filled += (own, encoded)
        return [*filled, encoded_lines(rest)]


def encoded_lines(data: bytes) -> bytes:
    """Return the bytes in base64, on lines of 76 letters at most, each with CRLF."""
    return encodebytes(data).replace(b"\n", b"\r\n")


def _split(piece: bytes) -> tuple[bytes, bytes]:
    """Return the encoded piece without the bytes beyond a multiple of three, and these bytes."""
    end = len(piece) - len(piece) % 3
    return encoded_lines(piece[:end]), piece[end:]
