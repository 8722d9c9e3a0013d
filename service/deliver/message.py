"""Message: an issue becomes MIME once, and each recipient's message is spliced from those bytes.

    form     the issue encoded, with gaps where a recipient's values go
    fill     the same bytes for the same delivery, every time

Headers are those of a lawful bulk mail: RFC 5322, RFC 2919 (List-Id), RFC 2369 and RFC 8058 (one-click
unsubscribe), RFC 3834 (Auto-Submitted), and Feedback-ID as Gmail's postmaster tools read it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from enum import Enum, auto
from html import escape
from typing import NamedTuple
from urllib.parse import urlsplit

from service.core.errors import CaveatError
from service.core.model import Delivery, Issue, Message, Site
from service.core.places import MARK, Place
from service.deliver import headers, quoted

KEPT_FORMS = 32
# Plain strings: an enum's hash costs more than all else that filling a gap does.
NAME, ADDRESS = Place.NAME.value, Place.ADDRESS.value
UNSUBSCRIBE_URL, PREFERENCES_URL = Place.UNSUBSCRIBE_URL.value, Place.PREFERENCES_URL.value
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_BREAKS = re.compile("\r\n?|[\u2028\u2029\x85]")


@dataclass(frozen=True, slots=True)
class Links:
    """A recipient's own pages, and the token that a mail to the unsubscribe address holds.

    All three are made of characters that stand in a URL as they are.
    """

    unsubscribe: str
    preferences: str
    token: str


LinksOf = Callable[[str, str], Links]
"""Makes the links of a subscriber (id) for a newsletter (id)."""


class _Where(Enum):
    """What a gap lies in: it decides how the value is encoded."""

    TEXT = auto()
    HTML = auto()


class _Gap(NamedTuple):
    place: str
    where: _Where

    def filled(self, value: str, encoded: bytes) -> bytes:
        """Return the value for here; `encoded` is what it is in plain text."""
        if self.where is _Where.TEXT or (escaped := escape(value)) == value:
            return encoded
        return quoted.encoded_value(escaped)


_Piece = bytes | _Gap


@dataclass(frozen=True, slots=True)
class _Form:
    """An issue encoded. `head` lacks the recipient's headers, `subject` is None when it holds a place.

    `body` is bytes and, for what differs, an index into `gaps`: a value that stands at several places is
    encoded once.
    """

    subject: bytes | None
    head: bytes
    body: tuple[bytes | int, ...]
    gaps: tuple[_Gap, ...]
    places: frozenset[str]


class MailMaker:
    """Makes the message of a delivery; keeps the last issues in their encoded form.

    `links` makes the recipient's links; `return_path` the envelope sender (the site's own address unless
    given). Raises CaveatError for a delivery that cannot become a message (an address that is none).
    """

    def __init__(
        self, site: Site, links: LinksOf, return_path: Callable[[Delivery], str] | None = None
    ) -> None:
        self._site, self._links = site, links
        name, address = headers.split_mailbox(site.sender)
        self._sender = headers.wire_address(address)
        self._from = b"From: " + headers.mailbox(name, self._sender) + b"\r\n"
        self._return_path = return_path or (lambda _delivery: self._sender)
        self._host = host_of(site)
        self._forms: OrderedDict[str, _Form] = OrderedDict()

    def __call__(self, issue: Issue, delivery: Delivery) -> Message:
        """Return the finished message; the same bytes for the same delivery every time."""
        form = self._forms.get(issue.id) or self._formed(issue)
        try:
            recipient = headers.wire_address(delivery.address)
        except ValueError as error:
            raise CaveatError(f"the address cannot be mailed: {error}") from error
        links = self._links(delivery.subscriber_id, issue.newsletter)
        values = {
            NAME: headers.clean(delivery.name),
            ADDRESS: delivery.address,
            UNSUBSCRIBE_URL: links.unsubscribe,
            PREFERENCES_URL: links.preferences,
        }
        content = [self._from, *self._own_headers(delivery, recipient, links)]
        content.append(form.subject or _subject(issue.rendered.subject, values))
        content.append(form.head)
        encoded = {place: quoted.encoded_value(values[place]) for place in form.places}
        filled = [gap.filled(values[gap.place], encoded[gap.place]) for gap in form.gaps]
        content += [filled[piece] if isinstance(piece, int) else piece for piece in form.body]
        return Message(delivery.id, self._return_path(delivery), recipient, b"".join(content))

    def _own_headers(self, delivery: Delivery, recipient: str, links: Links) -> tuple[bytes, ...]:
        return (
            b"To: ",
            headers.mailbox(delivery.name, recipient),
            f"\r\nMessage-ID: <{delivery.id}@{self._host}>\r\nList-Unsubscribe: <{links.unsubscribe}>,\r\n "
            f"<mailto:{self._site.unsubscribe_address}?subject=unsubscribe%20{links.token}>\r\n".encode(),
        )

    def _formed(self, issue: Issue) -> _Form:
        subject, body = issue.rendered.subject, _body(issue)
        gaps = tuple(dict.fromkeys(piece for piece in body if isinstance(piece, _Gap)))
        form = _Form(
            subject=None if MARK.search(subject) else headers.unstructured("Subject", subject),
            head=_list_headers(issue, self._site, self._host),
            body=tuple(gaps.index(piece) if isinstance(piece, _Gap) else piece for piece in body),
            gaps=gaps,
            places=frozenset(gap.place for gap in gaps),
        )
        self._forms[issue.id] = form
        if len(self._forms) > KEPT_FORMS:
            self._forms.popitem(last=False)
        return form


def host_of(site: Site) -> str:
    """Return the host that stands in Message-ID and List-Id: the site's, in ASCII."""
    host = urlsplit(site.url).hostname or "localhost"
    return headers.wire_address(f"host@{host}").partition("@")[2]


