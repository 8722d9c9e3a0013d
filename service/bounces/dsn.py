"""Reports: delivery status notifications (pure): RFC 3464, RFC 6533."""

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
    """Return what a delivery status notification says of each recipient; None for a letter that is none."""
    parts = [part for part in mail.parts if part.get_content_type() in STATUS_CONTENT_TYPES]
    groups = [fields for part in parts for fields in _recipient_groups(field_blocks(part))]
    groups = groups or list(_fields_within(mail.whole_text))
    if not groups:
        return None
    return worst_per_recipient(_finding(fields, mail) for fields in groups)


def is_read_receipt(mail: InboundMail) -> bool:
    """Return whether it only says that somebody read, or did not read, a mail (RFC 8098)."""
    kinds = {part.get_content_type() for part in mail.parts}
    kind = str(mail.mail.get_param("report-type", "")).lower()
    return kind == "disposition-notification" or "message/disposition-notification" in kinds


def _finding(fields: StatusFields, letter: InboundMail) -> RecipientResult:
    action = re.match(r"[a-z]*", fields.get("action", "").strip().lower())
    what = action[0] if action else ""
    found = ENHANCED_STATUS.search(fields.get("status", ""))
    # Some programs say why in a comment of the status: `5.0.0 (recipient reached disk quota)`.
    comment = fields.get("status", "").partition("(")[2].rstrip(") ")
    told = fields.get("diagnostic-code", "").strip() or comment
    words = FailureText.parse(told, found[1] if found else "")
    if reply_meaning(told) is None and (
        words.status in UNSPECIFIC_STATUSES or (not told and words.status[2:] in VAGUE_STATUSES)
    ):
        words = FailureText.parse(f"{told} {without_boilerplate(letter.text)}", words.status)
    reason = " ".join(told.split())[:300]
    recipient, status = _recipient(fields), words.status
    if what in ("delivered", "relayed", "expanded") or status.startswith("2."):
        return RecipientResult(
            recipient, BounceAction.NONE, status, reason or what, kind="delivered", rule="action"
        )
    if what in ("delayed", "delay"):
        return RecipientResult(
            recipient, BounceAction.SOFT, status, reason or "delayed", kind=DELAYED, rule="action"
        )
    judged = _failed(words, fields, refused_stage(letter.text, recipient))
    return RecipientResult(
        recipient, judged.action, status, reason or "failed", kind=judged.kind, rule=judged.rule
    )


def _failed(words: FailureText, fields: StatusFields, stage: SmtpCommand) -> Diagnosis:
    silent = not fields.get("diagnostic-code") and reply_meaning(words.text) is None and words.code is None
    if silent and words.status in ("", "5.0.0"):
        # For good, and not a word why: the standard's own meaning of it is all there is.
        return Diagnosis(BounceAction.HARD, "", "action")
    return diagnose(words, stage)


def _recipient(fields: StatusFields) -> str:
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        value = fields.get(name, "").partition(";")[2] or fields.get(name, "")
        if found := ADDRESS.search(value):
            return found[0]
    return ""


def field_blocks(part: Mail) -> list[list[tuple[str, str]]]:
    """Return the fields of a part in order, unfolded, a list for each block between blank lines."""
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
    """Cut the fields into one group for each recipient; the group about the message itself is left out.

    RFC 3464 wants a blank line between them and leaves the order within one open (Amazon SES begins with
    `Action`). Some programs leave the blank line out, or put one into a group: a group ends where one of its
    fields comes again, and at a blank line when it is complete.
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
    """Return the groups of a status report whose part has another type, or whose MIME structure is broken."""
    start = FIRST_STATUS_FIELD.search(text)
    if start is None:
        return
    for fields in _recipient_groups(_blocks_of(text[start.start() :])):
        if not RECIPIENT_FIELDS.isdisjoint(fields) and ("action" in fields or "status" in fields):
            yield fields


def _begins_another(name: str, fields: StatusFields) -> bool:
    """Return whether a field belongs to the next recipient, where no blank line says so."""
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
