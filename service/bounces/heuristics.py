"""Notices: bounces that follow no standard, by what they look like and say (pure).

qmail, Exim, old Sendmail, Exchange, Notes, GroupWise and the large providers each have a form of their own,
and people's own words come on top. What they share: a sender that is a machine, a subject that says so,
addresses, codes and words.
"""

from __future__ import annotations

import re
from dataclasses import replace

from service.bounces.failure_rules import CODE, STATUS, Judgement, Words, judgement_of, without_boilerplate
from service.bounces.inbound_mail import ADDRESS, Letter, addresses_in
from service.bounces.result import DELAYED, Action, Finding
from service.deliver.channels.smtp.reply_patterns import GONE, say
from service.text.word_lists import sections

LONGEST_REPORT = 6_000

WORDS = sections(__package__, "inbound_mail.txt")
OFFICES = (
    r"postmaster|mailer-daemon|mail-daemon|abuse|support|helpdesk|help|hostmaster|webmaster|admin|info-?desk"
)
OFFICE = re.compile(rf"(?i)^({OFFICES})@")
# An address that has a line to itself, or begins one that goes on with why.
ALONE = re.compile(
    r"(?m)^[ \t>*\"'<(\[]*(?:mailto:|smtp[:;] ?|rfc822[;:] ?|to: ?)?<?"
    rf"({ADDRESS.pattern})>?[\"')\]]*(?:[ \t]*[:;,(\[<-].*|[ \t]*)$"
)
LABELS = (
    r"recipient|address|mailbox|user|deliver(?:ed|y)?(?: \w+)? to|sent to|rcpt to|message to|mail to|for|to|"
    r"empfänger\w*|an|adresse|destinataire|à|destinatario"
)
WIDE_LABELS = r"收件人|收信人|地址|发往|宛先|アドレス|받는 ?사람"
# Something must stand between: `user` is a label in `user: x@y` and a part of the address in `userx@y`.
LABELLED = re.compile(
    rf"(?i)(?:\b(?:{LABELS})[^\w\n]{{1,6}}|(?:{WIDE_LABELS})[^\w\n]{{0,6}})"
    rf"(?:mailto:|smtp:|rfc822;)?<?({ADDRESS.pattern})"
)
# What stands behind such a heading is whom it failed for; before it, our own mail may be described.
HEADING = re.compile(
    r"(?i)(?:following|these|folgenden?|suivante?s?|siguientes?|seguenti)[ \t]+(?:\w+[ \t]+){0,3}?"
    r"(?:recipient|address|user|person|empfänger|adresse|destinataire|destinatario|direcci|indirizz)[^\n]*\n"
)
SENDMAIL_REASON = re.compile(r"(?m)^[ \t]{1,8}\(reason: ([45]\d\d[^\n]{0,500})")
X400 = re.compile(r"(?i)^(?:smtp|rfc-?822)=")
OURS = ("From", "Sender", "Reply-To", "To", "Cc", "Delivered-To")


def notice(letter: Letter) -> tuple[Finding, ...] | None:
    """Return what a bounce without a standard form says; None for a letter that looks like none."""
    if not looks_returned(letter):
        return None
    report = letter.text[:LONGEST_REPORT]
    words = _telling(report)
    reason = _reason(report)
    judged, recipients = _judged(letter, words), _recipients(letter)
    if not recipients and not judged.kind:
        # Neither why nor whom: too little to give an address up.
        judged = replace(judged, action=Action.SOFT)
    return tuple(
        Finding(address, judged.action, words.status, reason, kind=judged.kind, rule=judged.rule)
        for address in recipients or ("",)
    )


def looks_returned(letter: Letter) -> bool:
    """Return whether a mail program, not a person, sent the letter because of a mail of ours."""
    if letter.header("X-Failed-Recipients"):
        return True
    about_mail = bool(WORDS["subject"].search(letter.subject))
    by_machine = (
        any(is_machine(address) for address in letter.addresses("From", "Sender"))
        or bool(WORDS["machine name"].search(letter.header("From")))
        or letter.header("Return-Path") == "<>"
    )
    if by_machine:
        return about_mail or bool(WORDS["gave up"].search(letter.text) or say(letter.text))
    return about_mail and letter.returned is not None


def is_machine(address: str) -> bool:
    """Return whether no person has such an address."""
    return bool(WORDS["machine"].search(address.partition("@")[0]))


def _telling(report: str) -> Words:
    """Return the words that say why: those at the codes, where they say something, else all of them.

    What a mail program says around them to people ("some programs act on incorrect addresses") is no reason.
    """
    if reason := SENDMAIL_REASON.search(report):
        # The server's own reply. What Sendmail makes of it (`550 5.1.1 ... User unknown`) stands elsewhere.
        return Words.read(reason[1])
    report = without_boilerplate(report)
    lines = [line for line in report.split("\n") if line.strip()]
    coded = [index for index, line in enumerate(lines) if CODE.search(line) or STATUS.search(line)]
    near = "\n".join(line for index in coded[:5] for line in lines[max(index - 1, 0) : index + 3])
    whole = Words.read(report)
    return Words(whole.code, whole.status, near) if say(near) else whole


def _judged(letter: Letter, words: Words) -> Judgement:
    about = say(words.text)
    if WORDS["delay"].search(f"{letter.subject}\n{letter.text[:LONGEST_REPORT]}") and about not in GONE:
        return Judgement(Action.SOFT, DELAYED, "words")
    if about is None and words.code is None and words.status in ("", "5.0.0"):
        gave_up = WORDS["gave up"].search(words.text) or WORDS["gave up"].search(letter.subject)
        return Judgement(Action.HARD if gave_up else Action.SOFT, "", "words")
    return judgement_of(words)


def _recipients(letter: Letter) -> tuple[str, ...]:
    """Return whom it is about: by its header, by where addresses stand, by the mail that came back."""
    if named := ADDRESS.findall(letter.header("X-Failed-Recipients")):
        return tuple(dict.fromkeys(named))
    addressed = {address.lower() for address in letter.addresses(*OURS)}
    returned = letter.returned
    senders = addresses_in(returned, "From", "Sender", "Reply-To") if returned is not None else ()
    # Somebody who writes to themselves is both; then only the report's own headers are left out.
    for ours in (addressed | {address.lower() for address in senders}, addressed):
        if found := _named_in(letter.text[:LONGEST_REPORT], ours):
            return found
        if returned is not None and (
            theirs := tuple(a for a in addresses_in(returned, "To") if a.lower() not in ours)
        ):
            return theirs[:20]
    return ()


def _named_in(report: str, ours: set[str]) -> tuple[str, ...]:
    """Return the addresses in a report that may be the recipients, by where they stand."""
    heading = HEADING.search(report)
    for part in (report[heading.end() :], report) if heading else (report,):
        for pattern in (ALONE, LABELLED, ADDRESS):
            found = [
                X400.sub("", match[match.lastindex or 0]).strip(".'") for match in pattern.finditer(part)
            ]
            theirs = [one for one in found if one.lower() not in ours and not OFFICE.match(one)]
            if theirs:
                return tuple(dict.fromkeys(theirs))[:20]
    return ()


def _reason(report: str) -> str:
    """Return the line that says why: the first with a code, else the first that says something known."""
    lines = [" ".join(line.split()) for line in report.split("\n") if line.strip()]
    coded = [line for line in lines if Words.read(line).code or Words.read(line).status]
    telling = [line for line in lines if say(line)]
    return next(iter([*coded, *telling, *lines]), "")[:300]
