"""Decompression: decode content codings as bytes arrive, with limits on time and memory. Pure."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from typing_extensions import override

from service.gather.ports import ContentDecoder

if TYPE_CHECKING:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor
    else:
        from backports.zstd import ZstdDecompressor

PIECE_BYTES = 256 * 1024
MAX_PARTS = 1_000  # gzip members or zstd frames per response; each needs a new decoder
WINDOW_LOG = 23  # a zstd window of 8 MB: the largest that RFC 9659 allows, and the memory of one decoder

_GZIP_MEMBER = b"\x1f\x8b"
_ZSTD_FRAMES = (b"\x28\xb5\x2f\xfd", *(bytes([kind, 0x2A, 0x4D, 0x18]) for kind in range(0x50, 0x60)))
"""The magic numbers of data frames and skippable frames (RFC 8878, 3.1)."""


class BodyRefused(Exception):
    """A body exceeds a limit or contradicts its headers; the text is a sentence for people."""


class IdentityDecoder(ContentDecoder):
    """No content coding."""

    @override
    def decode(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    @override
    def close(self) -> None:
        pass


class ZlibDecoder(ContentDecoder):
    """gzip with any number of members (RFC 1952, 2.2), and deflate with or without its zlib wrapper."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._decompressor = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._started, self._parts = False, 1

    @override
    def decode(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._decompressor.eof:
                if self._coding != "gzip" or not chunk.startswith(_GZIP_MEMBER):
                    return  # padding after the end
                self._parts = _next_part(self._parts)
                self._decompressor = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield self._decompress(chunk)
            chunk = self._decompressor.unconsumed_tail or self._decompressor.unused_data

    def _decompress(self, chunk: bytes) -> bytes:
        try:
            out = self._decompressor.decompress(chunk, PIECE_BYTES)
        except zlib.error:
            if self._coding != "deflate" or self._started:
                raise _invalid(self._coding) from None
            # Some servers send raw deflate data without the zlib wrapper that RFC 9110, 8.4.1.2 asks for.
            self._decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                out = self._decompressor.decompress(chunk, PIECE_BYTES)
            except zlib.error:
                raise _invalid(self._coding) from None
        self._started = True
        return out

    @override
    def close(self) -> None:
        _require_end(self._decompressor.eof or not self._started)


class BrotliDecoder(ContentDecoder):
    """br (RFC 7932), whose window is at most 16 MB."""

    def __init__(self) -> None:
        import brotli  # noqa: PLC0415 - most servers use gzip

        self._decompressor, self._error = brotli.Decompressor(), brotli.error
        self._started = False

    @override
    def decode(self, chunk: bytes) -> Iterator[bytes]:
        while piece := self._decompress(chunk):
            yield piece
            if self._decompressor.is_finished():
                return
            chunk = b""  # the decoder stops at a full buffer and keeps the rest of its input

    def _decompress(self, chunk: bytes) -> bytes:
        self._started = True
        try:
            out: bytes = self._decompressor.process(chunk, output_buffer_limit=PIECE_BYTES)
        except self._error:
            raise _invalid("br") from None
        return out

    @override
    def close(self) -> None:
        _require_end(self._decompressor.is_finished() or not self._started)


class ZstdDecoder(ContentDecoder):
    """zstd with any number of frames (RFC 8878, 3.1) and a window as RFC 9659 limits it."""

    def __init__(self) -> None:
        self._decompressor, self._error = _zstd()
        self._started, self._parts = False, 1

    @override
    def decode(self, chunk: bytes) -> Iterator[bytes]:
        while chunk or not (self._decompressor.needs_input or self._decompressor.eof):
            if self._decompressor.eof:
                if not chunk.startswith(_ZSTD_FRAMES):
                    return  # padding after the end
                self._parts = _next_part(self._parts)
                self._decompressor, _ = _zstd()
            try:
                piece = self._decompressor.decompress(chunk, PIECE_BYTES)
            except self._error:
                raise _invalid("zstd") from None
            self._started = True
            chunk = self._decompressor.unused_data if self._decompressor.eof else b""
            yield piece

    @override
    def close(self) -> None:
        _require_end(self._decompressor.eof or not self._started)


CODINGS: dict[str, Callable[[], ContentDecoder]] = {
    "gzip": lambda: ZlibDecoder("gzip"),
    "deflate": lambda: ZlibDecoder("deflate"),
    "br": BrotliDecoder,
    "zstd": ZstdDecoder,
}
ACCEPTED = ", ".join(CODINGS)
"""The value of Accept-Encoding."""


def decoder_for(header: str) -> ContentDecoder:
    """Return the decoder for a Content-Encoding header. Raises BodyRefused for a coding not in ACCEPTED."""
    codings = [word.strip().lower() for word in header.split(",") if word.strip()]
    codings = [word.removeprefix("x-") for word in codings if word != "identity"]
    if not codings:
        return IdentityDecoder()
    if len(codings) > 1 or codings[0] not in CODINGS:
        raise BodyRefused(f"the response uses the content coding {header[:40]!r}, which was not requested")
    return CODINGS[codings[0]]()


def _zstd() -> tuple[ZstdDecompressor, type[Exception]]:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415 - as for br
    else:
        from backports import zstd  # noqa: PLC0415 - as for br

    limits: dict[int, int] = {zstd.DecompressionParameter.window_log_max: WINDOW_LOG}
    return zstd.ZstdDecompressor(options=limits), zstd.ZstdError


def _next_part(parts: int) -> int:
    if parts >= MAX_PARTS:
        raise BodyRefused(f"the response is compressed in more than {MAX_PARTS:,} parts")
    return parts + 1


def _invalid(coding: str) -> BodyRefused:
    return BodyRefused(f"the response is not valid {coding}, which its headers declare")


def _require_end(complete: bool) -> None:
    if not complete:
        raise BodyRefused("the response ended early")


def format_megabytes(size: int) -> str:
    """Return a size in bytes as text: `8 MB`."""
    return f"{size / 1024 / 1024:g} MB"
