"""SMTP replies: the outcome of a delivery by the server's reply (pure): one decision table.

These decide, in this order: the first digit; the enhanced status code (RFC 3463) where it is precise; the
text; what is left of the enhanced code; the SMTP code and the command that it answered (RFC 5321, 4.2 and
4.3.2). The same table decides about bounce mails.
"""

from __future__ import annotations

import re
from enum import StrEnum

from service.core.model import Deferred, Outcome, RefusalCause, Refused, Sent
from service.deliver.channels.smtp.rate_replies import throttle_of
from service.deliver.channels.smtp.reply_patterns import ReplyMeaning, reply_meaning

ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})(?![.\d])")
MAX_REPLY_CHARACTERS = 400
LOGIN_REQUIRED = re.compile(r"(?i)\bauth|access denied|starttls")


class SmtpCommand(StrEnum):
    """The command that a reply answers."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "final dot"


TEMPORARY = "later"
FailureCause = RefusalCause | str
"""The cause of a permanent failure, or TEMPORARY when it must not be final."""

ADDRESS, MESSAGE, POLICY = RefusalCause.ADDRESS, RefusalCause.MESSAGE, RefusalCause.POLICY

# By subject and detail of the enhanced code; for all others the subject alone decides.
CAUSE_BY_DETAIL: dict[str, FailureCause] = {
    "1.7": POLICY,  # bad sender's mailbox syntax
    "1.8": POLICY,  # bad sender's system address
    "1.90": POLICY,  # Exchange Online: we sent too much
    "2.2": TEMPORARY,  # mailbox full: temporary by RFC 5321, 4.5.3.1.10
    "2.3": MESSAGE,  # longer than this mailbox may receive
    "2.121": TEMPORARY,  # Exchange Online: the recipient gets mail too fast
    "2.122": TEMPORARY,  # Exchange Online: the recipient gets mail too fast from one sender
    "3.1": TEMPORARY,  # mail system full
    "3.2": TEMPORARY,  # system not accepting messages now
    "4.5": TEMPORARY,  # mail system congestion
    "4.6": MESSAGE,  # routing loop
    "4.7": TEMPORARY,  # delivery time expired
    "4.14": MESSAGE,  # hop count exceeded
    "4.300": TEMPORARY,  # Exchange Online: message expired, with the reason why
    "4.312": TEMPORARY,
    "4.316": TEMPORARY,
    "4.317": TEMPORARY,
    "5.3": TEMPORARY,  # too many recipients
    "7.17": ADDRESS,  # mailbox owner has changed (RFC 7293)
    "7.18": ADDRESS,  # domain owner has changed (RFC 7293)
}
CAUSE_BY_SUBJECT: dict[str, FailureCause] = {
    "1": ADDRESS,  # addressing
    "2": ADDRESS,  # mailbox
    "3": MESSAGE,  # mail system
    "4": ADDRESS,  # network and routing: the domain leads nowhere
    "5": MESSAGE,  # protocol
    "6": MESSAGE,  # content or media
    "7": POLICY,  # security or policy
}
CAUSE_BY_MEANING: dict[ReplyMeaning, FailureCause] = {
    ReplyMeaning.UNKNOWN: ADDRESS,
    ReplyMeaning.MOVED: ADDRESS,
    ReplyMeaning.DISABLED: ADDRESS,
    ReplyMeaning.UNAVAILABLE: ADDRESS,
    ReplyMeaning.FULL: TEMPORARY,
    ReplyMeaning.SIZE: MESSAGE,
    ReplyMeaning.BLOCKED: POLICY,
    ReplyMeaning.POLICY: POLICY,
    ReplyMeaning.RATE: TEMPORARY,
    ReplyMeaning.NETWORK: TEMPORARY,
    ReplyMeaning.SYSTEM: MESSAGE,
    ReplyMeaning.LATER: TEMPORARY,
}
# Where the text wins although the enhanced code contradicts it: the subjects of those codes. Many servers
# send one code, mostly 5.1.1 or 5.4.1, for everything.
TEXT_OVERRIDES: dict[ReplyMeaning, frozenset[str]] = {
    ReplyMeaning.FULL: frozenset("123"),
    ReplyMeaning.SIZE: frozenset("124"),
    ReplyMeaning.BLOCKED: frozenset("12345"),
    ReplyMeaning.POLICY: frozenset("124"),
    ReplyMeaning.RATE: frozenset("124"),
    ReplyMeaning.NETWORK: frozenset("124"),
    ReplyMeaning.SYSTEM: frozenset("24"),
    ReplyMeaning.LATER: frozenset("24"),
    ReplyMeaning.UNKNOWN: frozenset("7"),
    ReplyMeaning.MOVED: frozenset("7"),
    ReplyMeaning.DISABLED: frozenset("7"),
}
# Servers use these for everything: the text wins over them.
VAGUE_STATUSES = frozenset(
    {"1.0", "2.0", "3.0", "4.0", "5.0", "5.1", "5.2", "6.0", "7.0", "7.1", "4.1", "4.4"}
)
# Subjects that count only when neither text nor SMTP code decides.
EMPTY_SUBJECTS = frozenset({"0", "3", "5"})
AUTHENTICATION_CODES = frozenset({530, 534, 535, 538})
CAUSE_BY_CODE: dict[SmtpCommand, dict[int, FailureCause]] = {
    SmtpCommand.MAIL: {552: MESSAGE, 555: MESSAGE},
    SmtpCommand.RCPT: {550: ADDRESS, 551: ADDRESS, 553: ADDRESS, 556: ADDRESS, 552: TEMPORARY, 521: ADDRESS},
    SmtpCommand.DATA: {},
    SmtpCommand.DOT: {},
}
CAUSE_BY_COMMAND: dict[SmtpCommand, FailureCause] = {
    SmtpCommand.MAIL: POLICY,
    SmtpCommand.RCPT: MESSAGE,
    SmtpCommand.DATA: MESSAGE,
    SmtpCommand.DOT: MESSAGE,
}


def outcome_of(code: int, text: str, command: SmtpCommand) -> Outcome:
    """Return the outcome by the reply to `command`: Sent for 2xx, Deferred for 4xx, for 5xx by the table.

    Only a Refused with RefusalCause.ADDRESS may count against the address. A reply that cannot answer the
    command (1xx, 3xx) defers.
    """
    reply = reply_line(code, text)
    if 200 <= code < 300:
        return Sent(reply)
    if (throttle := throttle_of(code, text, command)) is not None:
        return Deferred(reply, throttle)
    if not 500 <= code < 600 or is_sequence_error(code, text, command):
        return Deferred(reply)
    cause = failure_cause(code, enhanced_code(text), text, command)
    if cause is MESSAGE and command is not SmtpCommand.RCPT and _is_about_size(text):
        cause = RefusalCause.SIZE
    return Refused(reply, cause) if isinstance(cause, RefusalCause) else Deferred(reply)


def _is_about_size(text: str) -> bool:
    """Return whether the message exceeds the server's size limit (RFC 1870; 5.3.4 of RFC 3463)."""
    return enhanced_code(text) == "5.3.4" or reply_meaning(text) is ReplyMeaning.SIZE


