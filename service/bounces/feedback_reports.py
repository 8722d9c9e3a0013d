"""Feedback reports: complaints of subscribers, as their mail providers report them (pure): RFC 5965."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.bounces.dsn import field_blocks
from service.bounces.inbound_mail import ADDRESS, InboundMail, addresses_in
from service.bounces.result import BounceAction, RecipientResult

# Feedback types by which a recipient complains (RFC 5965, 7.3, and the opt-outs of large providers).
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
    """Return the results of a feedback report (RFC 5965); None for any other mail.

    Only the types in `COMPLAINT_TYPES` are complaints. A report about authentication (RFC 6591, DMARC) goes
    to the domain in From, which may be forged, and expresses no complaint.
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


def _plain_complaint(mail: InboundMail) -> tuple[RecipientResult, ...] | None:
    """Return the complaint of a provider that returns the mail without a report part (Outlook.com)."""
    if mail.returned is None or not OUTLOOK_COMPLAINT_SUBJECT.search(mail.subject):
        return None
    named = addresses_in(mail.returned, "X-HmXmrOriginalRecipient", "X-Original-To", "To")
    return _complaints(named[:1], "abuse")


def _complaints(recipients: Sequence[str], kind: str) -> tuple[RecipientResult, ...]:
    reason = f"complaint: {kind}"
    return tuple(
        RecipientResult(
            address, BounceAction.HARD, "", reason, complaint=True, kind="complaint", rule="feedback type"
        )
        for address in recipients or ("",)
    )
