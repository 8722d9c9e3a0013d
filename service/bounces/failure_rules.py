"""Failure rules: whether a reported failure is a hard or a soft bounce (pure), in this order.

1. Status 4.x.y, or an SMTP code below 500: soft.
2. A refusal at MAIL or before, where the report names the command: the sender was refused, not the recipient.
3. `smtp.replies.failure_cause`: a precise status code (RFC 3463), unless the text contradicts it in a way
   that real servers are known for; then the text; then the rest of the status; then the SMTP code.

The cause is the address: hard. Any other cause: soft.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.bounces.result import BounceAction
from service.core.model import RefusalCause
from service.deliver.channels.smtp.replies import (
    CAUSE_BY_MEANING,
    TEMPORARY,
    FailureCause,
    SmtpCommand,
    failure_cause,
)
from service.deliver.channels.smtp.reply_patterns import ReplyMeaning, reply_meaning
from service.text.word_lists import load_patterns

ENHANCED_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
SMTP_CODE = re.compile(r"(?<![\d.#/:-])([45][0-7]\d)(?=[\s.,;:)-]|$)")
# The command that was refused, as Postfix, Exim, Sendmail and Exchange word it.
REFUSED_AT_MAIL = re.compile(
    r"(?i)in reply to (?:mail from|e?hlo|helo|lhlo|auth|starttls)"
    r"|after (?:mail from|initial connection|e?hlo|helo)|refused to talk to me"
)
MAIL_REFUSAL_TRANSCRIPT = re.compile(r"(?i)>>> ?mail from[^\n]{0,300}\n<<< ?5")
REFUSED_AT_DATA = re.compile(
    r"(?i)in reply to (?:end of )?data|after (?:pipelined )?(?:end of data|sending data|data\b)"
    r"|at the end of data"
)
# The kind of a failure by its status code alone (RFC 3463); shown to people.
KIND_BY_STATUS: dict[str, ReplyMeaning] = {
    "5.1": ReplyMeaning.UNKNOWN,
    "5.2": ReplyMeaning.UNAVAILABLE,
    "5.4": ReplyMeaning.NETWORK,
    "5.6": ReplyMeaning.POLICY,
    "5.7": ReplyMeaning.POLICY,
    "4.1": ReplyMeaning.LATER,
    "4.2": ReplyMeaning.LATER,
    "4.3": ReplyMeaning.LATER,
    "4.4": ReplyMeaning.NETWORK,
    "4.5": ReplyMeaning.LATER,
    "4.7": ReplyMeaning.POLICY,
}
# The kind of a failure of which only the cause is known.
KIND_BY_BLAME: dict[FailureCause, str] = {
    RefusalCause.ADDRESS: ReplyMeaning.UNKNOWN,
    RefusalCause.MESSAGE: "",
    RefusalCause.POLICY: ReplyMeaning.POLICY,
    TEMPORARY: ReplyMeaning.LATER,
}


@dataclass(frozen=True, slots=True)
class FailureText:
    """A reported failure: SMTP code, enhanced status code and text."""

    code: int | None
    status: str
    text: str

    @classmethod
    def parse(cls, text: str, status: str = "") -> FailureText:
        """Find the codes in a text; a precise `status` that is known already takes precedence."""
        code, found = SMTP_CODE.search(text), ENHANCED_STATUS.search(text)
        precise = status and not status.endswith(".0.0") and not status.endswith(".0")
        return cls(int(code[1]) if code else None, status if precise or not found else found[1], text)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The action, the kind of failure (a ReplyMeaning, or empty) and the rule that decided."""

    action: BounceAction
    kind: str
    rule: str


def diagnose(failure: FailureText, stage: SmtpCommand | None = None) -> Diagnosis:
    """Return whether a failure is hard or soft, and the rule that decided.

    Without `stage`, the refused command is read from the text.
    """
    saying, by_status = (
        reply_meaning(failure.text),
        KIND_BY_STATUS.get(".".join(failure.status.split(".")[:2])),
    )
    if failure.status.startswith("4."):
        return Diagnosis(BounceAction.SOFT, saying or by_status or "", f"status {failure.status}")
    if failure.code and failure.code < 500 and not failure.status.startswith("5.1."):
        return Diagnosis(BounceAction.SOFT, saying or by_status or "", f"code {failure.code}")
    verdict = failure_cause(
        failure.code, failure.status or None, failure.text, stage or refused_stage(failure.text)
    )
    action = BounceAction.HARD if verdict is RefusalCause.ADDRESS else BounceAction.SOFT
    if saying is not None and CAUSE_BY_MEANING[saying] is verdict:
        return Diagnosis(action, saying, "words")
    rule = (
        f"status {failure.status}" if failure.status else f"code {failure.code}" if failure.code else "words"
    )
    kind = by_status if by_status and CAUSE_BY_MEANING[by_status] is verdict else KIND_BY_BLAME[verdict]
    return Diagnosis(action, kind, rule)


def refused_stage(text: str, recipient: str = "") -> SmtpCommand:
    """Return the command that the server refused: MAIL, the final dot, or RCPT by default.

    With `recipient`, only the paragraph about them counts.
    """
    at = text.find(recipient) if recipient else 0
    about = text[at:].partition("\n\n")[0] if recipient and at >= 0 else text
    if REFUSED_AT_MAIL.search(about) or MAIL_REFUSAL_TRANSCRIPT.search(text):
        return SmtpCommand.MAIL
    return SmtpCommand.DOT if REFUSED_AT_DATA.search(about) else SmtpCommand.RCPT


def without_boilerplate(text: str) -> str:
    """Return the text without the standard lines that mail programs and virus scanners add for people."""
    boilerplate = load_patterns(__package__, "inbound_mail.txt")["boilerplate"]
    return "\n".join(line for line in text.split("\n") if not boilerplate.search(line))
