"""Reports: bounces and complaints in the forms that RFCs lay down (pure): RFC 3464, RFC 6533, RFC 5965."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message as Mail

from service.core.model import Blame
from service.deliver.findings import Action, Finding, merged
from service.deliver.letters import ADDRESS, Letter, addresses_in, text_of
from service.deliver.outcomes import Stage, judge
from service.deliver.phrases import say

STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
CODE = re.compile(r"(?<![\d.#/:-])([45][0-7]\d)(?=[\s.,;:)-]|$)")
STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")

Fields = dict[str, str]


def delivery_report(letter: Letter) -> tuple[Finding, ...] | None:
    """Return what a delivery status notification says of each recipient; None for a letter that is none."""
    parts = [part for part in letter.parts if part.get_content_type() in STATUS_PARTS]
    groups = [fields for part in parts for fields in _recipient_groups(_field_lines(part))]
    if not groups:
        return None
    return merged(_finding(fields, letter) for fields in groups)


def feedback_report(letter: Letter) -> tuple[Finding, ...] | None:
    """Return the complaint that an abuse report holds; None for a letter that is none."""
    parts = [part for part in letter.parts if part.get_content_type() == "message/feedback-report"]
    if not parts:
        return None
    fields = dict(pair for part in parts for pair in _field_lines(part))
    kind = fields.get("feedback-type", "abuse").lower()
    named = ADDRESS.findall(fields.get("original-rcpt-to", "") + " " + fields.get("removal-recipient", ""))
    recipients = named or (addresses_in(letter.returned, "To") if letter.returned else ())
    action = Action.NONE if kind == "not-spam" else Action.HARD
    reason = f"complaint: {kind}"
    return tuple(Finding(address, action, "", reason, complaint=True) for address in recipients or ("",))


def is_receipt(letter: Letter) -> bool:
    """Return whether it only says that somebody read, or did not read, a mail (RFC 8098)."""
    kinds = {part.get_content_type() for part in letter.parts}
    kind = str(letter.mail.get_param("report-type", "")).lower()
    return kind == "disposition-notification" or "message/disposition-notification" in kinds


@dataclass(frozen=True, slots=True)
class Words:
    """What a report says of a failure: an SMTP code, an enhanced one, and the text."""

    code: int | None
    status: str
    text: str

    @classmethod
    def read(cls, text: str, status: str = "") -> Words:
        """Find the codes in a text; a status that is known already wins."""
        code, found = CODE.search(text), STATUS.search(text)
        precise = status and not status.endswith(".0.0") and not status.endswith(".0")
        return cls(int(code[1]) if code else None, status if precise or not found else found[1], text)


def action_of(words: Words) -> Action:
    """Return whether a failure is for good (hard: the address is no good) or not."""
    if words.status.startswith("4.") or (
        words.code and words.code < 500 and not words.status.startswith("5.1.")
    ):
        return Action.SOFT
    verdict = judge(words.code, words.status or None, words.text, Stage.RCPT)
    return Action.HARD if verdict is Blame.ADDRESS else Action.SOFT


def _finding(fields: Fields, letter: Letter) -> Finding:
    action = re.match(r"[a-z]*", fields.get("action", "").strip().lower())
    what = action[0] if action else ""
    found = STATUS.search(fields.get("status", ""))
    words = Words.read(fields.get("diagnostic-code", ""), found[1] if found else "")
    if not words.text.strip() or (
        say(words.text) is None and words.status in ("", "5.0.0", "5.3.0", "5.5.0")
    ):
        words = Words.read(f"{words.text} {letter.text}", words.status)
    reason = " ".join((words.text if fields.get("diagnostic-code") else "").split())[:300]
    recipient = _recipient(fields)
    if what in ("delivered", "relayed", "expanded") or words.status.startswith("2."):
        return Finding(recipient, Action.NONE, words.status, reason or what)
    if what in ("delayed", "delay"):
        return Finding(recipient, Action.SOFT, words.status, reason or "delayed")
    return Finding(recipient, _failed(words, fields), words.status, reason or "failed")


def _failed(words: Words, fields: Fields) -> Action:
    silent = not fields.get("diagnostic-code") and say(words.text) is None and words.code is None
    if silent and words.status in ("", "5.0.0"):
        # For good, and not a word why: the standard's own meaning of it is all there is.
        return Action.HARD
    return action_of(words)


def _recipient(fields: Fields) -> str:
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        if found := ADDRESS.search(fields.get(name, "").partition(";")[2] or fields.get(name, "")):
            return found[0]
    return ""


def _field_lines(part: Mail) -> list[tuple[str, str]]:
    """Return the fields of a part, in order, unfolded; however it was encoded and cut into blocks."""
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
    unfolded = re.sub(r"\n[ \t]+(?=\S)", " ", text.replace("\r\n", "\n"))
    pairs = (line.partition(":") for line in unfolded.split("\n"))
    return [(name.strip().lower(), value.strip()) for name, colon, value in pairs if colon]


def _recipient_groups(lines: list[tuple[str, str]]) -> Iterator[Fields]:
    """Cut the fields into one group for each recipient; the group about the message itself is left out."""
    fields: Fields = {}
    for name, value in lines:
        starts = name in ("final-recipient", "original-recipient") and (
            name in fields or ("action" in fields and "final-recipient" in fields)
        )
        if starts:
            yield fields
            fields = {}
        fields.setdefault(name, value)
    if "final-recipient" in fields or "original-recipient" in fields or "action" in fields:
        yield fields
