"""Bounces: what a letter in the bounce mailbox says about a reader's address (pure).

reports     delivery status notifications
feedback    complaints
notices     the many other forms, by codes and words
classify    the rule that all of them are judged by
neither     somebody is on holiday, wants to be convinced that we are human, or wrote to us
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace

from service.bounces.dsn import is_read_receipt, parse_dsn
from service.bounces.feedback_reports import parse_feedback_report
from service.bounces.heuristics import is_machine_address, looks_like_bounce, parse_unstructured
from service.bounces.inbound_mail import InboundMail, MailUnreadable, addresses_in, decoded_header
from service.bounces.result import BY_SEVERITY, BounceAction, RecipientResult
from service.text.word_lists import load_patterns

PHRASES = load_patterns(__package__, "inbound_mail.txt")
UNREADABLE_REASON = "the mail cannot be read"
_OUR_ID = re.compile(r"<?([0-9a-f]{48})@")


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a mail says. `delivery_id` is the delivery that came back, when the returned mail shows it.

    `kind` and `rule` are those of the finding that decided.
    """

    action: BounceAction
    status: str = ""
    recipients: tuple[str, ...] = ()
    reason: str = ""
    complaint: bool = False
    delivery_id: str = ""
    kind: str = ""
    rule: str = ""


def no_bounce(reason: str) -> Bounce:
    """Return that a mail says nothing about an address, and why."""
    return Bounce(BounceAction.NONE, reason=reason)


def classify_bytes(content: bytes) -> Bounce:
    """Return what the mail says about an address; any bytes have an answer."""
    try:
        return classify(InboundMail.parse(content))
    except Exception as error:  # noqa: BLE001 - other people's mail: it must not stop the next
        return no_bounce(f"{UNREADABLE_REASON}: {unreadable_reason(error)}")


def unreadable_reason(error: BaseException) -> str:
    """Return in a few words what kept a mail from being read; nothing of the mail is in them."""
    if isinstance(error, RecursionError):
        return "its parts are nested too deeply"
    if isinstance(error, MemoryError):
        return "reading it took more memory than it may"
    if isinstance(error, TimeoutError):
        return "reading it took longer than it may"
    return str(error) if isinstance(error, MailUnreadable) else type(error).__name__


def classify(mail: InboundMail) -> Bounce:
    """Return what the letter says about an address.

    Hard: the address is no good, or its owner complains. Soft: it failed this time, or is delayed. None: a
    holiday note, a challenge, a receipt, a bounce of a bounce, or no bounce at all.
    """
    nothing = _nothing(mail)
    if nothing:
        return Bounce(BounceAction.NONE, reason=nothing)
    findings = (
        parse_feedback_report(mail) or parse_dsn(mail) or parse_unstructured(mail) or _second_opinion(mail)
    )
    return _bounce(findings, mail)


def _nothing(letter: InboundMail) -> str:
    """Return why the letter says nothing about an address, or nothing when it may."""
    if is_read_receipt(letter) and "reject" not in letter.header("Auto-Submitted").lower():
        return "a receipt"
    if parse_feedback_report(letter):
        return ""
    if _returned_a_bounce(letter):
        return "a bounce of a bounce"
    return "" if parse_dsn(letter) else _answer(letter)


def _answer(letter: InboundMail) -> str:
    """Return what else the mail is, by its headers and words, when it is no report of a failure."""
    if PHRASES["statistics"].search(letter.subject):
        return "a report about mail in general, such as DMARC's"
    if _is_challenge(letter):
        return "a challenge: it wants us to confirm that we sent it"
    return "an automatic reply" if _is_automatic(letter) else ""


def _bounce(findings: tuple[RecipientResult, ...], letter: InboundMail) -> Bounce:
    """Return the worst of the findings, for all the recipients that it holds for."""
    if not findings:
        return Bounce(BounceAction.NONE, reason="no bounce")
    found = _OUR_ID.search(decoded_header(letter.returned, "Message-ID")) if letter.returned else None
    if found and letter.returned:
        findings = _about_our_reader(findings, addresses_in(letter.returned, "To"))
    worst = max(findings, key=lambda finding: BY_SEVERITY.index(finding.action))
    recipients = [finding.recipient for finding in findings if finding.action is worst.action]
    return Bounce(
        worst.action,
        worst.status,
        tuple(address for address in recipients if address),
        worst.reason,
        worst.complaint,
        found[1] if found else "",
        worst.kind,
        worst.rule,
    )


