"""Headers: header lines of a mail, safe with any input (pure): RFC 5322, RFC 2047, RFC 6532."""

from __future__ import annotations

import re
from email.header import Header
from email.utils import parseaddr

import idna

MAX_LINE_CHARACTERS = 76
MAX_TEXT_CHARACTERS = 300
FOLD = "\r\n"
_POISON = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ue000-\uf8ff]"
)
_PLAIN = re.compile(r"[\x20-\x7e]*")
_EASY_NAME = re.compile(r"[A-Za-z0-9'!#$%&*+/=^_`{|}~-]+(?: [A-Za-z0-9'!#$%&*+/=^_`{|}~-]+)*")
_EASY_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")
_SPECIAL = re.compile(r'[()<>@,;:\\".\[\]]')


def clean_text(text: str) -> str:
    """Return text on one line without controls, direction marks, lone surrogates and private characters."""
    if len(text) < MAX_TEXT_CHARACTERS and _EASY_NAME.fullmatch(text):
        return text
    return " ".join(_POISON.sub(" ", text).split())[:MAX_TEXT_CHARACTERS].rstrip()


def unstructured(name: str, text: str) -> bytes:
    """Return the header `name: text`, folded at 76 characters, in encoded words where needed."""
    text = clean_text(text)
    # A plain "=?" must not be read as the start of an encoded word.
    plain = _PLAIN.fullmatch(text) and "=?" not in text and max(map(len, text.split()), default=0) < 60
    header = Header(text, "us-ascii" if plain else "utf-8", maxlinelen=MAX_LINE_CHARACTERS, header_name=name)
    return f"{name}: {header.encode(linesep=FOLD)}\r\n".encode()


def mailbox(name: str, address: str) -> bytes:
    """Return `"name" <address>` for a From or To header; the address alone when there is no name."""
    if len(name) < 60 and _EASY_NAME.fullmatch(name):
        return f"{name} <{address}>".encode("utf-8", "replace")
    name = clean_text(name)[:100]
    angle = b"<" + address.encode("utf-8", "replace") + b">"
    if not name:
        return address.encode("utf-8", "replace")
    if not _PLAIN.fullmatch(name) or "=?" in name:
        words = Header(name, "utf-8", maxlinelen=MAX_LINE_CHARACTERS, header_name="From").encode(linesep=FOLD)
        return words.encode() + b"\r\n " + angle
    if _SPECIAL.search(name):
        name = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    joint = b"\r\n " if len(name) + len(angle) > MAX_LINE_CHARACTERS - len("From: ") else b" "
    return name.encode() + joint + angle


def split_mailbox(text: str) -> tuple[str, str]:
    """Return (name, address) of a From header as written in the configuration."""
    name, address = parseaddr(text.replace("\r", " ").replace("\n", " "))
    return name, address


def envelope_address(address: str) -> str:
    """Return the address for an envelope: the domain by IDNA 2008 (RFC 5891), the local part as it is.

    A local part beyond ASCII needs SMTPUTF8 (RFC 6531) on the way. Raises ValueError for what is no address.
    """
    if _EASY_ADDRESS.fullmatch(address):
        return address
    local, at, domain = address.strip().rpartition("@")
    if not (local and at and domain) or _POISON.search(address) or re.search(r"[\s<>]", address.strip()):
        raise ValueError("it is no address that mail can be sent to")
    if domain.isascii():
        return f"{local}@{domain}"
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError as error:
        raise ValueError(f"its domain is not valid: {error}") from error
