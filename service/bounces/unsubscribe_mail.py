"""Mail that a person wrote to unsubscribe, without the token that our mails give them (pure)."""

from __future__ import annotations

import re

from service.bounces.inbound_mail import Letter

LONGEST_LINE = 200  # characters of the first line that are looked at: a wish to unsubscribe is short
WORDS = re.compile(
    r"(?i)\b(?:unsubscribe|abmelden|abbestellen|désabonner|désabonnement|désinscrire|desuscribir"
    r"|darse de baja|annulla iscrizione|disiscrivimi|cancelar assinatura|afmelden|uitschrijven|отписаться)\b"
    r"|退订|配信停止|إلغاء الاشتراك"
)
_MACHINES = re.compile(r"(?i)(?:mailer-daemon|postmaster|bounces?|no-?reply|do-?not-?reply)[+@]")


def asks_to_unsubscribe(letter: Letter) -> str | None:
    """Return the address in From of a mail whose subject or first line asks to unsubscribe, else None.

    What a program sent (RFC 3834: Auto-Submitted; lists; bounces) asks for nothing, so that no two programs
    answer each other for ever. The sender may be forged: nothing may be done for it but to ask that address.
    """
    if letter.header("Auto-Submitted").lower() not in ("", "no") or letter.header("List-Id"):
        return None
    if letter.header("Precedence").lower() in ("bulk", "junk", "list"):
        return None
    senders = letter.addresses("From")
    if not senders or _MACHINES.match(senders[0]):
        return None
    return senders[0] if any(WORDS.search(text) for text in (letter.subject, _first_line(letter))) else None


def _first_line(letter: Letter) -> str:
    """Return the first line that the sender wrote, not quoted."""
    lines = (line.strip() for line in letter.text.split("\n"))
    return next((line[:LONGEST_LINE] for line in lines if line and not line.startswith(">")), "")
