"""Outcomes: what a server's reply means for a delivery (pure): one decision table.

Read in this order: the first digit; then the enhanced status code (RFC 3463) where it is precise; then the
words; then what is left of the enhanced code; then the SMTP code and the command that it answered
(RFC 5321, 4.2 and 4.3.2). Bounce mails are judged by the same table.
"""

from __future__ import annotations

import re
from enum import StrEnum

from service.core.model import Blame, Deferred, Outcome, Refused, Sent
from service.deliver.channels.smtp.rate_replies import throttle_of
from service.deliver.channels.smtp.reply_patterns import Saying, say

ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})(?![.\d])")
LONGEST_REPLY = 400
LOGIN_WANTED = re.compile(r"(?i)\bauth|access denied|starttls")


class Stage(StrEnum):
    """Which command was answered."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "final dot"


LATER = "later"
Verdict = Blame | str
"""Whom a permanent failure is about, or LATER when it must not be final."""

ADDRESS, MESSAGE, POLICY = Blame.ADDRESS, Blame.MESSAGE, Blame.POLICY

# Subject and detail of a status code; what is not here is decided by the subject alone.
DETAILS: dict[str, Verdict] = {
    "1.7": POLICY,  # bad sender's mailbox syntax
    "1.8": POLICY,  # bad sender's system address
    "1.90": POLICY,  # Exchange Online: we sent too much
    "2.2": LATER,  # mailbox full: RFC 5321, 4.5.3.1.10 wants it taken as temporary
    "2.3": MESSAGE,  # longer than this mailbox may receive
    "2.121": LATER,  # Exchange Online: the recipient gets mail too fast
    "2.122": LATER,  # as above
    "3.1": LATER,  # mail system full
    "3.2": LATER,  # system not accepting messages now
    "4.5": LATER,  # mail system congestion
    "4.6": MESSAGE,  # routing loop
    "4.7": LATER,  # delivery time expired
    "4.14": MESSAGE,  # hop count exceeded
    "4.300": LATER,  # Exchange Online: message expired, with the reason why
    "4.312": LATER,
    "4.316": LATER,
    "4.317": LATER,
    "5.3": LATER,  # too many recipients
    "7.17": ADDRESS,  # mailbox owner has changed (RFC 7293)
    "7.18": ADDRESS,  # domain owner has changed (RFC 7293)
}
SUBJECTS: dict[str, Verdict] = {
    "1": ADDRESS,  # addressing
    "2": ADDRESS,  # mailbox
    "3": MESSAGE,  # mail system
    "4": ADDRESS,  # network and routing: the domain leads nowhere
    "5": MESSAGE,  # protocol
    "6": MESSAGE,  # content or media
    "7": POLICY,  # security or policy
}
SAID: dict[Saying, Verdict] = {
    Saying.UNKNOWN: ADDRESS,
    Saying.MOVED: ADDRESS,
    Saying.DISABLED: ADDRESS,
    Saying.UNAVAILABLE: ADDRESS,
    Saying.FULL: LATER,
    Saying.SIZE: MESSAGE,
    Saying.BLOCKED: POLICY,
    Saying.POLICY: POLICY,
    Saying.RATE: LATER,
    Saying.NETWORK: LATER,
    Saying.SYSTEM: MESSAGE,
    Saying.LATER: LATER,
}
# Codes that say something else than the words beside them: the subjects for which the words are believed.
# Many servers send one code, mostly 5.1.1 or 5.4.1, for everything.
CORRECTED: dict[Saying, frozenset[str]] = {
    Saying.FULL: frozenset("123"),
    Saying.SIZE: frozenset("124"),
    Saying.BLOCKED: frozenset("12345"),
    Saying.POLICY: frozenset("124"),
    Saying.RATE: frozenset("124"),
    Saying.NETWORK: frozenset("124"),
    Saying.SYSTEM: frozenset("24"),
    Saying.LATER: frozenset("24"),
    Saying.UNKNOWN: frozenset("7"),
    Saying.MOVED: frozenset("7"),
    Saying.DISABLED: frozenset("7"),
}
# Servers use these for everything: the words win over them.
VAGUE = frozenset({"1.0", "2.0", "3.0", "4.0", "5.0", "5.1", "5.2", "6.0", "7.0", "7.1", "4.1", "4.4"})
# These two say something only when nothing else does.
EMPTY_SUBJECTS = frozenset({"0", "3", "5"})
AUTHENTICATION = frozenset({530, 534, 535, 538})
CODES: dict[Stage, dict[int, Verdict]] = {
    Stage.MAIL: {552: MESSAGE, 555: MESSAGE},
    Stage.RCPT: {550: ADDRESS, 551: ADDRESS, 553: ADDRESS, 556: ADDRESS, 552: LATER, 521: ADDRESS},
    Stage.DATA: {},
    Stage.DOT: {},
}
OTHERWISE: dict[Stage, Verdict] = {
    Stage.MAIL: POLICY,
    Stage.RCPT: MESSAGE,
    Stage.DATA: MESSAGE,
    Stage.DOT: MESSAGE,
}


def outcome_of(code: int, text: str, stage: Stage) -> Outcome:
    """Return what the reply to `stage` means: Sent for 2xx, Deferred for 4xx, for 5xx by the table.

    Only a Refused with Blame.ADDRESS says something about the person. Anything that is no valid answer at
    this place (1xx, 3xx) defers.
    """
    reply = said(code, text)
    if 200 <= code < 300:
        return Sent(reply)
    if (throttle := throttle_of(code, text, stage)) is not None:
        return Deferred(reply, throttle)
    if not 500 <= code < 600 or is_sequence_error(code, text, stage):
        return Deferred(reply)
    verdict = judge(code, enhanced_code(text), text, stage)
    if verdict is MESSAGE and stage is not Stage.RCPT and _is_about_size(text):
        verdict = Blame.SIZE
    return Refused(reply, verdict) if isinstance(verdict, Blame) else Deferred(reply)


def _is_about_size(text: str) -> bool:
    """Return whether the server's own limit on the size is what refuses (RFC 1870; 5.3.4 of RFC 3463)."""
    return enhanced_code(text) == "5.3.4" or say(text) is Saying.SIZE


