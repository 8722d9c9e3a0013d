"""Inbound mail: everything that a mail of anybody's says, read in one call that may run in another process.

The mail is hostile: it may be nested, long or malformed in any way. Reading takes time in proportion to its
length; what cannot be read is a value (`Unreadable`), never an error that would stop the next mail.
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
    """What a mail says.

    `unsubscribe_token` is the token in its subject, `returned_tokens` are those in the List-Unsubscribe
    header of the mail that it returns, `envelope_addresses` whom its headers say that it was delivered to.
    `unsubscribe_sender` is the address in From when a person asks to unsubscribe; it may be forged.
    """

    bounce: Bounce
    unsubscribe_token: str = ""
    returned_tokens: tuple[str, ...] = ()
    envelope_addresses: tuple[str, ...] = ()
    unsubscribe_sender: str = ""


@dataclass(frozen=True, slots=True)
class UnreadableMail:
    """A mail that could not be read, and why, in a few words without anything of the mail."""

    reason: str


def read_inbound(content: bytes) -> InboundResult | UnreadableMail:
    """Return what the mail says; any bytes have an answer."""
    try:
        letter = InboundMail.parse(content)
        asked = UNSUBSCRIBE_SUBJECT.search(letter.subject)
        returned = decoded_header(letter.returned, "List-Unsubscribe") if letter.returned else ""
        return InboundResult(
            classify(letter),
            asked[1] if asked else "",
            tuple(LIST_UNSUBSCRIBE_TOKEN.findall(returned)),
            letter.addresses(*ENVELOPE_HEADERS)[:MAX_ENVELOPE_ADDRESSES],
            unsubscribe_sender(letter) or "",
        )
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it must not stop the next mail
        return UnreadableMail(unreadable_reason(error))
