"""DKIM (EDGE cryptography): signatures of our mail, by RSA or Ed25519: RFC 6376, RFC 8463.

Both canonicalisations are `relaxed`. The parts of head and body that all recipients of an issue
share are made canonical and hashed once; each recipient's own parts are added, and the digest is signed:
here, or ahead of sending by other processes (dkim_pool.py), which get only digests.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from service.core.errors import CaveatError

MIN_RSA_BITS = 1024

# RFC 6376, 5.4.1, and all headers about unsubscribing (RFC 8058, 4). A header that is named
# twice and exists once cannot be added later (oversigning: RFC 6376, 8.15).
SIGNED_HEADERS = (
    *("From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"),
    *("Auto-Submitted", "Feedback-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
)
OVERSIGNED_HEADERS = ("From", "To", "Subject", "Date")

_BLANKS = re.compile(rb"[ \t]+")
_TRAILING = re.compile(rb"(?<![ \t])[ \t]+(?=\r\n)")  # a run is read from its first blank alone
_FOLDS = re.compile(rb"\r\n(?=[ \t])")


@dataclass(frozen=True, slots=True)
class DkimSigner:
    """A key that signs for `domain`; its public part is in DNS at `selector._domainkey.domain`.

    `file` is where it was read from, if it was.
    """

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey
    file: Path | None = None

    @classmethod
    def from_file(cls, domain: str, selector: str, path: Path) -> DkimSigner:
        """Read the key from a PEM file; raises CaveatError when it cannot be used for DKIM."""
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except OSError as error:
            raise CaveatError(f"the DKIM key {path} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError) as error:
            raise CaveatError(f"the DKIM key {path} is no unencrypted private key in PEM") from error
        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise CaveatError(f"the DKIM key {path} is of a kind that DKIM does not know; use RSA or Ed25519")
        if isinstance(key, RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
            raise CaveatError(f"the DKIM key {path} has {key.key_size} bits; receivers want 1024 at least")
        return cls(domain, selector, key, path.absolute())

    @property
    def key_reference(self) -> tuple[Path, bytes]:
        """The key's file, from which another process reads it, and the fingerprint to check it."""
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return self.file or Path(), sha256(self.key.public_key().public_bytes(*form)).digest()

    @property
    def dns_record(self) -> str:
        """The TXT record that belongs at SELECTOR._domainkey.DOMAIN (RFC 6376, 3.6.1; RFC 8463, 4)."""
        public = self.key.public_key()
        if isinstance(public, Ed25519PublicKey):
            kind, data = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        else:
            kind, data = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k={kind}; p={base64.b64encode(data).decode()}"

    def unsigned_header(
        self, headers: CanonicalHeaders, body_hash: bytes, at: datetime
    ) -> UnsignedDkimHeader:
        """Return the DKIM-Signature header before it is signed; always the same for the same message."""
        algorithm = "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"
        names = [name for name in SIGNED_HEADERS if name.lower() in headers]
        named = ":".join([*names, *OVERSIGNED_HEADERS])
        unsigned = (
            f"v=1; a={algorithm}; c=relaxed/relaxed;\r\n"
            f" d={self.domain}; s={self.selector}; t={int(at.timestamp())};\r\n h={_folded(named, ':')};\r\n"
            f" bh={base64.b64encode(body_hash).decode()};\r\n b="
        ).encode()
        own = b"dkim-signature:" + relaxed_header_value(unsigned)
        digest = sha256(b"".join([headers[name.lower()] for name in names]) + own).digest()
        return UnsignedDkimHeader(unsigned, digest)

    def sign(self, digest: bytes) -> bytes:
        """Return the signature of a digest; for the same digest it is always the same."""
        if isinstance(self.key, Ed25519PrivateKey):
            return self.key.sign(digest)
        return self.key.sign(digest, PKCS1v15(), Prehashed(hashes.SHA256()))


class UnsignedDkimHeader(NamedTuple):
    """A DKIM-Signature header without its signature, and the digest to sign."""

    unsigned: bytes
    digest: bytes

    def signed_header(self, signature: bytes) -> bytes:
        """Return the complete header."""
        text = base64.b64encode(signature).decode()
        lines = [text[start : start + 72] for start in range(0, len(text), 72)]
        return b"DKIM-Signature: " + self.unsigned + "\r\n ".join(lines).encode() + b"\r\n"


CanonicalHeaders = dict[str, bytes]
"""Headers by lower-case name, each canonical, its CRLF included."""


def canonical_headers(head: bytes) -> CanonicalHeaders:
    """Return the headers of a head whose lines end with CRLF (RFC 6376, 3.4.2)."""
    found: CanonicalHeaders = {}
    for line in _FOLDS.sub(b"", head).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            key = name.strip().lower()
            found[key.decode("ascii", "replace")] = key + b":" + relaxed_header_value(value) + b"\r\n"
    return found


def relaxed_header_value(value: bytes) -> bytes:
    """Return a header's value unfolded, white space as single blanks, none at the ends."""
    return _BLANKS.sub(b" ", _FOLDS.sub(b"", value)).strip(b" ")


def relaxed_body(body: bytes) -> bytes:
    """Return lines of a body made canonical (RFC 6376, 3.4.4); empty lines at the end are kept."""
    if b" " not in body and b"\t" not in body:
        return body  # base64
    return _BLANKS.sub(b" ", _TRAILING.sub(b"", body))


class DkimTemplate:
    """Creates the unsigned DKIM headers of an issue's messages; their shared parts are hashed here, once.

    `head` holds the shared headers; `body` the pieces of the body, with an index in place of each value. `at`
    is the time of signing in every message, so that a repeated message has the same bytes.
    """

    def __init__(
        self, signers: Sequence[DkimSigner], head: bytes, body: Sequence[bytes | int], at: datetime
    ) -> None:
        self._signers, self._at = signers, at
        self._shared = canonical_headers(head)
        pieces = [relaxed_body(piece) if isinstance(piece, bytes) else piece for piece in body]
        # Hashed once: the body before its first field, where there is one.
        before = pieces[0] if len(pieces) > 1 and isinstance(pieces[0], bytes) else b""
        self._before, self._rest = before, pieces[1:] if before else pieces
        self._begun = sha256(before)

    def unsigned_headers(self, own_head: bytes, filled: Sequence[bytes]) -> tuple[UnsignedDkimHeader, ...]:
        """Return the signature headers, one of each signer, of a message with these headers and values."""
        signed = self._shared | canonical_headers(own_head)
        body_hash = self._body_hash(filled)
        return tuple(signer.unsigned_header(signed, body_hash, self._at) for signer in self._signers)

    def _body_hash(self, filled: Sequence[bytes]) -> bytes:
        pieces = [relaxed_body(filled[piece]) if isinstance(piece, int) else piece for piece in self._rest]
        # Empty lines at the end do not count (RFC 6376, 3.4.4).
        while len(pieces) > 1 and not pieces[-1].strip(b"\r\n"):
            pieces.pop()
        if not pieces[-1].strip(b"\r\n"):
            pieces, hasher = [self._before], sha256()
        else:
            hasher = self._begun.copy()
        last = pieces[-1].rstrip(b"\r\n")
        pieces[-1] = last + b"\r\n" if last else b""
        hasher.update(b"".join(pieces))
        return hasher.digest()


def _folded(named: str, joint: str) -> str:
    lines, line = [], ""
    for name in named.split(joint):
        if len(line) + len(name) > 70:
            lines.append(line)
            line = ""
        line += name + joint
    return "\r\n  ".join([*lines, line[: -len(joint)]])
