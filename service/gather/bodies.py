"""Bodies: undo a content coding as bytes come in, and stop as soon as a size passes its limit. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PIECE = 256 * 1024


class BodyRefused(Exception):
    """A body passed a limit, or is not what its headers say; the text is a sentence for a person."""


class Decoder:
    """Undoes one content coding as bytes come in, a small piece at a time, so that a bomb stops early."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 32) if coding else None
        self._begun = False

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what the chunk unpacks to, at most PIECE bytes at once."""
        if self._inflater is None:
            yield chunk
            return
        while chunk:
            if self._inflater.eof:
                # A gzip file may be several in a row (RFC 1952, 2.2); what else follows is padding.
                if self._coding != "gzip" or not chunk.startswith(b"\x1f\x8b"):
                    return
                self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield self._unpacked(chunk)
            chunk = self._inflater.unconsumed_tail or self._inflater.unused_data

    def _unpacked(self, chunk: bytes) -> bytes:
        inflater = self._inflater
        assert inflater is not None  # noqa: S101 - for the type checker: pieces has looked
        try:
            out = inflater.decompress(chunk, PIECE)
        except zlib.error:
            if self._coding != "deflate" or self._begun:
                raise BodyRefused(f"the answer is not the {self._coding} that its headers say") from None
            # Some servers send raw deflate data without the zlib wrapper that RFC 9110, 8.4.1.2 asks for.
            self._inflater = inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                out = inflater.decompress(chunk, PIECE)
            except zlib.error:
                raise BodyRefused("the answer is not the deflate that its headers say") from None
        self._begun = True
        return out

    def close(self) -> None:
        """Complain if the packed data broke off."""
        if self._inflater is not None and self._begun and not self._inflater.eof:
            raise BodyRefused("the answer broke off before its end")


def decoder(header: str) -> Decoder:
    """Return the decoder for a Content-Encoding header; raises BodyRefused for codings we never ask for."""
    codings = [word.strip().lower() for word in header.split(",") if word.strip()]
    codings = [word.removeprefix("x-") for word in codings if word != "identity"]
    if not codings:
        return Decoder("")
    if len(codings) > 1 or codings[0] not in ("gzip", "deflate"):
        raise BodyRefused(f"the answer is packed as {header[:40]!r}, which we did not ask for")
    return Decoder(codings[0])


def megabytes(size: int) -> str:
    """Write a size in bytes for a person."""
    return f"{size / 1024 / 1024:g} MB"
