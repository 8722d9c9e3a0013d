"""Bodies: undo a content coding as bytes come in, and stop as soon as a size passes its limit. Pure."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor
    else:
        from backports.zstd import ZstdDecompressor

PIECE_BYTES = 256 * 1024
MAX_PARTS = 1_000
"""How many gzip members or zstd frames one answer may hold; each costs a decoder of its own."""

WINDOW_LOG = 23
"""A zstd window of 8 MB, the most that RFC 9659 lets a server use, and so the most memory a decoder takes."""

_GZIP_MEMBER = b"\x1f\x8b"
_ZSTD_FRAMES = (b"\x28\xb5\x2f\xfd", *(bytes([kind, 0x2A, 0x4D, 0x18]) for kind in range(0x50, 0x60)))
"""How a frame begins: one of data, and those that are to be skipped (RFC 8878, 3.1)."""


class BodyRefused(Exception):
    """A body passed a limit, or is not what its headers say; the text is a sentence for a person."""


class ContentDecoder(Protocol):
    """Undoes one content coding as bytes come in, a small piece at a time, so that a bomb stops early."""

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what the chunk unpacks to, about PIECE bytes at once. Raises BodyRefused."""
        ...

    def close(self) -> None:
        """Raise BodyRefused if the packed data broke off."""
        ...


class IdentityDecoder:
    """No coding at all."""

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the chunk."""
        yield chunk

    def close(self) -> None:
        """Do nothing: what comes as it is ends where it ends."""


class ZlibDecoder:
    """gzip, several members in a row too (RFC 1952, 2.2), and deflate, with or without its zlib wrapper."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._begun, self._parts = False, 1

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what the chunk unpacks to, at most PIECE bytes at once."""
        while chunk:
            if self._inflater.eof:
                if self._coding != "gzip" or not chunk.startswith(_GZIP_MEMBER):
                    return  # what follows the end is padding
                self._parts = _one_more(self._parts)
                self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield self._unpacked(chunk)
            chunk = self._inflater.unconsumed_tail or self._inflater.unused_data

    def _unpacked(self, chunk: bytes) -> bytes:
        try:
            out = self._inflater.decompress(chunk, PIECE_BYTES)
        except zlib.error:
            if self._coding != "deflate" or self._begun:
                raise _is_not(self._coding) from None
            # Some servers send raw deflate data without the zlib wrapper that RFC 9110, 8.4.1.2 asks for.
            self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                out = self._inflater.decompress(chunk, PIECE_BYTES)
            except zlib.error:
                raise _is_not(self._coding) from None
        self._begun = True
        return out

    def close(self) -> None:
        """Complain if the packed data broke off."""
        _complain_unless(self._inflater.eof or not self._begun)


class BrotliDecoder:
    """br (RFC 7932); its window is 16 MB at most."""

    def __init__(self) -> None:
        import brotli  # noqa: PLC0415 - most servers pack with gzip

        self._unpacker, self._failure = brotli.Decompressor(), brotli.error
        self._begun = False

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what the chunk unpacks to; the decoder stops at the first buffer that is full."""
        while piece := self._unpacked(chunk):
            yield piece
            if self._unpacker.is_finished():
                return
            chunk = b""  # it keeps what it has not come to

    def _unpacked(self, chunk: bytes) -> bytes:
        self._begun = True
        try:
            out: bytes = self._unpacker.process(chunk, output_buffer_limit=PIECE_BYTES)
        except self._failure:
            raise _is_not("br") from None
        return out

    def close(self) -> None:
        """Complain if the packed data broke off."""
        _complain_unless(self._unpacker.is_finished() or not self._begun)


class ZstdDecoder:
    """zstd, several frames in a row too (RFC 8878, 3.1), with no larger window than RFC 9659 allows."""

    def __init__(self) -> None:
        self._unpacker, self._failure = _zstd()
        self._begun, self._parts = False, 1

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what the chunk unpacks to, at most PIECE bytes at once."""
        while chunk or not (self._unpacker.needs_input or self._unpacker.eof):
            if self._unpacker.eof:
                if not chunk.startswith(_ZSTD_FRAMES):
                    return  # what follows the end is padding
                self._parts = _one_more(self._parts)
                self._unpacker, _ = _zstd()
            try:
                piece = self._unpacker.decompress(chunk, PIECE_BYTES)
            except self._failure:
                raise _is_not("zstd") from None
            self._begun = True
            chunk = self._unpacker.unused_data if self._unpacker.eof else b""
            yield piece

    def close(self) -> None:
        """Complain if the packed data broke off."""
        _complain_unless(self._unpacker.eof or not self._begun)


CODINGS: dict[str, Callable[[], ContentDecoder]] = {
    "gzip": lambda: ZlibDecoder("gzip"),
    "deflate": lambda: ZlibDecoder("deflate"),
    "br": BrotliDecoder,
    "zstd": ZstdDecoder,
}
ACCEPTED = ", ".join(CODINGS)
"""What we tell servers that we can undo."""


def decoder_for(header: str) -> ContentDecoder:
    """Return the decoder for a Content-Encoding header; raises BodyRefused for codings we never ask for."""
    codings = [word.strip().lower() for word in header.split(",") if word.strip()]
    codings = [word.removeprefix("x-") for word in codings if word != "identity"]
    if not codings:
        return IdentityDecoder()
    if len(codings) > 1 or codings[0] not in CODINGS:
        raise BodyRefused(f"the answer is packed as {header[:40]!r}, which we did not ask for")
    return CODINGS[codings[0]]()


def _zstd() -> tuple[ZstdDecompressor, type[Exception]]:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415 - as for br
    else:
        from backports import zstd  # noqa: PLC0415 - as for br

    limits: dict[int, int] = {zstd.DecompressionParameter.window_log_max: WINDOW_LOG}
    return zstd.ZstdDecompressor(options=limits), zstd.ZstdError


def _one_more(parts: int) -> int:
    if parts >= MAX_PARTS:
        raise BodyRefused(f"the answer is packed in more than {MAX_PARTS:,} parts")
    return parts + 1


def _is_not(coding: str) -> BodyRefused:
    return BodyRefused(f"the answer is not the {coding} that its headers say")


def _complain_unless(whole: bool) -> None:
    if not whole:
        raise BodyRefused("the answer broke off before its end")


def format_megabytes(size: int) -> str:
    """Write a size in bytes for a person."""
    return f"{size / 1024 / 1024:g} MB"
