"""Read mail: all that an inbound mail reports or asks for, in one call that can run in another process.

Inbound mail may be hostile: nested, long or malformed in any way. Reading takes time in proportion to its
length. An unreadable mail is a value (`UnreadableMail`), never an error that would stop the next mail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.bounces.classify import Bounce, classify, unreadable_reason
from service.bounces.inbound_mail import InboundMail, decoded_header
from service.bounces.unsubscribe_mail import unsubscribe_sender

ENVELOPE_HEADERS = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "To", "Cc")
UNSUBSCRIBE_SUBJECT = re.compile(
    r"(?i)\bunsubscribe\b[ +:_-]{0,9}([A-Za-z0-9_-]{1,400}\.[A-Za-z0-9_-]{1,60})"
)
LIST_UNSUBSCRIBE_TOKEN = re.compile(r"/([A-Za-z0-9_-]{1,400}\.[A-Za-z0-9_-]{1,60})>")
MAX_ENVELOPE_ADDRESSES = 100  # of the envelope headers; a mail that came back has a few


@dataclass(frozen=True, slots=True)
class InboundResult:
    """What a mail reports or asks for.

    `unsubscribe_token` is the token in its subject; `returned_tokens` are those in the List-Unsubscribe
    header of the mail that it returns; `envelope_addresses` are the recipients in its headers.
    `unsubscribe_sender` is the address in From of a mail that asks to unsubscribe; it may be forged.
    """

    bounce: Bounce
    unsubscribe_token: str = ""
    returned_tokens: tuple[str, ...] = ()
    envelope_addresses: tuple[str, ...] = ()
    unsubscribe_sender: str = ""


@dataclass(frozen=True, slots=True)
class UnreadableMail:
    """A mail that could not be read. `reason` contains no text of the mail."""

    reason: str


def read_inbound(content: bytes) -> InboundResult | UnreadableMail:
    """Parse and classify a mail. Never raises."""
    try:
        mail = InboundMail.parse(content)
        asked = UNSUBSCRIBE_SUBJECT.search(mail.subject)
        returned = decoded_header(mail.returned, "List-Unsubscribe") if mail.returned else ""
        return InboundResult(
            classify(mail),
            asked[1] if asked else "",
            tuple(LIST_UNSUBSCRIBE_TOKEN.findall(returned)),
            mail.addresses(*ENVELOPE_HEADERS)[:MAX_ENVELOPE_ADDRESSES],
            unsubscribe_sender(mail) or "",
        )
    except Exception as error:  # noqa: BLE001 - an unreadable mail must not stop the next one
        return UnreadableMail(unreadable_reason(error))
