"""Import text: detects the encoding of a CSV file: UTF-8, UTF-16 or Windows-1252.

Excel saves "CSV" in the machine's code page, "Unicode text" as UTF-16 with tabs, "CSV UTF-8" as UTF-8.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from service.core.errors import UsageError

SAMPLE_BYTES = 1024 * 1024
"""Bytes from which the encoding of a pipe is guessed, and per read of a file."""

HOW_TO_SAVE = "save it as CSV (in Excel: File, Save As, CSV UTF-8) and import that file"
FOREIGN_SIGNATURES = (
    (b"PK\x03\x04", "a spreadsheet (such as .xlsx or .ods) or another zip file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"%PDF", "a PDF file"),
    (b"\x1f\x8b", "a file compressed with gzip"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML file"),
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BROKEN = re.compile("[\udc80-\udcff]")
_WIDE = re.compile("[^\x00-\x7f\udc80-\udcff]")


class _Replayed(io.RawIOBase):
    """A pipe read from its start, although its first bytes were read before."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        """Return True, as io.RawIOBase requires."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read into the buffer; return the number of bytes."""
        piece = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def read_head(source: BinaryIO) -> tuple[bytes, BinaryIO]:
    """Return the first bytes of a file or pipe, and a stream that starts at its first byte."""
    head = source.read(SAMPLE_BYTES)
    if not source.seekable():
        return head, io.BufferedReader(_Replayed(head, source))
    source.seek(-len(head), io.SEEK_CUR)
    return head, source


def open_text(head: bytes, source: BinaryIO, name: str, on_note: Callable[[str], None]) -> io.TextIOWrapper:
    """Return `source` as text with its line endings unchanged; `head` are its first bytes.

    Invalid bytes become surrogates, which are invalid in an address, so only their row is refused. `on_note`
    gets a sentence when the encoding is a guess. Raises UsageError for a file that is not a text table.
    """
    if not head.strip():
        raise UsageError(f"{name} is empty")
    for signature, what in FOREIGN_SIGNATURES:
        if head[: len(signature)].lower() == signature.lower():
            raise UsageError(f"{name} is {what}, not CSV; {HOW_TO_SAVE}")
    encoding = _marked(head) or _guessed(head, source)
    if encoding == "cp1252":
        on_note(f"{name} is not UTF-8 and is read as Windows-1252; if names come out wrong, {HOW_TO_SAVE}")
    errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    return io.TextIOWrapper(source, encoding, errors, newline="")


def _marked(head: bytes) -> str | None:
    """Return the encoding by its byte order mark, or by the zero bytes of UTF-16 without a mark."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = head[first::2].count(0), head[1 - first :: 2].count(0)
        if zeros * 2 > len(head) // 2 and not others:
            return encoding
    return None


def _guessed(head: bytes, source: BinaryIO) -> str:
    """Return `utf-8`, even with a few invalid bytes, else `cp1252`.

    Bytes of Windows-1252 text rarely form a valid character of UTF-8, so the more frequent kind decides.
    """
    broken = wide = 0
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for piece in _pieces(head, source):
        text = decoder.decode(piece)
        if not text.isascii():
            broken += len(_BROKEN.findall(text))
            wide += len(_WIDE.findall(text))
    return "utf-8" if broken == 0 or wide >= broken else "cp1252"


def _pieces(head: bytes, source: BinaryIO) -> Iterator[bytes]:
    """Yield a file piece by piece and rewind it; for a pipe, yield only its first bytes."""
    if not source.seekable():
        yield head
        return
    start = source.tell()
    while piece := source.read(SAMPLE_BYTES):
        yield piece
    source.seek(start)
