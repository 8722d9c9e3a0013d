"""Size budget: the size of the finished message, and how to keep it under the limit (pure)."""

from __future__ import annotations

from binascii import b2a_qp
from collections.abc import Callable

from service.compose.digest import reduce_digest
from service.core.model import Digest, RenderedMail
from service.core.placeholders import MARKER

MAX_MESSAGE_BYTES = 102_000  # Gmail clips larger messages and hides the footer with its unsubscribe link
ENVELOPE_BYTES = 4_000  # added by deliver: headers, DKIM signature, MIME boundaries
MAX_BODY_BYTES = MAX_MESSAGE_BYTES - ENVELOPE_BYTES
LINK_BYTES = 240  # of a link that replaces a placeholder


def fit_to_size(digest: Digest, render: Callable[[Digest], RenderedMail]) -> tuple[Digest, RenderedMail]:
    """Return the digest and its rendering, without the last stories or points that make it too large."""
    rendered = render(digest)
    while rendered_size(rendered) > MAX_BODY_BYTES and (smaller := reduce_digest(digest)) is not None:
        digest, rendered = smaller, render(smaller)
    return digest, rendered


def rendered_size(rendered: RenderedMail) -> int:
    """Return the bytes of both parts in quoted-printable (RFC 2045, 6.7), with links for placeholders."""
    return sum(
        quoted_printable_size(part) + LINK_BYTES * len(MARKER.findall(part))
        for part in (rendered.html, rendered.text)
    )


def quoted_printable_size(text: str) -> int:
    """Return the bytes of a text in quoted-printable, with CRLF line ends."""
    quoted = b2a_qp(text.encode(), istext=True)
    return len(quoted) + quoted.count(b"\n")
