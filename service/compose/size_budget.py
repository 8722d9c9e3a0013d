"""The weight of an issue: what the finished message will weigh, and how to keep it under the limit (pure)."""

from __future__ import annotations

from binascii import b2a_qp
from collections.abc import Callable

from service.compose.digest import reduce_digest
from service.core.model import Digest, RenderedMail
from service.core.placeholders import MARKER

# Gmail cuts a message off at 102 kB and hides the footer with its unsubscribe link behind a click. The
# envelope is what deliver adds: headers with a DKIM signature, MIME boundaries.
MAX_MESSAGE_BYTES = 102_000
ENVELOPE_BYTES = 4_000
MAX_BODY_BYTES = MAX_MESSAGE_BYTES - ENVELOPE_BYTES
LINK_BYTES = 240


def fit_to_size(digest: Digest, render: Callable[[Digest], RenderedMail]) -> tuple[Digest, RenderedMail]:
    """Return the digest as rendered, without as many of its last stories or points as make it too heavy."""
    rendered = render(digest)
    while rendered_size(rendered) > MAX_BODY_BYTES and (smaller := reduce_digest(digest)) is not None:
        digest, rendered = smaller, render(smaller)
    return digest, rendered


def rendered_size(rendered: RenderedMail) -> int:
    """Return the bytes that both parts take in quoted-printable (RFC 2045, 6.7), places filled with links."""
    return sum(
        quoted_printable_size(part) + LINK_BYTES * len(MARKER.findall(part))
        for part in (rendered.html, rendered.text)
    )


def quoted_printable_size(text: str) -> int:
    """Return the bytes that the text takes in quoted-printable, with CRLF line ends."""
    quoted = b2a_qp(text.encode(), istext=True)
    return len(quoted) + quoted.count(b"\n")
