"""MIME template: an issue encoded once, with fields for a recipient's values (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from enum import Enum, auto
from html import escape
from typing import NamedTuple

from service.core.model import Issue, MailKind, Site
from service.core.placeholders import MARKER
from service.deliver.message import headers
from service.deliver.message import quoted_printable as quoted

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_MARKUP = re.compile("[&<>\"']")
_LINE_BREAKS = re.compile("\r\n?|[\u2028\u2029\x85]")


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


_Piece = bytes | TemplateField


@dataclass(frozen=True, slots=True)
class MimeTemplate:
    """An encoded issue. `head` lacks the recipient's headers; `subject` is None when it has a placeholder.

    `subject_text` is the subject with its placeholders, not encoded.

    `body` is bytes and, for values, indexes into `fields`: a value that occurs several times is encoded once.
    `parts` are head and body without the recipient's headers, empty at `field_positions` (part, field).
    """

    subject: bytes | None
    subject_text: str
    head: bytes
    body: tuple[bytes | int, ...]
    fields: tuple[TemplateField, ...]
    placeholders: tuple[str, ...]
    parts: tuple[bytes, ...]
    field_positions: tuple[tuple[int, int], ...]

    def filled_parts(self, values: Sequence[bytes]) -> list[bytes]:
        """Return the parts with the values of the fields at their positions."""
        parts = list(self.parts)
        for part, gap in self.field_positions:
            parts[part] = values[gap]
        return parts


def mime_template(issue: Issue, site: Site, host: str) -> MimeTemplate:
    """Return the issue's template; `host` is for List-Id and Feedback-ID."""
    subject = issue.rendered.subject
    content_type, body = _body(issue)
    gaps = tuple(dict.fromkeys(piece for piece in body if isinstance(piece, TemplateField)))
    head = _headers(issue, site, host) + content_type
    parts = _joined(head + b"\r\n", *body)
    return MimeTemplate(
        subject=None if MARKER.search(subject) else headers.unstructured("Subject", subject),
        subject_text=subject,
        head=head,
        body=tuple(gaps.index(piece) if isinstance(piece, TemplateField) else piece for piece in body),
        fields=gaps,
        placeholders=tuple({gap.placeholder: None for gap in gaps}),
        parts=tuple(piece if isinstance(piece, bytes) else b"" for piece in parts),
        field_positions=tuple(
            (at, gaps.index(piece)) for at, piece in enumerate(parts) if isinstance(piece, TemplateField)
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
    kind = b'Content-Type: text/%s; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n'
    text = _pieces(issue.rendered.text, _PartType.TEXT)
    if not issue.rendered.html:
        return kind % b"plain", _joined(*text, b"\r\n")
    # "=_" cannot occur in quoted-printable, so the boundary cannot occur in a part.
    boundary = f"=_caveat_{issue.id}".encode()
    return b'Content-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n', _joined(
        b"--" + boundary + b"\r\n" + kind % b"plain" + b"\r\n",
        *text,
        b"\r\n\r\n--" + boundary + b"\r\n" + kind % b"html" + b"\r\n",
        *_pieces(issue.rendered.html, _PartType.HTML),
        b"\r\n\r\n--" + boundary + b"--\r\n",
    )


def _pieces(part: str, where: _PartType) -> list[_Piece]:
    """Return the encoded part, cut at its placeholders."""
    part = _CONTROLS.sub("", _LINE_BREAKS.sub("\n", part)).rstrip("\n")
    pieces: list[_Piece] = []
    between = MARKER.split(part)  # text, place, text, place, ..., text
    for index, text in enumerate(between):
        if index % 2:
            pieces.append(TemplateField(text, where))
            continue
        last = index == len(between) - 1
        pieces.append(quoted.encode(text) if last else quoted.encode_open(text))
    return pieces


def _joined(*pieces: _Piece) -> tuple[_Piece, ...]:
    """Return the pieces with adjacent bytes joined."""
    joined: list[_Piece] = []
    for piece in pieces:
        if isinstance(piece, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)
