"""MIME template: an issue encoded once, with fields for a recipient's values (pure)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from enum import Enum, auto
from html import escape
from typing import NamedTuple

from service.core.content_ids import picture_content_id
from service.core.model import Issue, MailKind, Picture, Site
from service.core.placeholders import MARKER
from service.core.transfer_encoding import quoted_printable as quoted
from service.core.transfer_encoding.base64_template import Base64Template
from service.core.transfer_encoding.text_parts import (
    TransferEncoding,
    base64_template,
    smallest_encoding,
    split_part,
)
from service.deliver.message import headers

LINE_CHARACTERS = 76  # of base64 (RFC 2045, 6.8)
_MARKUP = re.compile("[&<>\"']")


class _PartType(Enum):
    """The part that a field is in; it decides how the value is encoded."""

    TEXT = auto()
    HTML = auto()


class TemplateField(NamedTuple):
    """A field for a value. `placeholder` is a plain string: the hash of an enum member is slow."""

    placeholder: str
    part_type: _PartType

    def encoded_value(self, value: str, encoded: bytes) -> bytes:
        """Return the value as encoded in this part; `encoded` is its encoding in plain text."""
        if self.part_type is _PartType.TEXT or not _MARKUP.search(value):
            return encoded
        return quoted.encode_value(escape(value))


@dataclass(frozen=True, eq=False, slots=True)
class Base64Part:
    """A part in base64, with the placeholders of its values in order."""

    template: Base64Template
    placeholders: tuple[str, ...]
    part_type: _PartType

    def filled(self, values: Mapping[str, str]) -> list[bytes]:
        """Return its pieces behind the first one, with these values."""
        own = (values[placeholder] for placeholder in self.placeholders)
        texts = map(escape, own) if self.part_type is _PartType.HTML else own
        return self.template.fill([text.encode("utf-8", "replace") for text in texts])


class Base64Slot(NamedTuple):
    """The place of one of the pieces that a part in base64 is filled with."""

    part: Base64Part
    number: int


_Slot = TemplateField | Base64Slot
_Piece = bytes | _Slot


@dataclass(frozen=True, slots=True)
class MimeTemplate:
    """An encoded issue. `head` lacks the recipient's headers; `subject` is None when it has a placeholder.

    `subject_text` is the subject with its placeholders, not encoded.

    `body` is bytes and, for what differs between recipients, indexes into what `filled` returns.
    `fields` are the values in quoted-printable, each encoded once although it may occur several times.
    `parts` are head and body without the recipient's headers, empty at `slot_positions` (part, index).
    """

    subject: bytes | None
    subject_text: str
    head: bytes
    body: tuple[bytes | int, ...]
    fields: tuple[TemplateField, ...]
    placeholders: tuple[str, ...]
    base64_parts: tuple[Base64Part, ...]
    parts: tuple[bytes, ...]
    slot_positions: tuple[tuple[int, int], ...]

    def filled(self, values: Mapping[str, str]) -> list[bytes]:
        """Return the encoded values of a recipient: of the fields, then of the parts in base64."""
        encoded = {placeholder: quoted.encode_value(values[placeholder]) for placeholder in self.placeholders}
        filled = [
            field.encoded_value(values[field.placeholder], encoded[field.placeholder])
            for field in self.fields
        ]
        for part in self.base64_parts:
            filled += part.filled(values)
        return filled

    def filled_parts(self, filled: Sequence[bytes]) -> list[bytes]:
        """Return the parts with what `filled` returned at its places."""
        parts = list(self.parts)
        for part, index in self.slot_positions:
            parts[part] = filled[index]
        return parts


def mime_template(issue: Issue, site: Site, host: str) -> MimeTemplate:
    """Return the issue's template; `host` is for List-Id and Feedback-ID."""
    subject = issue.rendered.subject
    content_type, body = _body(issue)
    fields = tuple(dict.fromkeys(piece for piece in body if isinstance(piece, TemplateField)))
    base64_parts = tuple(dict.fromkeys(piece.part for piece in body if isinstance(piece, Base64Slot)))
    slots: list[_Slot] = [*fields, *(slot for part in base64_parts for slot in _slots(part))]
    places = {slot: index for index, slot in enumerate(slots)}
    head = _headers(issue, site, host) + content_type
    parts = _joined(head + b"\r\n", *body)
    return MimeTemplate(
        subject=None if MARKER.search(subject) else headers.unstructured("Subject", subject),
        subject_text=subject,
        head=head,
        body=tuple(piece if isinstance(piece, bytes) else places[piece] for piece in body),
        fields=fields,
        placeholders=tuple({field.placeholder: None for field in fields}),
        base64_parts=base64_parts,
        parts=tuple(piece if isinstance(piece, bytes) else b"" for piece in parts),
        slot_positions=tuple(
            (at, places[piece]) for at, piece in enumerate(parts) if not isinstance(piece, bytes)
        ),
    )