def is_sequence_error(code: int, text: str, command: SmtpCommand) -> bool:
    """Return whether the reply means that our command came out of sequence (RFC 5321, 4.2.3 and RFC 3463).

    That is 503, and X.5.1 (invalid command) where it cannot be about the recipient. It proves nothing about
    the message, the address or our reputation. A text that names another cause wins, and so does one that
    demands a login.
    """
    if code == 503:
        return reply_meaning(text) in {None, ReplyMeaning.POLICY} and not LOGIN_REQUIRED.search(text)
    # The code first: the meaning costs a hundred microseconds, and every final dot asks.
    is_invalid_command = 500 <= code < 600 and enhanced_code(text) == "5.5.1"
    return is_invalid_command and command is not SmtpCommand.RCPT and reply_meaning(text) is None


def reply_line(code: int, text: str) -> str:
    """Return the reply as the ledger keeps it: one short line without control characters."""
    if text.isprintable() and "  " not in text and len(text) < MAX_REPLY_CHARACTERS - 4:
        return f"{code} {text}".strip()
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"{code} {line}".strip()[:MAX_REPLY_CHARACTERS]


def enhanced_code(text: str) -> str | None:
    """Return the enhanced status code at the start of the text, such as `5.1.1` (RFC 2034), or None."""
    found = ENHANCED.match(text)
    return ".".join(found.groups()) if found else None


def failure_cause(code: int | None, status: str | None, text: str, command: SmtpCommand) -> FailureCause:
    """Return the cause of a permanent failure by SMTP code, enhanced code and text; each may be missing.

    A reply to MAIL that names an address is about our own address: policy.
    """
    if code in AUTHENTICATION_CODES:
        return POLICY
    cause = _cause(code, status, text, command)
    return POLICY if command is SmtpCommand.MAIL and cause is ADDRESS else cause


def _cause(code: int | None, status: str | None, text: str, command: SmtpCommand) -> FailureCause:
    detail = status[2:] if status and status.startswith("5.") else ""
    meaning = reply_meaning(text)
    if meaning is ReplyMeaning.UNAVAILABLE and (
        command in (SmtpCommand.DATA, SmtpCommand.DOT) or detail.startswith("7.")
    ):
        # A filter's polite refusal of the content: an unknown mailbox is refused at RCPT.
        meaning = ReplyMeaning.POLICY
    if detail and detail not in VAGUE_STATUSES and not detail.startswith("0."):
        return _by_overriding_text(detail, meaning) or _by_status(detail) or CAUSE_BY_COMMAND[command]
    if meaning is not None:
        return CAUSE_BY_MEANING[meaning]
    if detail.partition(".")[0] not in EMPTY_SUBJECTS and (cause := _by_status(detail)):
        return cause
    return CAUSE_BY_CODE[command].get(code or 0) or CAUSE_BY_COMMAND[command]


def _by_status(detail: str) -> FailureCause | None:
    return CAUSE_BY_DETAIL.get(detail) or CAUSE_BY_SUBJECT.get(detail.partition(".")[0])


def _by_overriding_text(detail: str, meaning: ReplyMeaning | None) -> FailureCause | None:
    """Return the cause by the text where it wins over the enhanced code, else None."""
    if meaning is None or detail.partition(".")[0] not in TEXT_OVERRIDES.get(meaning, ()):
        return None
    if detail in CAUSE_BY_DETAIL and meaning is not ReplyMeaning.BLOCKED:
        return None
    return CAUSE_BY_MEANING[meaning]
