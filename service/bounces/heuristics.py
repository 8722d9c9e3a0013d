"""Notices: bounces that follow no standard, by what they look like and say (pure).

qmail, Exim, old Sendmail, Exchange, Notes, GroupWise and the large providers each have a form of their own,
and people's own words come on top. What they share: a sender that is a machine, a subject that says so,
addresses, codes and words.
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
# An address that has a line to itself, or begins one that goes on with why.
ADDRESS_ON_ITS_OWN_LINE = re.compile(
    r"(?m)^[ \t>*\"'<(\[]*(?:mailto:|smtp[:;] ?|rfc822[;:] ?|to: ?)?<?"
    rf"({ADDRESS.pattern})>?[\"')\]]*(?:[ \t]*[:;,(\[<-].*|[ \t]*)$"
)
ADDRESS_LABELS = (
    r"recipient|address|mailbox|user|deliver(?:ed|y)?(?: \w+)? to|sent to|rcpt to|message to|mail to|for|to|"
    r"empfänger\w*|an|adresse|destinataire|à|destinatario"
)
CJK_ADDRESS_LABELS = r"收件人|收信人|地址|发往|宛先|アドレス|받는 ?사람"
# Something must stand between: `user` is a label in `user: x@y` and a part of the address in `userx@y`.
LABELLED_ADDRESS = re.compile(
    rf"(?i)(?:\b(?:{ADDRESS_LABELS})[^\w\n]{{1,6}}|(?:{CJK_ADDRESS_LABELS})[^\w\n]{{0,6}})"
    rf"(?:mailto:|smtp:|rfc822;)?<?({ADDRESS.pattern})"
)
# What stands behind such a heading is whom it failed for; before it, our own mail may be described.
RECIPIENTS_HEADING = re.compile(
    r"(?i)(?:following|these|folgenden?|suivante?s?|siguientes?|seguenti)[ \t]+(?:\w+[ \t]+){0,3}?"
    r"(?:recipient|address|user|person|empfänger|adresse|destinataire|destinatario|direcci|indirizz)[^\n]*\n"
)
SENDMAIL_REASON = re.compile(r"(?m)^[ \t]{1,8}\(reason: ([45]\d\d[^\n]{0,500})")
ADDRESS_TYPE_PREFIX = re.compile(r"(?i)^(?:smtp|rfc-?822)=")
OUR_ADDRESS_HEADERS = ("From", "Sender", "Reply-To", "To", "Cc", "Delivered-To")


def parse_unstructured(mail: InboundMail) -> tuple[RecipientResult, ...] | None:
    """Return what a bounce without a standard form says; None for a letter that looks like none."""
    if not looks_like_bounce(mail):
        return None
    report = mail.text[:MAX_REPORT_CHARACTERS]
    words = _telling(report)
    reason = _reason(report)
    judged, recipients = _judged(mail, words), _recipients(mail)
    if not recipients and not judged.kind:
        # Neither why nor whom: too little to give an address up.
        judged = replace(judged, action=BounceAction.SOFT)
    return tuple(
        RecipientResult(address, judged.action, words.status, reason, kind=judged.kind, rule=judged.rule)
        for address in recipients or ("",)
    )


def looks_like_bounce(mail: InboundMail) -> bool:
    """Return whether a mail program, not a person, sent the letter because of a mail of ours."""
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
    """Return whether no person has such an address."""
    return bool(PHRASES["machine"].search(address.partition("@")[0]))


def _telling(report: str) -> FailureText:
    """Return the words that say why: those at the codes, where they say something, else all of them.

    What a mail program says around them to people ("some programs act on incorrect addresses") is no reason.
    """
    if reason := SENDMAIL_REASON.search(report):
        # The server's own reply. What Sendmail makes of it (`550 5.1.1 ... User unknown`) stands elsewhere.
        return FailureText.parse(reason[1])
    report = without_boilerplate(report)
    lines = [line for line in report.split("\n") if line.strip()]
    coded = [
        index for index, line in enumerate(lines) if SMTP_CODE.search(line) or ENHANCED_STATUS.search(line)
    ]
    near = "\n".join(line for index in coded[:5] for line in lines[max(index - 1, 0) : index + 3])
    whole = FailureText.parse(report)
    return FailureText(whole.code, whole.status, near) if reply_meaning(near) else whole


def _judged(letter: InboundMail, words: FailureText) -> Diagnosis:
    about = reply_meaning(words.text)
    if (
        PHRASES["delay"].search(f"{letter.subject}\n{letter.text[:MAX_REPORT_CHARACTERS]}")
        and about not in MAILBOX_GONE
    ):
        return Diagnosis(BounceAction.SOFT, DELAYED, "words")
    if about is None and words.code is None and words.status in ("", "5.0.0"):
        gave_up = PHRASES["gave up"].search(words.text) or PHRASES["gave up"].search(letter.subject)
        return Diagnosis(BounceAction.HARD if gave_up else BounceAction.SOFT, "", "words")
    return diagnose(words)


def _recipients(letter: InboundMail) -> tuple[str, ...]:
    """Return whom it is about: by its header, by where addresses stand, by the mail that came back."""
    if named := ADDRESS.findall(letter.header("X-Failed-Recipients")):
        return tuple(dict.fromkeys(named))
    addressed = {address.lower() for address in letter.addresses(*OUR_ADDRESS_HEADERS)}
    returned = letter.returned
    senders = addresses_in(returned, "From", "Sender", "Reply-To") if returned is not None else ()
    # Somebody who writes to themselves is both; then only the report's own headers are left out.
    for ours in (addressed | {address.lower() for address in senders}, addressed):
        if found := _named_in(letter.text[:MAX_REPORT_CHARACTERS], ours):
            return found
        if returned is not None and (
            theirs := tuple(a for a in addresses_in(returned, "To") if a.lower() not in ours)
        ):
            return theirs[:20]
    return ()


def _named_in(report: str, ours: set[str]) -> tuple[str, ...]:
    """Return the addresses in a report that may be the recipients, by where they stand."""
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
    """Return the line that says why: the first with a code, else the first that says something known."""
    lines = [" ".join(line.split()) for line in report.split("\n") if line.strip()]
    coded = [line for line in lines if FailureText.parse(line).code or FailureText.parse(line).status]
    telling = [line for line in lines if reply_meaning(line)]
    return next(iter([*coded, *telling, *lines]), "")[:300]