def _about_our_reader(
    findings: tuple[RecipientResult, ...], readers: tuple[str, ...]
) -> tuple[RecipientResult, ...]:
    """Return what a report about a mail of ours, which went to one reader, says about that reader.

    A mail server between may name others: a list or an alias that the reader's address stands for. Then the
    reader's address is no good only when every address behind it is.
    """
    if len(readers) != 1 or findings[0].complaint or not any(finding.recipient for finding in findings):
        return findings
    reader = readers[0].lower()
    named = tuple(finding for finding in findings if finding.recipient.lower() == reader)
    if named:
        return named
    best = min(findings, key=lambda finding: BY_SEVERITY.index(finding.action))
    return (replace(best, recipient=readers[0]),)


def _returned_a_bounce(letter: InboundMail) -> bool:
    """Return whether the mail that came back was a bounce itself, so that it says nothing about a reader.

    A bounce has an empty return path (RFC 5321, 4.5.5). Where the mail that came back shows none, it must
    look like a bounce: a From address alone does not tell, newsletters are sent as `mailer@` too.
    """
    returned = letter.returned
    if returned is None:
        return False
    path = decoded_header(returned, "Return-Path")
    if path:
        return path.replace(" ", "") == "<>"
    if _OUR_ID.search(decoded_header(returned, "Message-ID")) or returned.get("List-Unsubscribe"):
        return False
    by_machine = any(is_machine_address(address) for address in addresses_in(returned, "From"))
    report = str(returned.get_content_type()) == "multipart/report"
    return by_machine and (report or bool(PHRASES["subject"].search(decoded_header(returned, "Subject"))))


def _is_automatic(letter: InboundMail) -> bool:
    """Return whether it is an answer that a mailbox gives by itself (RFC 3834)."""
    if letter.header("X-Failed-Recipients"):
        return False
    named = any(
        letter.header(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply-From", "X-Vacation")
    )
    if named or letter.header("Precedence").lower() in ("auto_reply", "auto-reply"):
        return not looks_like_bounce(letter)
    if letter.header("Auto-Submitted").lower().startswith("auto-replied") and not looks_like_bounce(letter):
        return True
    return bool(PHRASES["automatic"].search(letter.subject)) and letter.returned is None


def _is_challenge(letter: InboundMail) -> bool:
    text = letter.text[:3000]
    if any(is_machine_address(address) for address in letter.addresses("From")):
        return False
    if PHRASES["subject"].search(letter.subject) and PHRASES["gave up"].search(text):
        # A bounce of somebody's challenge, or of a mail that speaks of one.
        return False
    if PHRASES["challenge"].search(text):
        return True
    # The subject may be that of our own mail, which is on its way back.
    return bool(PHRASES["challenge"].search(letter.subject)) and not PHRASES["gave up"].search(text)


def _second_opinion(letter: InboundMail) -> tuple[RecipientResult, ...]:
    """Ask flufl.bounce about a letter that we make nothing of; it knows some rare forms, and it may fail."""
    from flufl.bounce import all_failures  # noqa: PLC0415 - rarely needed, and it loads a detector for each form

    try:
        temporary, permanent = all_failures(letter.mail)
    except Exception:  # noqa: BLE001 - it raises on some real mails, and a guess is not worth a crash
        return ()
    reason = "recognised by its form"
    return (
        *(RecipientResult(_text(address), BounceAction.HARD, "", reason) for address in sorted(permanent)),
        *(RecipientResult(_text(address), BounceAction.SOFT, "", reason) for address in sorted(temporary)),
    )


def _text(address: bytes | str) -> str:
    return address.decode("utf-8", "replace") if isinstance(address, bytes) else address


logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
