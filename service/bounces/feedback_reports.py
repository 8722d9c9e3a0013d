"""Feedback: complaints of readers, as their mail providers report them (pure): RFC 5965."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.bounces.dsn import field_blocks
from service.bounces.inbound_mail import ADDRESS, Letter, addresses_in
from service.bounces.result import Action, Finding

# Feedback types that say what a reader thinks of a mail (RFC 5965, 7.3, and the opt-outs of large providers).
COMPLAINTS = frozenset(
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
PLAIN_COMPLAINT = re.compile(r"(?i)^complaint about message from [\da-f.:]+")


def feedback_report(letter: Letter) -> tuple[Finding, ...] | None:
    """Return what a feedback report (RFC 5965) says; None for a mail that is none.

    Its reader complains only where its type says so: a report about authentication (RFC 6591, DMARC) goes to
    the domain that mail claims to be from, which may have been forged, and is no wish of the reader's.
    """
    parts = [part for part in letter.parts if part.get_content_type() == "message/feedback-report"]
    if not parts:
        return _plain_complaint(letter)
    fields = dict(pair for part in parts for block in field_blocks(part) for pair in block)
    kind = fields.get("feedback-type", "abuse").lower()
    named = ADDRESS.findall(fields.get("original-rcpt-to", "") + " " + fields.get("removal-recipient", ""))
    recipients = named or (addresses_in(letter.returned, "To") if letter.returned else ())
    if kind not in COMPLAINTS:
        return (Finding("", Action.NONE, "", f"a report about mail: {kind}", rule="feedback type"),)
    return _complaints(recipients, kind)


def _plain_complaint(letter: Letter) -> tuple[Finding, ...] | None:
    """Return the complaint of a provider that sends the mail back without a report part (Outlook.com)."""
    if letter.returned is None or not PLAIN_COMPLAINT.search(letter.subject):
        return None
    named = addresses_in(letter.returned, "X-HmXmrOriginalRecipient", "X-Original-To", "To")
    return _complaints(named[:1], "abuse")


def _complaints(recipients: Sequence[str], kind: str) -> tuple[Finding, ...]:
    reason = f"complaint: {kind}"
    return tuple(
        Finding(address, Action.HARD, "", reason, complaint=True, kind="complaint", rule="feedback type")
        for address in recipients or ("",)
    )
