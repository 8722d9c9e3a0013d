"""Signed tokens for links: each states a purpose and its claims, without a session or a look-up table."""

from __future__ import annotations

import base64
import binascii
import hmac
from functools import lru_cache

SIGNATURE_BYTES = 16
_URL_SAFE = bytes.maketrans(b"+/", b"-_")

UNSUBSCRIBE = "unsubscribe"
PREFERENCES = "preferences"
ISSUE = "issue"
ARCHIVE = "archive"


def sign(key: bytes, purpose: str, *claims: str) -> str:
    """Return a URL-safe token for the claims, valid for one purpose and for the lifetime of the key.

    Tokens do not expire: an unsubscribe link must work for at least 30 days (CAN-SPAM, 16 CFR 316). Raises
    ValueError for a claim with a line feed, which would be read back as two claims.
    """
    body = "\n".join(claims).encode()
    if body.count(b"\n") != len(claims) - 1:
        raise ValueError("a claim must not contain a line feed")
    return _encode(body) + "." + _encode(_signature(key, purpose, body))


def read(key: bytes, purpose: str, token: str) -> tuple[str, ...] | None:
    """Return the claims of a token that `key` signed for `purpose`, or None for any other string."""
    try:
        claims = tuple(_decode(token.partition(".")[0]).decode().split("\n"))
        given = token.encode()
    except ValueError:
        return None
    # Signing again, not decoding the signature: Base64 has several spellings for the same bytes.
    return claims if hmac.compare_digest(given, sign(key, purpose, *claims).encode()) else None


def signature(key: bytes, purpose: str, claim: str) -> str:
    """Return the URL-safe signature of one claim, for a URL that names the claim itself."""
    return _encode(_signature(key, purpose, claim.encode("utf-8", "surrogatepass")))


def is_signature(key: bytes, purpose: str, claim: str, given: str) -> bool:
    """Return whether `given` is the signature of the claim, in constant time."""
    expected = signature(key, purpose, claim)
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _signature(key: bytes, purpose: str, body: bytes) -> bytes:
    signature = _begun(key, purpose).copy()
    signature.update(body)
    return signature.digest()[:SIGNATURE_BYTES]


@lru_cache(maxsize=16)
def _begun(key: bytes, purpose: str) -> hmac.HMAC:
    # Cached for each key, because OpenSSL needs twice as long for this as for everything else.
    return hmac.new(key, purpose.encode() + b"\0", "sha256")


def _encode(data: bytes) -> str:
    # Faster than base64.urlsafe_b64encode: each mail to each subscriber has two links.
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE, b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
