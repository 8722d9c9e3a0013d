"""Heuristics: bounces that follow no standard, recognised by their form and text (pure).

qmail, Exim, old Sendmail, Exchange, Notes, GroupWise and the large providers each have a form of their own,
and their operators change the texts. What all have in common: an automatic sender, a typical subject,
addresses, status codes and phrases.
"""

from __future__ import annotations

import re
from dataclasses import replace

from service.bounces.failure_rules import (
    ENHANCED_STATUS,
    SMTP_CODE,
    Diagnosis,
    FailureText,
    diagnose,
    without_boilerplate,
)
from service.bounces.inbound_mail import ADDRESS, InboundMail, addresses_in
from service.bounces.result import DELAYED, BounceAction, RecipientResult
from service.deliver.channels.smtp.reply_patterns import MAILBOX_GONE, reply_meaning
from service.text.word_lists import load_patterns

MAX_REPORT_CHARACTERS = 6_000

PHRASES = load_patterns(__package__, "inbound_mail.txt")
ROLE_MAILBOXES = (
    r"postmaster|mailer-daemon|mail-daemon|abuse|support|helpdesk|help|hostmaster|webmaster|admin|info-?desk"
)
ROLE_ADDRESS = re.compile(rf"(?i)^({ROLE_MAILBOXES})@")
# An address alone on its line, or at the start of a line that continues with the reason.
ADDRESS_ON_ITS_OWN_LINE = re.compile(
    r"(?m)^[ \t>*\"'<(\[]*(?:mailto:|smtp[:;] ?|rfc822[;:] ?|to: ?)?<?"
    rf"({ADDRESS.pattern})>?[\"')\]]*(?:[ \t]*[:;,(\[<-].*|[ \t]*)$"
)
ADDRESS_LABELS = (
    r"recipient|address|mailbox|user|deliver(?:ed|y)?(?: \w+)? to|sent to|rcpt to|message to|mail to|for|to|"
    r"empfänger\w*|an|adresse|destinataire|à|destinatario"
)
CJK_ADDRESS_LABELS = r"收件人|收信人|地址|发往|宛先|アドレス|받는 ?사람"
# The separator is required: `user` is a label in `user: x@y` and part of the address in `userx@y`.
LABELLED_ADDRESS = re.compile(
    rf"(?i)(?:\b(?:{ADDRESS_LABELS})[^\w\n]{{1,6}}|(?:{CJK_ADDRESS_LABELS})[^\w\n]{{0,6}})"
    rf"(?:mailto:|smtp:|rfc822;)?<?({ADDRESS.pattern})"
)
# The addresses after such a heading are the failed recipients; the text before it may describe our mail.
RECIPIENTS_HEADING = re.compile(
    r"(?i)(?:following|these|folgenden?|suivante?s?|siguientes?|seguenti)[ \t]+(?:\w+[ \t]+){0,3}?"
    r"(?:recipient|address|user|person|empfänger|adresse|destinataire|destinatario|direcci|indirizz)[^\n]*\n"
)
SENDMAIL_REASON = re.compile(r"(?m)^[ \t]{1,8}\(reason: ([45]\d\d[^\n]{0,500})")
ADDRESS_TYPE_PREFIX = re.compile(r"(?i)^(?:smtp|rfc-?822)=")
OUR_ADDRESS_HEADERS = ("From", "Sender", "Reply-To", "To", "Cc", "Delivered-To")


def parse_unstructured(mail: InboundMail) -> tuple[RecipientResult, ...] | None:
    """Return the results of a bounce without a standard form; None for a mail that looks like none."""
    if not looks_like_bounce(mail):
        return None
    report = mail.text[:MAX_REPORT_CHARACTERS]
    words = _failure_text(report)
    reason = _reason(report)
    judged, recipients = _diagnosed(mail, words), _recipients(mail)
    if not recipients and not judged.kind:
        # Neither a reason nor a recipient: not enough to suppress an address.
        judged = replace(judged, action=BounceAction.SOFT)
    return tuple(
        RecipientResult(address, judged.action, words.status, reason, kind=judged.kind, rule=judged.rule)
        for address in recipients or ("",)
    )