def subject_header(subject: str, values: dict[str, str]) -> bytes:
    """Return the Subject header of a subject with placeholders."""
    return headers.unstructured("Subject", MARKER.sub(lambda mark: values[mark[1]], subject))


def has_list_headers(issue: Issue) -> bool:
    """Return whether the recipient is subscribed to the list that the mail belongs to, and can leave it.

    The recipient of a confirmation is not subscribed yet; the question whether to unsubscribe has that link.
    """
    return issue.kind in (MailKind.ISSUE, MailKind.WELCOME)


def _headers(issue: Issue, site: Site, host: str) -> bytes:
    label = re.sub(r"[^A-Za-z0-9-]+", "-", issue.newsletter).strip("-") or "newsletter"
    list_id = headers.mailbox(site.name, f"{label}.{host}")
    list_id = list_id if list_id.endswith(b">") else b"<" + list_id + b">"
    on_list = has_list_headers(issue)
    kind = "digest" if issue.kind is MailKind.ISSUE else issue.kind.value
    one_click = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" if on_list else ""
    bulk = "Precedence: bulk\r\n" if issue.kind is MailKind.ISSUE else ""
    lines = (
        f"Date: {format_datetime(issue.created_at)}\r\n"
        f"{one_click}"
        f"Auto-Submitted: auto-generated\r\n"
        f"{bulk}"
        f"X-Auto-Response-Suppress: OOF, AutoReply\r\n"
        f"Feedback-ID: {issue.id[:12]}:{label}:{kind}:{host}\r\n"
        f"MIME-Version: 1.0\r\n"
    )
    return (b"List-Id: " + list_id + b"\r\n" if on_list else b"") + lines.encode()


def _body(issue: Issue) -> tuple[bytes, tuple[_Piece, ...]]:
    """Return content headers and body: text alone, or text first and HTML after it (RFC 2046, 5.1.4)."""
    text_headers, text = _part(issue.rendered.text, _PartType.TEXT)
    if not issue.rendered.html:
        return text_headers, _joined(*text, b"\r\n")
    html_headers, html = _part(issue.rendered.html, _PartType.HTML)
    if issue.picture is not None:
        html_headers, html = _with_picture(html_headers, html, issue, issue.picture)
    # "=_" cannot occur in quoted-printable, nor "_" in base64, so the boundary cannot occur in a part.
    boundary = f"=_caveat_{issue.id}".encode()
    return b'Content-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n', _joined(
        b"--" + boundary + b"\r\n" + text_headers + b"\r\n",
        *text,
        b"\r\n\r\n--" + boundary + b"\r\n" + html_headers + b"\r\n",
        *html,
        b"\r\n\r\n--" + boundary + b"--\r\n",
    )


def _with_picture(
    html_headers: bytes, html: list[_Piece], issue: Issue, picture: Picture
) -> tuple[bytes, list[_Piece]]:
    """Return the HTML and its picture as one part (RFC 2387), which is the same for all recipients."""
    boundary = f"=_caveat_related_{issue.id}".encode()
    picture_headers = (
        "Content-Type: image/jpeg\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        'Content-Disposition: inline; filename="picture.jpg"\r\n'
        f"Content-ID: <{picture_content_id(picture)}>\r\n"
    ).encode()
    lines = b64encode(picture.data)
    data = b"\r\n".join(lines[at : at + LINE_CHARACTERS] for at in range(0, len(lines), LINE_CHARACTERS))
    return b'Content-Type: multipart/related; type="text/html";\r\n boundary="' + boundary + b'"\r\n', [
        b"--" + boundary + b"\r\n" + html_headers + b"\r\n",
        *html,
        b"\r\n\r\n--" + boundary + b"\r\n" + picture_headers + b"\r\n",
        data + b"\r\n\r\n--" + boundary + b"--\r\n",
    ]


def _part(part: str, part_type: _PartType) -> tuple[bytes, list[_Piece]]:
    """Return the headers of a part and its pieces, in the encoding in which it is smaller."""
    encoding = smallest_encoding(part)
    kind = "html" if part_type is _PartType.HTML else "plain"
    lines = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n'
    texts, placeholders = split_part(part)
    if encoding is TransferEncoding.BASE64:
        found = Base64Part(base64_template(texts), tuple(placeholders), part_type)
        return lines.encode(), [found.template.start, *_slots(found)]
    *opened, last = texts
    pieces: list[_Piece] = []
    for text, placeholder in zip(opened, placeholders, strict=True):
        pieces += [quoted.encode_open(text), TemplateField(placeholder, part_type)]
    return lines.encode(), [*pieces, quoted.encode(last)]


def _slots(part: Base64Part) -> list[Base64Slot]:
    return [Base64Slot(part, number) for number in range(part.template.filled_pieces)]


def _joined(*pieces: _Piece) -> tuple[_Piece, ...]:
    """Return the pieces with adjacent bytes joined."""
    joined: list[_Piece] = []
    for piece in pieces:
        if isinstance(piece, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)
