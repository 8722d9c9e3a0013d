"""Charset: which characters a document's bytes stand for, whatever it claims. Pure.

The order is RFC 7303's (byte order mark, header, XML declaration), with two lessons from real feeds: bytes
that are valid UTF-8 are UTF-8 even if a header says Latin-1, and a handful of broken bytes does not make a
UTF-8 document anything else.
"""

from __future__ import annotations

import codecs
import re

MIN_VALID_PER_BROKEN = 4
"""So many whole UTF-8 characters for each broken byte make a document UTF-8 with faults."""
SAMPLE_BYTES = 64 * 1024

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
_SHAPES = (
    (re.compile(rb"\x00\x00\x00[<{\[\s]"), "utf-32-be"),
    (re.compile(rb"[<{\[\s]\x00\x00\x00"), "utf-32-le"),
    (re.compile(rb"\x00[<{\[\s]\x00[^\x00]"), "utf-16-be"),
    (re.compile(rb"[<{\[\s]\x00[^\x00]\x00"), "utf-16-le"),
    (re.compile(rb"\x4c\x6f\xa7\x94"), "cp037"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']?([A-Za-z][\w.:-]{0,40})""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_WIDER = {
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
"""Encodings that people name when they mean a wider one (WHATWG Encoding, 4.2)."""

_TELLABLE = frozenset(
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
"""Encodings of scripts other than Latin, which a guess tells well; Latin ones look too much alike."""

_NEVER_NAMED = frozenset({"utf-8", "utf-16", "utf-32", "punycode", "idna"})
"""Encodings that are seen by their shape, and two that decode in quadratic time and that no document has."""

_FORBIDDEN = bytes(byte for byte in range(32) if byte not in b"\t\n\r")


def decode_document(body: bytes, content_type: str = "") -> str:
    """Return the document's characters. `content_type` is the header that came with it, "" for none.

    Never raises: what cannot be decoded becomes U+FFFD.
    """
    marked = next(((mark, name) for mark, name in _MARKS if body.startswith(mark)), None)
    if marked is not None:
        return body[len(marked[0]) :].decode(marked[1], "replace")
    shape = next((name for pattern, name in _SHAPES if pattern.match(body)), None)
    if shape is not None:
        return body.decode(shape, "replace")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    else:
        # Escape sequences are ASCII, so that these look like UTF-8 whatever they say.
        if "\x1b" not in text and ("~" not in text or text.find("~{", 0, SAMPLE_BYTES) < 0):
            return text
    for name in _named(body, content_type):
        decoded = _decoded(body, name)
        if decoded is not None:
            return decoded
    return text or _guessed(body)


def reencode_utf8(body: bytes, content_type: str = "") -> bytes:
    """Return the document in UTF-8, without a mark and without the control characters that XML forbids."""
    return decode_document(body, content_type).encode("utf-8", "replace").translate(None, _FORBIDDEN)


def _named(body: bytes, content_type: str) -> list[str]:
    """Return the encodings that header and declaration name, in that order."""
    in_header, in_document = _CHARSET.search(content_type), _DECLARED.match(body.lstrip()[:300])
    names = [in_header.group(1)] if in_header else []
    if in_document:
        names.append(in_document.group(1).decode("ascii"))
    return [_WIDER.get(name.lower(), name.lower()) for name in names]


def _decoded(body: bytes, name: str) -> str | None:
    """Decode strictly, so that a wrong claim is found out; None when it is, or when nobody knows the name."""
    try:
        if codecs.lookup(name).name in _NEVER_NAMED:
            return None
        return body.decode(name)
    except (LookupError, UnicodeError, ValueError):
        return None


def _guessed(body: bytes) -> str:
    """Return the text of a document whose claims are all wrong."""
    faulty = body.decode("utf-8", "replace")
    broken = faulty.count("\ufffd")
    whole = sum(1 for byte in body if byte >= 0xC2) - broken
    if whole >= MIN_VALID_PER_BROKEN * broken:
        return faulty
    return body.decode(_likeliest(body), "replace")


def _likeliest(body: bytes) -> str:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - rarely needed, and slow to load

    first = next((n for n, byte in enumerate(body) if byte >= 0x80), 0)
    best = from_bytes(body[max(0, first - SAMPLE_BYTES // 4) :][:SAMPLE_BYTES]).best()
    return best.encoding if best is not None and best.encoding in _TELLABLE else "windows-1252"