def looks_like_bounce(mail: InboundMail) -> bool:
    """Return whether a mail server, not a person, sent the mail in response to one of ours."""
    if mail.header("X-Failed-Recipients"):
        return True
    about_mail = bool(PHRASES["subject"].search(mail.subject))
    by_machine = (
        any(is_machine_address(address) for address in mail.addresses("From", "Sender"))
        or bool(PHRASES["machine name"].search(mail.header("From")))
        or mail.header("Return-Path") == "<>"
    )
    if by_machine:
        return about_mail or bool(PHRASES["gave up"].search(mail.text) or reply_meaning(mail.text))
    return about_mail and mail.returned is not None


def is_machine_address(address: str) -> bool:
    """Return whether the address belongs to a program, such as mailer-daemon."""
    return bool(PHRASES["machine"].search(address.partition("@")[0]))


def _failure_text(report: str) -> FailureText:
    """Return the failure: the lines around the codes where they contain a known phrase, else all lines.

    The standard text around them ("some programs act on incorrect addresses") is left out.
    """
    if reason := SENDMAIL_REASON.search(report):
        # The server's own reply; Sendmail's summary of it (`550 5.1.1 ... User unknown`) is less precise.
        return FailureText.parse(reason[1])
    report = without_boilerplate(report)
    lines = [line for line in report.split("\n") if line.strip()]
    coded = [
        index for index, line in enumerate(lines) if SMTP_CODE.search(line) or ENHANCED_STATUS.search(line)
    ]
    near = "\n".join(line for index in coded[:5] for line in lines[max(index - 1, 0) : index + 3])
    whole = FailureText.parse(report)
    return FailureText(whole.code, whole.status, near) if reply_meaning(near) else whole


def _diagnosed(mail: InboundMail, words: FailureText) -> Diagnosis:
    about = reply_meaning(words.text)
    if (
        PHRASES["delay"].search(f"{mail.subject}\n{mail.text[:MAX_REPORT_CHARACTERS]}")
        and about not in MAILBOX_GONE
    ):
        return Diagnosis(BounceAction.SOFT, DELAYED, "words")
    if about is None and words.code is None and words.status in ("", "5.0.0"):
        gave_up = PHRASES["gave up"].search(words.text) or PHRASES["gave up"].search(mail.subject)
        return Diagnosis(BounceAction.HARD if gave_up else BounceAction.SOFT, "", "words")
    return diagnose(words)


def _recipients(mail: InboundMail) -> tuple[str, ...]:
    """Return the failed recipients: by header, by their position in the text, by the returned mail."""
    if named := ADDRESS.findall(mail.header("X-Failed-Recipients")):
        return tuple(dict.fromkeys(named))
    addressed = {address.lower() for address in mail.addresses(*OUR_ADDRESS_HEADERS)}
    returned = mail.returned
    senders = addresses_in(returned, "From", "Sender", "Reply-To") if returned is not None else ()
    # Sender and recipient may be the same address; then only the report's own headers are left out.
    for ours in (addressed | {address.lower() for address in senders}, addressed):
        if found := _named_in(mail.text[:MAX_REPORT_CHARACTERS], ours):
            return found
        if returned is not None and (
            theirs := tuple(a for a in addresses_in(returned, "To") if a.lower() not in ours)
        ):
            return theirs[:20]
    return ()


def _named_in(report: str, ours: set[str]) -> tuple[str, ...]:
    """Return the addresses of a report that may be recipients, by their position."""
    heading = RECIPIENTS_HEADING.search(report)
    for part in (report[heading.end() :], report) if heading else (report,):
        for pattern in (ADDRESS_ON_ITS_OWN_LINE, LABELLED_ADDRESS, ADDRESS):
            found = [
                ADDRESS_TYPE_PREFIX.sub("", match[match.lastindex or 0]).strip(".'")
                for match in pattern.finditer(part)
            ]
            theirs = [one for one in found if one.lower() not in ours and not ROLE_ADDRESS.match(one)]
            if theirs:
                return tuple(dict.fromkeys(theirs))[:20]
    return ()


def _reason(report: str) -> str:
    """Return the line with the reason: the first with a code, else the first with a known phrase."""
    lines = [" ".join(line.split()) for line in report.split("\n") if line.strip()]
    coded = [line for line in lines if FailureText.parse(line).code or FailureText.parse(line).status]
    telling = [line for line in lines if reply_meaning(line)]
    return next(iter([*coded, *telling, *lines]), "")[:300]