def is_sequence_error(code: int, text: str, stage: Stage) -> bool:
    """Return whether the server says that our command does not fit its state (RFC 5321, 4.2.3 and RFC 3463).

    That is 503, and X.5.1 (invalid command) where it cannot be about the recipient. It says nothing about the
    message, the person or our standing. Words that name another cause win, and a demand for a login does.
    """
    words = say(text)
    if code == 503:
        return words in {None, Saying.POLICY} and not LOGIN_WANTED.search(text)
    return 500 <= code < 600 and stage is not Stage.RCPT and enhanced_code(text) == "5.5.1" and words is None


def said(code: int, text: str) -> str:
    """Return the reply as the ledger keeps it: one line, no control characters, of bearable length."""
    if text.isprintable() and "  " not in text and len(text) < LONGEST_REPLY - 4:
        return f"{code} {text}".strip()
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"{code} {line}".strip()[:LONGEST_REPLY]


def enhanced_code(text: str) -> str | None:
    """Return the enhanced status code that the text begins with, such as `5.1.1` (RFC 2034), or None."""
    found = ENHANCED.match(text)
    return ".".join(found.groups()) if found else None


def judge(code: int | None, status: str | None, text: str, stage: Stage) -> Verdict:
    """Return whom a permanent failure is about: an SMTP code, an enhanced code, words; each may be missing.

    What blames the address in an answer to MAIL is about our own address: policy.
    """
    if code in AUTHENTICATION:
        return POLICY
    verdict = _verdict(code, status, text, stage)
    return POLICY if stage is Stage.MAIL and verdict is ADDRESS else verdict


def _verdict(code: int | None, status: str | None, text: str, stage: Stage) -> Verdict:
    detail = status[2:] if status and status.startswith("5.") else ""
    words = say(text)
    if words is Saying.UNAVAILABLE and (stage in (Stage.DATA, Stage.DOT) or detail.startswith("7.")):
        # A filter's polite refusal of the content: an unknown mailbox is refused at RCPT.
        words = Saying.POLICY
    if detail and detail not in VAGUE and not detail.startswith("0."):
        return _corrected(detail, words) or _by_status(detail) or OTHERWISE[stage]
    if words is not None:
        return SAID[words]
    if detail.partition(".")[0] not in EMPTY_SUBJECTS and (verdict := _by_status(detail)):
        return verdict
    return CODES[stage].get(code or 0) or OTHERWISE[stage]


def _by_status(detail: str) -> Verdict | None:
    return DETAILS.get(detail) or SUBJECTS.get(detail.partition(".")[0])


def _corrected(detail: str, words: Saying | None) -> Verdict | None:
    """Return what the words make of a code that is used wrongly so often that they are to be believed."""
    if words is None or detail.partition(".")[0] not in CORRECTED.get(words, ()):
        return None
    if detail in DETAILS and words is not Saying.BLOCKED:
        return None
    return SAID[words]
