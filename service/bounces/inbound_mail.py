"""Inbound mail: parsed tolerantly (pure): every mail has a text, whatever its charset and structure."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message as Mail
from email.utils import getaddresses
from functools import cached_property

from service.text.html_text import html_to_text
from service.text.word_lists import load_patterns

MAX_MAIL_BYTES = 2_000_000  # accepted; a larger mail is refused, or cut when it is read by IMAP
MAX_READ_BYTES = 500_000  # parsed; a report precedes the mail that it returns
MAX_TEXT_CHARACTERS = 50_000  # searched for phrases; a report gives its reason on the first page
# RFC 5321 (4.5.3.1.1) allows 64 octets before the @; return paths of real senders are longer. The lookbehind
# keeps the search linear: an address starts only where a run of its characters starts.
_LOCAL = r"A-Za-z0-9.!#$%&'*+/=?^_`{|}~-"
ADDRESS = re.compile(rf"(?<![{_LOCAL}])[{_LOCAL}]{{1,256}}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")

MAX_HEADER_CHARACTERS = (
    16_384  # characters; the email package reads addresses and parameters in quadratic time
)
MAX_BOUNDARIES = 200  # the email package compares each line with every boundary around it
SLOW_CODECS = frozenset({"idna", "punycode"})  # quadratic, and no charset of any mail
_BLANK_LINES = re.compile(rb"(?:\r?\n){3,}")  # each is a block of a delivery status, and an object


class MailUnreadable(ValueError):
    """The mail has a structure that no mail program produces; the text names it."""


class _ShortHeaders(email.policy.Compat32):
    """The default policy, with each header cut at `LONGEST_HEADER`."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:MAX_HEADER_CHARACTERS]


POLICY = _ShortHeaders()


@dataclass(frozen=True)
class InboundMail:
    """A parsed inbound mail."""

    message: Mail

    @classmethod
    def parse(cls, content: bytes) -> InboundMail:
        """Return the mail. Raises MailUnreadable, or RecursionError for parts nested too deeply."""
        content = _BLANK_LINES.sub(b"\n\n", content[:MAX_READ_BYTES].lstrip())
        if content.lower().count(b"boundary") > MAX_BOUNDARIES:
            raise MailUnreadable(f"it names more than {MAX_BOUNDARIES} boundaries")
        return cls(email.message_from_bytes(content, policy=POLICY))

    def header(self, name: str) -> str:
        """Return a header decoded, on one line; empty when there is none."""
        return decoded_header(self.message, name)

    def addresses(self, *names: str) -> tuple[str, ...]:
        """Return the addresses in these headers."""
        return addresses_in(self.message, *names)

    @property
    def subject(self) -> str:
        """The subject."""
        return self.header("Subject")

    @cached_property
    def parts(self) -> tuple[Mail, ...]:
        """Every part outside of a returned mail, in order."""
        return tuple(_parts(self.message))

    @cached_property
    def whole_text(self) -> str:
        """The plain text of the mail, with the returned mail where that is not a part of its own.

        A multipart whose boundary was lost is one text.
        """
        plain = [text_of(part) for part in self.parts if _is_plain(part)]
        if not any(text.strip() for text in plain):
            plain = [text_of(part) for part in self.parts if part.get_content_type() == "text/html"]
        return "\n".join(plain)[:MAX_TEXT_CHARACTERS]

    @cached_property
    def text(self) -> str:
        """The text of the mail itself, without the returned mail."""
        text = self.whole_text
        cut = load_patterns(__package__, "inbound_mail.txt")["returned"].search(text)
        return text[: cut.start()] if cut and text[: cut.start()].strip() else text

    @cached_property
    def returned(self) -> Mail | None:
        """The returned mail, or its headers; None without either."""
        for part in self.parts:
            kind = part.get_content_type()
            payload = part.get_payload()
            if kind in ("message/rfc822", "message/global") and isinstance(payload, list) and payload:
                return payload[0] if isinstance(payload[0], Mail) else None
            if kind in ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers"):
                return email.message_from_string(text_of(part).lstrip(), policy=POLICY)
        for part in self.parts:
            if part.get_content_maintype() == "text" and (found := _headers_within(text_of(part))):
                return found
        return None


def _is_plain(part: Mail) -> bool:
    return part.get_content_type() == "text/plain" or part.get_content_maintype() == "multipart"


def text_of(part: Mail) -> str:
    """Return the text of a part, even with a wrong charset or encoding; of HTML the visible text."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        payload = str(part.get_payload()).encode("utf-8", "replace")
    text = _decoded(payload, part.get_content_charset(failobj=""))
    if part.get_content_type() == "text/html":
        text = html_to_text(text)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")


def decoded_header(mail: Mail, name: str) -> str:
    """Return a header decoded, on one line; empty when there is none."""
    raw = mail.get(name)
    if raw is None:
        return ""
    try:
        text = str(make_header(decode_header(str(raw))))
    except (HeaderParseError, LookupError, UnicodeError, ValueError, AssertionError):
        text = str(raw)
    return " ".join(text.split())


def addresses_in(mail: Mail, *names: str) -> tuple[str, ...]:
    """Return the addresses in these headers of a mail, each once."""
    values = [decoded_header(mail, name) for name in names]
    try:
        pairs = getaddresses([value for value in values if value])
    except RecursionError:  # a comment in a comment in a comment
        pairs = []
    found = [address for _, address in pairs if "@" in address]
    found += [address for value in values for address in ADDRESS.findall(value)]
    return tuple(dict.fromkeys(found))


def _parts(mail: Mail) -> Iterator[Mail]:
    payload = mail.get_payload()
    if mail.get_content_maintype() == "multipart" and isinstance(payload, list):
        for part in payload:
            if isinstance(part, Mail):
                yield from _parts(part)
    else:
        yield mail


def _decoded(payload: bytes, charset: str) -> str:
    charset = "" if charset in SLOW_CODECS else charset
    for name in (charset, "utf-8", *(("iso2022_jp",) if b"\x1b$" in payload else ()), "gb18030"):
        try:
            return payload.decode(name or "utf-8")
        except (LookupError, UnicodeError):
            continue
    return payload.decode("latin-1")


def _headers_within(text: str) -> Mail | None:
    """Return the headers of a mail that is quoted at the end of a text."""
    block = re.search(
        r"(?m)^[ \t>]*(?:Received|Return-Path|Message-ID|From|Date|To|Subject): .*\n(?:[ \t>]*\S.*\n?)+", text
    )
    if block is None:
        return None
    lines = [re.sub(r"^[ \t]*>?[ \t]?(?=[A-Za-z-]+:)", "", line) for line in block[0].split("\n")]
    mail = email.message_from_string("\n".join(lines), policy=POLICY)
    return mail if mail.get("To") or mail.get("Message-ID") else None
