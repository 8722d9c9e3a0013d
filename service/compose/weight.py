"""The weight of an issue: what the finished message will weigh, and how to keep it under the limit (pure)."""

from __future__ import annotations

from binascii import b2a_qp
from collections.abc import Callable

from service.compose.digest import without_last
from service.core.model import Digest, Rendered
from service.core.places import MARK

# Gmail cuts a message off at 102 kB and hides the footer with its unsubscribe link behind a click. The
# envelope is what deliver adds: headers with a DKIM signature, MIME boundaries.
LIMIT = 102_000
ENVELOPE = 4_000
HEAVIEST = LIMIT - ENVELOPE
LINK = 240


def fitted(digest: Digest, render: Callable[[Digest], Rendered]) -> tuple[Digest, Rendered]:
    """Return the digest as rendered, without as many of its last stories as it takes to keep it light."""
    rendered = render(digest)
    while weight(rendered) > HEAVIEST and len(digest.stories) > 1:
        digest = without_last(digest)
        rendered = render(digest)
    return digest, rendered


def weight(rendered: Rendered) -> int:
    """Return the bytes that both parts take in quoted-printable (RFC 2045, 6.7), places filled with links."""
    return sum(_encoded(part) + LINK * len(MARK.findall(part)) for part in (rendered.html, rendered.text))


def _encoded(part: str) -> int:
    encoded = b2a_qp(part.encode(), istext=True)
    return len(encoded) + encoded.count(b"\n")
