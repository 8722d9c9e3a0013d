"""VERP: an envelope sender of its own for each delivery, which identifies its bounces (pure).

    bounces+TOKEN@news.example.org         TOKEN: the delivery's id and a signature, in base 32

Without the signature, a forged bounce could suppress another person's address. Base 32 ignores case, which
some mail servers change.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable

from service.core.model import Delivery

PURPOSE = b"bounce\0"
ID_BYTES, SIGNATURE_BYTES = 24, 10
_TOKEN = re.compile(r"\+([A-Za-z2-7]{55})@")


def return_paths(key: bytes, address: str) -> Callable[[Delivery], str]:
    """Return the function that makes the return path of a delivery; `address` is the bounce mailbox.

    RFC 5321, 4.5.3.1.1 allows 64 characters before the @: eight are left for the mailbox's own name.
    """
    mailbox, _, host = address.rpartition("@")

    def return_path(delivery: Delivery) -> str:
        try:
            id_ = bytes.fromhex(delivery.id)
        except ValueError:
            return address
        if len(id_) != ID_BYTES:
            return address
        token = base64.b32encode(id_ + _signature(key, id_)).rstrip(b"=").decode().lower()
        return f"{mailbox}+{token}@{host}"

    return return_path


def delivery_id_of(key: bytes, address: str) -> str | None:
    """Return the id of the delivery whose return path this is; None for an address that we did not make."""
    found = _TOKEN.search(address)
    if found is None:
        return None
    data = base64.b32decode(found[1].upper() + "=")
    id_, signature = data[:ID_BYTES], data[ID_BYTES:]
    return id_.hex() if hmac.compare_digest(signature, _signature(key, id_)) else None


def _signature(key: bytes, id_: bytes) -> bytes:
    return hmac.digest(key, PURPOSE + id_, "sha256")[:SIGNATURE_BYTES]
