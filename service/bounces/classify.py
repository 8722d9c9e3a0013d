"""Classify: what an inbound mail reports about a subscriber's address (pure).

The readers in order; the first that recognises the mail decides:

    feedback_reports    complaints
    dsn                 delivery status notifications
    heuristics          bounces of other forms, by status codes and phrases
    flufl.bounce        a few rare forms

Vacation notes, challenges, receipts and mail from people are no bounces.
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
    """The classification of a mail. `delivery_id` is read from the returned mail; empty when it is not shown.

    `kind` and `rule` are those of the RecipientResult that decided.
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
    """Return the classification of a mail that reports nothing about an address."""
    return Bounce(BounceAction.NONE, reason=reason)


def classify_bytes(content: bytes) -> Bounce:
    """Parse and classify a mail. Never raises: an unreadable mail is no bounce, with the reason."""
    try:
        return classify(InboundMail.parse(content))
    except Exception as error:  # noqa: BLE001 - other people's mail: it must not stop the next
        return no_bounce(f"{UNREADABLE_REASON}: {unreadable_reason(error)}")


def unreadable_reason(error: BaseException) -> str:
    """Return why a mail cannot be read, without any text of the mail."""
    if isinstance(error, RecursionError):
        return "its parts are nested too deeply"
    if isinstance(error, MemoryError):
        return "reading it took more memory than it may"
    if isinstance(error, TimeoutError):
        return "reading it took longer than it may"
    return str(error) if isinstance(error, MailUnreadable) else type(error).__name__


def classify(mail: InboundMail) -> Bounce:
    """Classify a mail.

    Hard: the address does not work, or its owner complains. Soft: a temporary failure or a delay. None: a
    vacation note, a challenge, a receipt, a bounce of a bounce, or no bounce at all.
    """
    nothing = _no_bounce_reason(mail)
    if nothing:
        return Bounce(BounceAction.NONE, reason=nothing)
    results = parse_feedback_report(mail) or parse_dsn(mail) or parse_unstructured(mail) or _rare_forms(mail)
    return _bounce(results, mail)


def _no_bounce_reason(mail: InboundMail) -> str:
    """Return why the mail cannot be a bounce; empty when it may be one."""
    if is_read_receipt(mail) and "reject" not in mail.header("Auto-Submitted").lower():
        return "a receipt"
    if parse_feedback_report(mail):
        return ""
    if _returned_a_bounce(mail):
        return "a bounce of a bounce"
    return "" if parse_dsn(mail) else _automatic_mail(mail)


def _automatic_mail(mail: InboundMail) -> str:
    """Return what an automatic mail is that reports no failure; empty for any other mail."""
    if PHRASES["statistics"].search(mail.subject):
        return "a report about mail in general, such as DMARC's"
    if _is_challenge(mail):
        return "a challenge: it wants us to confirm that we sent it"
    return "an automatic reply" if _is_automatic(mail) else ""


def _bounce(results: tuple[RecipientResult, ...], mail: InboundMail) -> Bounce:
    """Return the worst result, with all recipients that it applies to."""
    if not results:
        return Bounce(BounceAction.NONE, reason="no bounce")
    found = _OUR_ID.search(decoded_header(mail.returned, "Message-ID")) if mail.returned else None
    if found and mail.returned:
        results = _for_subscriber(results, addresses_in(mail.returned, "To"))
    worst = max(results, key=lambda result: BY_SEVERITY.index(result.action))
    recipients = [result.recipient for result in results if result.action is worst.action]
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


def _for_subscriber(
    results: tuple[RecipientResult, ...], sent_to: tuple[str, ...]
) -> tuple[RecipientResult, ...]:
    """Return the results for the one subscriber that our returned mail was sent to.

    The report may name other addresses: a list or an alias forwards to them. Then the subscriber's address
    fails only when every address that it forwards to fails.
    """
    if len(sent_to) != 1 or results[0].complaint or not any(result.recipient for result in results):
        return results
    subscriber = sent_to[0].lower()
    named = tuple(result for result in results if result.recipient.lower() == subscriber)
    if named:
        return named
    best = min(results, key=lambda result: BY_SEVERITY.index(result.action))
    return (replace(best, recipient=sent_to[0]),)


def _returned_a_bounce(mail: InboundMail) -> bool:
    """Return whether the returned mail was a bounce itself, so that it reports nothing about a subscriber.

    A bounce has an empty return path (RFC 5321, 4.5.5). A returned mail without that header must look like
    a bounce: From is not enough, since newsletters are sent as `mailer@` too.
    """
    returned = mail.returned
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


def _is_automatic(mail: InboundMail) -> bool:
    """Return whether the mail is an automatic reply (RFC 3834)."""
    if mail.header("X-Failed-Recipients"):
        return False
    named = any(
        mail.header(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply-From", "X-Vacation")
    )
    if named or mail.header("Precedence").lower() in ("auto_reply", "auto-reply"):
        return not looks_like_bounce(mail)
    if mail.header("Auto-Submitted").lower().startswith("auto-replied") and not looks_like_bounce(mail):
        return True
    return bool(PHRASES["automatic"].search(mail.subject)) and mail.returned is None


def _is_challenge(mail: InboundMail) -> bool:
    text = mail.text[:3000]
    if any(is_machine_address(address) for address in mail.addresses("From")):
        return False
    if PHRASES["subject"].search(mail.subject) and PHRASES["gave up"].search(text):
        # A bounce of a challenge, or of a mail about one.
        return False
    if PHRASES["challenge"].search(text):
        return True
    # The subject may be that of our own mail, which was returned.
    return bool(PHRASES["challenge"].search(mail.subject)) and not PHRASES["gave up"].search(text)


def _rare_forms(mail: InboundMail) -> tuple[RecipientResult, ...]:
    """Return what flufl.bounce recognises: some rare forms."""
    from flufl.bounce import all_failures  # noqa: PLC0415 - rarely needed, and it loads a detector for each form

    try:
        temporary, permanent = all_failures(mail.message)
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