def _list_headers(issue: Issue, site: Site, host: str) -> bytes:
    """Return the headers that every message of the issue shares, but for the content type."""
    label = re.sub(r"[^A-Za-z0-9-]+", "-", issue.newsletter).strip("-") or "newsletter"
    list_id = headers.mailbox(site.name, f"{label}.{host}")
    list_id = list_id if list_id.endswith(b">") else b"<" + list_id + b">"
    lines = (
        f"Date: {format_datetime(issue.created_at)}\r\n"
        f"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        f"Auto-Submitted: auto-generated\r\n"
        f"Precedence: bulk\r\n"
        f"X-Auto-Response-Suppress: OOF, AutoReply\r\n"
        f"Feedback-ID: {issue.id[:12]}:{label}:digest:{host}\r\n"
        f"MIME-Version: 1.0\r\n"
    )
    return b"List-Id: " + list_id + b"\r\n" + lines.encode()


def _body(issue: Issue) -> tuple[_Piece, ...]:
    """Return content type and body: text alone, or text first and HTML after it (RFC 2046, 5.1.4)."""
    kind = b'Content-Type: text/%s; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    text = _pieces(issue.rendered.text, _Where.TEXT)
    if not issue.rendered.html:
        return _joined(kind % b"plain", *text, b"\r\n")
    # "=_" cannot occur in quoted-printable, so the boundary cannot occur in a part.
    boundary = f"=_caveat_{issue.id}".encode()
    return _joined(
        b'Content-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n\r\n',
        b"--" + boundary + b"\r\n" + kind % b"plain",
        *text,
        b"\r\n\r\n--" + boundary + b"\r\n" + kind % b"html",
        *_pieces(issue.rendered.html, _Where.HTML),
        b"\r\n\r\n--" + boundary + b"--\r\n",
    )


def _pieces(part: str, where: _Where) -> list[_Piece]:
    """Return the part encoded, cut at its places."""
    part = _CONTROLS.sub("", _LINE_BREAKS.sub("\n", part)).rstrip("\n")
    pieces: list[_Piece] = []
    between = MARK.split(part)  # text, place, text, place, ..., text
    for index, text in enumerate(between):
        if index % 2:
            pieces.append(_Gap(text, where))
            continue
        last = index == len(between) - 1
        pieces.append(quoted.encoded(text) if last else quoted.encoded_open(text))
    return pieces


def _joined(*pieces: _Piece) -> tuple[_Piece, ...]:
    """Return the pieces with neighbouring bytes made one."""
    joined: list[_Piece] = []
    for piece in pieces:
        if isinstance(piece, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


def _subject(subject: str, values: dict[str, str]) -> bytes:
    return headers.unstructured("Subject", MARK.sub(lambda mark: values[mark[1]], subject))
