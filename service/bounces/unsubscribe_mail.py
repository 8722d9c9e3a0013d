"""Unsubscribe mail: requests that people write themselves, without the token of our mails (pure)."""

from __future__ import annotations

import re

from service.bounces.inbound_mail import InboundMail

MAX_FIRST_LINE_CHARACTERS = (
    200  # characters of the first line that are looked at: a wish to unsubscribe is short
)
UNSUBSCRIBE_WORDS = re.compile(
    r"(?i)\b(?:unsubscribe|abmelden|abbestellen|désabonner|désabonnement|désinscrire|desuscribir"
    r"|darse de baja|annulla iscrizione|disiscrivimi|cancelar assinatura|afmelden|uitschrijven|отписаться)\b"
    r"|退订|配信停止|إلغاء الاشتراك"
)
_MACHINES = re.compile(r"(?i)(?:mailer-daemon|postmaster|bounces?|no-?reply|do-?not-?reply)[+@]")


def unsubscribe_sender(mail: InboundMail) -> str | None:
    """Return the address in From of a mail whose subject or first line asks to unsubscribe, else None.

    Automatic mail (RFC 3834: Auto-Submitted; lists; bounces) is ignored, or two programs could answer each
    other without end. The sender may be forged, so the caller must ask that address to confirm.
    """
    if mail.header("Auto-Submitted").lower() not in ("", "no") or mail.header("List-Id"):
        return None
    if mail.header("Precedence").lower() in ("bulk", "junk", "list"):
        return None
    senders = mail.addresses("From")
    if not senders or _MACHINES.match(senders[0]):
        return None
    return (
        senders[0]
        if any(UNSUBSCRIBE_WORDS.search(text) for text in (mail.subject, _first_line(mail)))
        else None
    )


def _first_line(mail: InboundMail) -> str:
    """Return the first line that the sender wrote, not quoted."""
    lines = (line.strip() for line in mail.text.split("\n"))
    return next((line[:MAX_FIRST_LINE_CHARACTERS] for line in lines if line and not line.startswith(">")), "")
