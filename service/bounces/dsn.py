"""DSN: delivery status notifications, the standard form of a bounce (pure): RFC 3464, RFC 6533."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message as Mail

from service.bounces.failure_rules import (
    ENHANCED_STATUS,
    Diagnosis,
    FailureText,
    diagnose,
    refused_stage,
    without_boilerplate,
)
from service.bounces.inbound_mail import ADDRESS, InboundMail, text_of
from service.bounces.result import DELAYED, BounceAction, RecipientResult, worst_per_recipient
from service.deliver.channels.smtp.replies import VAGUE_STATUSES, SmtpCommand
from service.deliver.channels.smtp.reply_patterns import reply_meaning

STATUS_CONTENT_TYPES = ("message/delivery-status", "message/global-delivery-status")
UNSPECIFIC_STATUSES = frozenset({"", "5.0.0", "5.3.0", "5.5.0"})
RECIPIENT_FIELDS = frozenset({"final-recipient", "original-recipient"})
KEY_FIELDS = RECIPIENT_FIELDS | {"action", "status"}
FIRST_STATUS_FIELD = re.compile(
    r"(?im)^(?:reporting-mta|final-recipient|original-recipient): ?[a-z0-9/_-]{1,30} ?;"
)

StatusFields = dict[str, str]


def parse_dsn(mail: InboundMail) -> tuple[RecipientResult, ...] | None:
    """Return the result for each recipient of a delivery status notification; None for any other mail."""
    parts = [part for part in mail.parts if part.get_content_type() in STATUS_CONTENT_TYPES]
    groups = [fields for part in parts for fields in _recipient_groups(field_blocks(part))]
    groups = groups or list(_fields_within(mail.whole_text))
    if not groups:
        return None
    return worst_per_recipient(_finding(fields, mail) for fields in groups)


def is_read_receipt(mail: InboundMail) -> bool:
    """Return whether the mail is a read receipt (RFC 8098)."""
    kinds = {part.get_content_type() for part in mail.parts}
    kind = str(mail.message.get_param("report-type", "")).lower()
    return kind == "disposition-notification" or "message/disposition-notification" in kinds


def _finding(fields: StatusFields, mail: InboundMail) -> RecipientResult:
    action = re.match(r"[a-z]*", fields.get("action", "").strip().lower())
    what = action[0] if action else ""
    found = ENHANCED_STATUS.search(fields.get("status", ""))
    # Some servers give the reason in a comment of the status: `5.0.0 (recipient reached disk quota)`.
    comment = fields.get("status", "").partition("(")[2].rstrip(") ")
    diagnostic = fields.get("diagnostic-code", "").strip() or comment
    failure = FailureText.parse(diagnostic, found[1] if found else "")
    if reply_meaning(diagnostic) is None and (
        failure.status in UNSPECIFIC_STATUSES or (not diagnostic and failure.status[2:] in VAGUE_STATUSES)
    ):
        failure = FailureText.parse(f"{diagnostic} {without_boilerplate(mail.text)}", failure.status)
    reason = " ".join(diagnostic.split())[:300]
    recipient, status = _recipient(fields), failure.status
    if what in ("delivered", "relayed", "expanded") or status.startswith("2."):
        return RecipientResult(
            recipient, BounceAction.NONE, status, reason or what, kind="delivered", rule="action"
        )
    if what in ("delayed", "delay"):
        return RecipientResult(
            recipient, BounceAction.SOFT, status, reason or "delayed", kind=DELAYED, rule="action"
        )
    judged = _failed(failure, fields, refused_stage(mail.text, recipient))
    return RecipientResult(
        recipient, judged.action, status, reason or "failed", kind=judged.kind, rule=judged.rule
    )


def _failed(failure: FailureText, fields: StatusFields, stage: SmtpCommand) -> Diagnosis:
    has_reason = fields.get("diagnostic-code") or reply_meaning(failure.text) or failure.code
    if not has_reason and failure.status in ("", "5.0.0"):
        # A permanent failure without a reason: the RFC's definition of the status is all there is.
        return Diagnosis(BounceAction.HARD, "", "action")
    return diagnose(failure, stage)


def _recipient(fields: StatusFields) -> str:
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        value = fields.get(name, "").partition(";")[2] or fields.get(name, "")
        if found := ADDRESS.search(value):
            return found[0]
    return ""


def field_blocks(part: Mail) -> list[list[tuple[str, str]]]:
    """Return the fields of a part in order and unfolded: a list for each block between blank lines."""
    payload = part.get_payload()
    if isinstance(payload, list):
        text = "\n\n".join(block.as_string() for block in payload if isinstance(block, Mail))
        encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
        if encoding in ("base64", "quoted-printable"):
            inner = Mail()
            inner["Content-Transfer-Encoding"] = encoding
            inner.set_payload(text)
            text = text_of(inner)
    else:
        text = text_of(part)
    return _blocks_of(text)


def _blocks_of(text: str) -> list[list[tuple[str, str]]]:
    unfolded = re.sub(r"\n[ \t]+(?=\S)", " ", text.replace("\r\n", "\n"))
    blocks: list[list[tuple[str, str]]] = [[]]
    for line in unfolded.split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            blocks[-1].append((name.strip().lower(), value.strip()))
        elif not line.strip() and blocks[-1]:
            blocks.append([])
    return blocks


def _recipient_groups(blocks: list[list[tuple[str, str]]]) -> Iterator[StatusFields]:
    """Yield the fields of each recipient; the block about the message itself is left out.

    RFC 3464 requires a blank line between recipients and leaves the order of fields open (Amazon SES puts
    `Action` first). Some servers omit the blank line, or insert one inside a group. So a group ends where one
    of its key fields repeats, and at a blank line once it is complete.
    """
    fields: StatusFields = {}
    for block in blocks:
        if _complete(fields):
            yield fields
            fields = {}
        for name, value in block:
            if _begins_another(name, fields):
                yield fields
                fields = {}
            fields.setdefault(name, value)
    if _names_a_recipient(fields):
        yield fields


def _fields_within(text: str) -> Iterator[StatusFields]:
    """Yield the groups of a report whose part has a wrong type, or whose MIME structure is broken."""
    start = FIRST_STATUS_FIELD.search(text)
    if start is None:
        return
    for fields in _recipient_groups(_blocks_of(text[start.start() :])):
        if not RECIPIENT_FIELDS.isdisjoint(fields) and ("action" in fields or "status" in fields):
            yield fields


def _begins_another(name: str, fields: StatusFields) -> bool:
    """Return whether a field belongs to the next recipient, without a blank line between."""
    if not _names_a_recipient(fields):
        return False
    if name in KEY_FIELDS and name in fields:
        return True
    first = next(field for field in fields if field in KEY_FIELDS)
    return name in RECIPIENT_FIELDS and first in RECIPIENT_FIELDS and "action" in fields


def _complete(fields: StatusFields) -> bool:
    return not RECIPIENT_FIELDS.isdisjoint(fields) and "action" in fields and "status" in fields


def _names_a_recipient(fields: StatusFields) -> bool:
    return any(name in fields for name in ("final-recipient", "original-recipient", "action"))
