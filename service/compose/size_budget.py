"""The weight of an issue: what the finished message will weigh, and how to keep it under the limit (pure)."""

from __future__ import annotations

from binascii import b2a_qp
from collections.abc import Callable

from service.compose.digest import lighter
from service.core.model import Digest, Rendered
from service.core.placeholders import MARK

# Gmail cuts a message off at 102 kB and hides the footer with its unsubscribe link behind a click. The
# envelope is what deliver adds: headers with a DKIM signature, MIME boundaries.
LIMIT = 102_000
ENVELOPE = 4_000
HEAVIEST = LIMIT - ENVELOPE
LINK = 240


def fitted(digest: Digest, render: Callable[[Digest], Rendered]) -> tuple[Digest, Rendered]:
    """Return the digest as rendered, without as many of its last stories or points as make it too heavy."""
    rendered = render(digest)
    while weight(rendered) > HEAVIEST and (smaller := lighter(digest)) is not None:
        digest, rendered = smaller, render(smaller)
    return digest, rendered


def weight(rendered: Rendered) -> int:
    """Return the bytes that both parts take in quoted-printable (RFC 2045, 6.7), places filled with links."""
    return sum(encoded(part) + LINK * len(MARK.findall(part)) for part in (rendered.html, rendered.text))


def encoded(text: str) -> int:
    """Return the bytes that the text takes in quoted-printable, with CRLF line ends."""
    quoted = b2a_qp(text.encode(), istext=True)
    return len(quoted) + quoted.count(b"\n")
