"""Charset detection: decode a document even when its declared encoding is wrong. Pure.

The order is that of RFC 7303 (byte order mark, header, XML declaration), with two exceptions that real feeds
need: valid UTF-8 is UTF-8 even if a header says Latin-1, and UTF-8 with a few invalid bytes is still UTF-8.
"""

from __future__ import annotations

import codecs
import re

MIN_VALID_PER_BROKEN = 4  # UTF-8 characters for each invalid byte in a document that is still read as UTF-8
SAMPLE_BYTES = 64 * 1024  # read by the detection of an undeclared encoding

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
_SIGNATURES = (
    (re.compile(rb"\x00\x00\x00[<{\[\s]"), "utf-32-be"),
    (re.compile(rb"[<{\[\s]\x00\x00\x00"), "utf-32-le"),
    (re.compile(rb"\x00[<{\[\s]\x00[^\x00]"), "utf-16-be"),
    (re.compile(rb"[<{\[\s]\x00[^\x00]\x00"), "utf-16-le"),
    (re.compile(rb"\x4c\x6f\xa7\x94"), "cp037"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']?([A-Za-z][\w.:-]{0,40})""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_LARGER = {
    "ascii": "windows-1252",
    "us-ascii": "windows-1252",
    "iso-8859-1": "windows-1252",
    "latin-1": "windows-1252",
    "latin1": "windows-1252",
    "iso8859-1": "windows-1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "iso-8859-9": "windows-1254",
    "iso-8859-11": "cp874",
}
"""Declared encodings that mean a larger one (WHATWG Encoding, 4.2)."""

_DETECTABLE = frozenset(
    {
        *(
            "cp1251",
            "koi8_r",
            "koi8_u",
            "iso8859_5",
            "cp866",
            "mac_cyrillic",
            "cp1253",
            "iso8859_7",
            "cp1255",
        ),
        *(
            "iso8859_8",
            "cp1256",
            "iso8859_6",
            "cp874",
            "tis_620",
            "iso8859_11",
            "cp932",
            "shift_jis",
            "euc_jp",
        ),
        *("gb2312", "gbk", "gb18030", "big5", "big5hkscs", "cp950", "cp949", "euc_kr", "johab"),
    }
)
"""Encodings of non-Latin scripts, which detection recognizes reliably; Latin ones are too similar."""

_IGNORED = frozenset({"utf-8", "utf-16", "utf-32", "punycode", "idna"})
"""Encodings recognized by their bytes, and two that no document uses and that decode in quadratic time."""

_FORBIDDEN = bytes(byte for byte in range(32) if byte not in b"\t\n\r")


def decode_document(body: bytes, content_type: str = "") -> str:
    """Decode a document. `content_type` is its HTTP header, "" for none. Invalid bytes become U+FFFD."""
    marked = next(((mark, name) for mark, name in _BYTE_ORDER_MARKS if body.startswith(mark)), None)
    if marked is not None:
        return body[len(marked[0]) :].decode(marked[1], "replace")
    shape = next((name for pattern, name in _SIGNATURES if pattern.match(body)), None)
    if shape is not None:
        return body.decode(shape, "replace")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    else:
        # ISO-2022 and HZ encodings consist of ASCII escape sequences, so they look like UTF-8.
        if "\x1b" not in text and ("~" not in text or text.find("~{", 0, SAMPLE_BYTES) < 0):
            return text
    for name in _declared_encodings(body, content_type):
        decoded = _decoded(body, name)
        if decoded is not None:
            return decoded
    return text or _guessed(body)


def reencode_utf8(body: bytes, content_type: str = "") -> bytes:
    """Return the document in UTF-8, without byte order mark and control characters that XML forbids."""
    return decode_document(body, content_type).encode("utf-8", "replace").translate(None, _FORBIDDEN)


def _declared_encodings(body: bytes, content_type: str) -> list[str]:
    """Return the encodings declared in the header and in the XML declaration, in that order."""
    in_header, in_document = _CHARSET.search(content_type), _DECLARED.match(body.lstrip()[:300])
    names = [in_header.group(1)] if in_header else []
    if in_document:
        names.append(in_document.group(1).decode("ascii"))
    return [_LARGER.get(name.lower(), name.lower()) for name in names]


def _decoded(body: bytes, name: str) -> str | None:
    """Decode strictly; None for a wrong declaration or an unknown encoding."""
    try:
        if codecs.lookup(name).name in _IGNORED:
            return None
        return body.decode(name)
    except (LookupError, UnicodeError, ValueError):
        return None


def _guessed(body: bytes) -> str:
    """Decode a document without a correct declaration."""
    faulty = body.decode("utf-8", "replace")
    broken = faulty.count("\ufffd")
    whole = sum(1 for byte in body if byte >= 0xC2) - broken
    if whole >= MIN_VALID_PER_BROKEN * broken:
        return faulty
    return body.decode(_detected(body), "replace")


def _detected(body: bytes) -> str:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - rarely needed and slow to load

    first = next((n for n, byte in enumerate(body) if byte >= 0x80), 0)
    best = from_bytes(body[max(0, first - SAMPLE_BYTES // 4) :][:SAMPLE_BYTES]).best()
    return best.encoding if best is not None and best.encoding in _DETECTABLE else "windows-1252"
