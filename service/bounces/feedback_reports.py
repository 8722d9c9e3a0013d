"""Feedback: complaints of readers, as their mail providers report them (pure): RFC 5965."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.bounces.dsn import field_blocks
from service.bounces.inbound_mail import ADDRESS, InboundMail, addresses_in
from service.bounces.result import BounceAction, RecipientResult

# Feedback types that say what a reader thinks of a mail (RFC 5965, 7.3, and the opt-outs of large providers).
COMPLAINT_TYPES = frozenset(
    [
        "abuse",
        "complaint",
        "fraud",
        "miscategorized",
        "opt-out",
        "opt-out-list",
        "other",
        "spam",
        "unsubscribe",
    ]
)
OUTLOOK_COMPLAINT_SUBJECT = re.compile(r"(?i)^complaint about message from [\da-f.:]+")


def parse_feedback_report(mail: InboundMail) -> tuple[RecipientResult, ...] | None:
    """Return what a feedback report (RFC 5965) says; None for a mail that is none.

    Its reader complains only where its type says so: a report about authentication (RFC 6591, DMARC) goes to
    the domain that mail claims to be from, which may have been forged, and is no wish of the reader's.
    """
    parts = [part for part in mail.parts if part.get_content_type() == "message/feedback-report"]
    if not parts:
        return _plain_complaint(mail)
    fields = dict(pair for part in parts for block in field_blocks(part) for pair in block)
    kind = fields.get("feedback-type", "abuse").lower()
    named = ADDRESS.findall(fields.get("original-rcpt-to", "") + " " + fields.get("removal-recipient", ""))
    recipients = named or (addresses_in(mail.returned, "To") if mail.returned else ())
    if kind not in COMPLAINT_TYPES:
        return (
            RecipientResult("", BounceAction.NONE, "", f"a report about mail: {kind}", rule="feedback type"),
        )
    return _complaints(recipients, kind)


def _plain_complaint(letter: InboundMail) -> tuple[RecipientResult, ...] | None:
    """Return the complaint of a provider that sends the mail back without a report part (Outlook.com)."""
    if letter.returned is None or not OUTLOOK_COMPLAINT_SUBJECT.search(letter.subject):
        return None
    named = addresses_in(letter.returned, "X-HmXmrOriginalRecipient", "X-Original-To", "To")
    return _complaints(named[:1], "abuse")


def _complaints(recipients: Sequence[str], kind: str) -> tuple[RecipientResult, ...]:
    reason = f"complaint: {kind}"
    return tuple(
        RecipientResult(
            address, BounceAction.HARD, "", reason, complaint=True, kind="complaint", rule="feedback type"
        )
        for address in recipients or ("",)
    )
