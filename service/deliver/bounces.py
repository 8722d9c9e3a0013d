"""Bounces: what a letter in the bounce mailbox says about a reader's address (pure).

reports     the standard forms: delivery status notifications, abuse reports
notices     the many other forms, by codes and words
neither     somebody is on holiday, wants to be convinced that we are human, or wrote to us
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from service.deliver.findings import WORSE, Action, Finding
from service.deliver.letters import Letter, addresses_in, decoded_header
from service.deliver.notices import is_machine, looks_returned, notice
from service.deliver.reports import delivery_report, feedback_report, is_receipt
from service.deliver.wordlists import sections

WORDS = sections("letters.txt")
_OUR_ID = re.compile(r"<?([0-9a-f]{48})@")


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a letter says. `delivery_id` is the delivery that came back, when the returned mail shows it."""

    action: Action
    status: str = ""
    recipients: tuple[str, ...] = ()
    reason: str = ""
    complaint: bool = False
    delivery_id: str = ""


def read_bounce(content: bytes) -> Bounce:
    """Return what the letter says; any bytes have an answer.

    Hard: the address is no good, or its owner complains. Soft: it failed this time, or is delayed. None: a
    holiday note, a challenge, a receipt, a bounce of a bounce, or no bounce at all.
    """
    try:
        return _read(Letter.read(content))
    except Exception:  # other people's mail: whatever is wrong with it must not stop the next
        log.exception("a letter could not be read")
        return Bounce(Action.NONE, reason="the letter could not be read")


def _read(letter: Letter) -> Bounce:
    nothing = _nothing(letter)
    if nothing:
        return Bounce(Action.NONE, reason=nothing)
    findings = feedback_report(letter) or delivery_report(letter) or notice(letter) or _second_opinion(letter)
    return _bounce(findings, letter)


def _nothing(letter: Letter) -> str:
    """Return why the letter says nothing about an address, or nothing when it may."""
    if is_receipt(letter) and "reject" not in letter.header("Auto-Submitted").lower():
        return "a receipt"
    if feedback_report(letter):
        return ""
    if _returned_a_bounce(letter):
        return "a bounce of a bounce"
    if delivery_report(letter):
        return ""
    if _is_challenge(letter):
        return "a challenge: it wants us to confirm that we sent it"
    return "an automatic reply" if _is_automatic(letter) else ""


def _bounce(findings: tuple[Finding, ...], letter: Letter) -> Bounce:
    """Return the worst of the findings, for all the recipients that it holds for."""
    if not findings:
        return Bounce(Action.NONE, reason="no bounce")
    worst = max(findings, key=lambda finding: WORSE.index(finding.action))
    recipients = [finding.recipient for finding in findings if finding.action is worst.action]
    found = _OUR_ID.search(decoded_header(letter.returned, "Message-ID")) if letter.returned else None
    return Bounce(
        worst.action,
        worst.status,
        tuple(address for address in recipients if address),
        worst.reason,
        worst.complaint,
        found[1] if found else "",
    )


def _returned_a_bounce(letter: Letter) -> bool:
    if letter.returned is None:
        return False
    senders = addresses_in(letter.returned, "From")
    return any(is_machine(address) for address in senders)


def _is_automatic(letter: Letter) -> bool:
    """Return whether it is an answer that a mailbox gives by itself (RFC 3834)."""
    if letter.header("X-Failed-Recipients"):
        return False
    named = any(
        letter.header(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply-From", "X-Vacation")
    )
    if named or letter.header("Precedence").lower() in ("auto_reply", "auto-reply"):
        return not looks_returned(letter)
    if letter.header("Auto-Submitted").lower().startswith("auto-replied") and not looks_returned(letter):
        return True
    return bool(WORDS["automatic"].search(letter.subject)) and letter.returned is None


def _is_challenge(letter: Letter) -> bool:
    text = letter.text[:3000]
    if any(is_machine(address) for address in letter.addresses("From")):
        return False
    if WORDS["challenge"].search(text):
        return True
    # The subject may be that of our own mail, which is on its way back.
    return bool(WORDS["challenge"].search(letter.subject)) and not WORDS["gave up"].search(text)


def _second_opinion(letter: Letter) -> tuple[Finding, ...]:
    """Ask flufl.bounce about a letter that we make nothing of; it knows some rare forms, and it may fail."""
    from flufl.bounce import all_failures  # noqa: PLC0415 - rarely needed, and it loads a detector for each form

    try:
        temporary, permanent = all_failures(letter.mail)
    except Exception:  # noqa: BLE001 - it raises on some real mails, and a guess is not worth a crash
        return ()
    reason = "recognised by its form"
    return (
        *(Finding(_text(address), Action.HARD, "", reason) for address in sorted(permanent)),
        *(Finding(_text(address), Action.SOFT, "", reason) for address in sorted(temporary)),
    )


def _text(address: bytes | str) -> str:
    return address.decode("utf-8", "replace") if isinstance(address, bytes) else address


log = logging.getLogger("deliver")
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
