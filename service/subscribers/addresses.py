"""Addresses: email addresses in the one spelling under which a person is known."""

from __future__ import annotations

import re
import unicodedata

from email_validator import EmailNotValidError, validate_email

from service.core.errors import UsageError

MAX_ADDRESS_CHARACTERS = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
_PLAIN = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
_SPECIAL = (".local", ".localhost", ".invalid", ".arpa", ".onion")


def read_address(text: str) -> str:
    """Return the address with its domain in lower case and in Unicode (IDNA 2008), its local part as it is.

    No name server is asked. Raises UsageError with a sentence for what is no address.
    """
    text = text.strip()
    # Nearly every address is of this plain kind, and the full check takes ten times as long.
    if len(text) <= MAX_ADDRESS_CHARACTERS and _PLAIN.fullmatch(text) and "xn--" not in text:
        local, _, domain = text.rpartition("@")
        if not domain.lower().endswith(_SPECIAL):
            return f"{local}@{domain.lower()}"
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True).normalized
    except (EmailNotValidError, ValueError) as error:
        # The library's sentences begin with a capital letter and hold no address.
        reason = str(error).rstrip(".")
        raise UsageError(f"{_shown(text)} is no email address: {reason[:1].lower()}{reason[1:]}") from None
    return unicodedata.normalize("NFC", found)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...") if text else "nothing"
