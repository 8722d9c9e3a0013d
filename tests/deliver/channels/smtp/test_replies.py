"""Replies of real mail servers, and the outcome of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.model import Deferred, RefusalCause, Refused, Sent
from service.deliver.channels.smtp import replies
from service.deliver.channels.smtp.replies import (
    SmtpCommand,
    enhanced_code,
    is_sequence_error,
    outcome_of,
    reply_line,
)

SENT, LATER = "sent", "deferred"
ADDRESS, MESSAGE, SIZE, POLICY = (
    RefusalCause.ADDRESS,
    RefusalCause.MESSAGE,
    RefusalCause.SIZE,
    RefusalCause.POLICY,
)
MAIL, RCPT, DATA, DOT = SmtpCommand.MAIL, SmtpCommand.RCPT, SmtpCommand.DATA, SmtpCommand.DOT

REPLIES = [
    # accepted
    (DOT, 250, "2.0.0 Ok: queued as 4F9B21C0", SENT),
    (DOT, 250, "OK id=1rXyZa-0001AB-2c", SENT),
    (RCPT, 251, "user not local; will forward to <amina@elsewhere.example>", SENT),
    (RCPT, 252, "2.1.5 cannot verify, will try", SENT),
    # temporary failures
    (RCPT, 450, "4.2.0 <amina@example.org>: Recipient address rejected: Greylisted, see help page", LATER),
    (RCPT, 451, "4.7.1 Greylisting in action, please come back later", LATER),
    (RCPT, 452, "4.2.2 The recipient's inbox is out of storage space", LATER),
    (RCPT, 450, "4.1.1 <amina@example.org>: Recipient address rejected: User unknown (not yet)", LATER),
    (MAIL, 421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints", LATER),
    (MAIL, 421, "too many concurrent SMTP connections", LATER),
    (DOT, 451, "4.3.0 Error: queue file write error", LATER),
    (DOT, 454, "4.7.0 Temporary authentication failure", LATER),
    (DATA, 421, "4.4.2 mail.example Error: timeout exceeded", LATER),
    (RCPT, 432, "4.3.2 STOREDRV; mailbox server is too busy", LATER),
    (DOT, 354, "go on", LATER),
    # codes about the address with texts about the sending server, the network or the content
    (RCPT, 550, "5.1.1 Mail from 192.0.2.10 rejected: listed on zen.spamhaus.org", POLICY),
    (RCPT, 550, "5.4.1 your IP address 192.0.2.10 is on our block list", POLICY),
    (RCPT, 550, "5.1.0 Unknown address error 554-'rejected, 192.0.2.10 has a poor reputation'", POLICY),
    (RCPT, 550, "5.1.2 <amina@example.org>... relaying denied", POLICY),
    (RCPT, 554, "5.7.1 <amina@example.org>: Recipient address rejected: Access denied", POLICY),
    (RCPT, 550, "mailbox unavailable Reject due to policy restrictions", POLICY),
    (MAIL, 550, "5.1.1 there is no such user", POLICY),
    (DOT, 550, "Requested action not taken: mailbox unavailable", POLICY),
    (RCPT, 550, "5.2.1 The user is receiving mail at a rate that prevents more messages", LATER),
    (RCPT, 550, "5.4.4 Name service error for name=example.org type=MX: Host not found, try again", LATER),
    (RCPT, 550, "5.4.1 connection to the mail server timed out", LATER),
    (RCPT, 550, "5.2.1 the mailbox is temporarily disabled", LATER),
    (RCPT, 554, "Rcpt <amina@example.org> does not exist", ADDRESS),
    # a full mailbox does not suppress an address
    (RCPT, 552, "5.2.2 <amina@example.org>: user is over quota", LATER),
    (RCPT, 550, "5.2.2 Mailbox is full", LATER),
    (RCPT, 552, "5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417", LATER),
    (RCPT, 554, "Sorry, this account is over its quota, please try again later", LATER),
    (DOT, 552, "Requested mail action aborted: exceeded storage allocation; mailbox full", LATER),
    (RCPT, 550, "5.2.122 The recipient has exceeded their limit for messages per hour", LATER),
    (RCPT, 552, "too many recipients", LATER),
    (RCPT, 550, "5.4.300 Message expired -> 421 service not available", LATER),
    # a command out of sequence says nothing about the recipient
    (MAIL, 503, "5.5.1 Error: nested MAIL command", LATER),
    (MAIL, 503, "5.5.0 Sender already specified", LATER),
    (MAIL, 503, "Bad sequence of commands", LATER),
    (MAIL, 503, "5.5.1 Error: send HELO/EHLO first", LATER),
    (MAIL, 502, "5.5.1 Invalid command", LATER),
    (MAIL, 554, "5.5.1 Error", LATER),
    (RCPT, 503, "5.5.1 Error: need MAIL command", LATER),
    (RCPT, 503, "sender not yet given", LATER),
    (DATA, 503, "5.5.1 Error: need RCPT command", LATER),
    (DATA, 554, "5.5.1 Error: no valid recipients", LATER),
    (DATA, 503, "5.5.2 Need Rcpt command.", LATER),
    (DOT, 503, "5.5.1 Error", LATER),
    # the address is invalid
    (
        RCPT,
        550,
        "5.1.1 <amina@example.org>: Recipient address rejected: User unknown in virtual table",
        ADDRESS,
    ),
    (RCPT, 550, "5.1.1 The email account that you tried to reach does not exist. Please try again", ADDRESS),
    (RCPT, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", ADDRESS),
    (RCPT, 550, "5.4.1 Recipient address rejected: Access denied. AS(201806281)", ADDRESS),
    (RCPT, 550, "5.5.0 Requested action not taken: mailbox unavailable (S2017062302)", ADDRESS),
    (RCPT, 554, "delivery error: dd This user doesn't have a mail.example account (amina) [0]", ADDRESS),
    (RCPT, 550, "No such user here", ADDRESS),
    (RCPT, 550, "Requested action not taken: mailbox unavailable", ADDRESS),
    (RCPT, 553, "sorry, that is not a known mailbox", ADDRESS),
    (RCPT, 551, "user has moved, no forwarding address", ADDRESS),
    (RCPT, 550, "", ADDRESS),
    (RCPT, 550, "5.2.1 The email account that you tried to reach is disabled", ADDRESS),
    (RCPT, 554, "5.7.1 <amina@example.org>: Recipient address rejected: user unknown", ADDRESS),
    (RCPT, 556, "5.1.10 <amina@example.org>: does not accept mail (nullMX)", ADDRESS),
    (RCPT, 550, "5.1.2 Bad destination host 'DNS Hard Error looking up nowhere.example'", ADDRESS),
    (DOT, 550, "5.1.1 unknown or illegal alias: amina@example.org", ADDRESS),
    (RCPT, 550, "5.7.17 Mailbox owner has changed", ADDRESS),
    (RCPT, 550, "5.1.1 Adresse d au moins un destinataire invalide. OFR_416", ADDRESS),
    (RCPT, 550, "Benutzer unbekannt", ADDRESS),
    (RCPT, 550, "User not found: amina@example.org", ADDRESS),
    (RCPT, 550, "该用户不存在", ADDRESS),
    # the message is refused
    (DOT, 552, "5.3.4 Message size exceeds fixed limit", SIZE),
    (MAIL, 552, "5.3.4 message too big", SIZE),
    (MAIL, 552, "Message size exceeds maximum permitted", SIZE),
    (RCPT, 552, "5.2.3 message larger than this mailbox takes", MESSAGE),
    (DOT, 554, "5.6.0 Message contains invalid header", MESSAGE),
    (RCPT, 501, "5.5.4 Invalid arguments", MESSAGE),
    (DOT, 554, "5.4.6 Too many hops", MESSAGE),
    (DOT, 554, "Transaction failed", MESSAGE),
    # our sending is refused
    (MAIL, 530, "5.7.0 Authentication Required", POLICY),
    (MAIL, 530, "5.7.0 Must issue a STARTTLS command first", POLICY),
    (MAIL, 535, "5.7.8 Error: authentication failed", POLICY),
    (MAIL, 550, "5.1.8 <digest@news.example.org>: Sender address rejected: Domain not found", POLICY),
    (MAIL, 553, "5.7.1 <digest@news.example.org>: Sender address rejected: not owned by user caveat", POLICY),
    (MAIL, 550, "unknown user digest@news.example.org", POLICY),
    (MAIL, 550, "5.1.1 <digest@news.example.org>", POLICY),
    (MAIL, 550, "5.2.1 mailbox disabled", POLICY),
    (MAIL, 503, "5.5.1 Error: authentication required", POLICY),
    (MAIL, 503, "5.7.0 Error: access denied for unknown[192.0.2.1]", POLICY),
    (RCPT, 554, "5.7.1 <amina@example.org>: Relay access denied", POLICY),
    (RCPT, 550, "5.7.1 Unable to relay for amina@example.org", POLICY),
    (RCPT, 554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", POLICY),
    (DOT, 550, "5.7.26 Your email has been blocked because the sender is unauthenticated.", POLICY),
    (DOT, 550, "5.7.1 Our system has detected that this message is likely unsolicited mail", POLICY),
    (DOT, 554, "Reject due to policy restrictions.", POLICY),
    (DOT, 554, "DT:SPM 163 smtp4, please see the help page", POLICY),
    (DOT, 554, "5.7.9 Message not accepted for policy reasons.", POLICY),
    (RCPT, 553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", POLICY),
    (DOT, 550, "spam message rejected", POLICY),
]


@pytest.mark.parametrize(("stage", "code", "text", "meaning"), REPLIES)
def test_a_reply_means(stage, code, text, meaning):
    outcome = outcome_of(code, text, stage)
    match outcome:
        case Sent():
            found = SENT
        case Deferred():
            found = LATER
        case Refused(cause=blame):
            found = blame
        case _:
            found = None
    assert found == meaning


def test_the_table_has_enough_replies():
    assert len(REPLIES) >= 60


@given(st.integers(100, 999), st.text(max_size=200), st.sampled_from(SmtpCommand))
def test_any_reply_has_an_outcome_and_only_a_2xx_is_sent(code, text, stage):
    outcome = outcome_of(code, text, stage)
    assert isinstance(outcome, Sent) == (200 <= code < 300)
    assert isinstance(outcome, Deferred | Refused | Sent)
    if isinstance(outcome, Refused):
        assert 500 <= code < 600


@given(st.integers(400, 499), st.text(max_size=200), st.sampled_from(SmtpCommand))
def test_a_4xx_reply_never_refuses_a_recipient(code, text, stage):
    assert isinstance(outcome_of(code, text, stage), Deferred)


def test_a_reply_is_kept_on_one_line_without_controls():
    assert (
        reply_line(550, "5.1.1 no\nsuch\r\n\x1b[31muser\x00" + "x" * 999)
        == "550 5.1.1 no such [31muser " + "x" * 373
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [("5.1.1 no", "5.1.1"), ("5.1.10 no", "5.1.10"), ("5.1.1.1 is an address", None), ("no 5.1.1", None)],
)
def test_an_enhanced_code_is_at_the_beginning(text, code):
    assert enhanced_code(text) == code


def test_an_accepted_message_needs_no_search_of_its_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    """The patterns of refusals take longer than sending the message."""

    def search(text: str) -> None:
        raise AssertionError(f"searched: {text}")

    monkeypatch.setattr(replies, "reply_meaning", search)
    text = "2.0.0 Ok: queued as 4F9B21C0"
    assert not is_sequence_error(250, text, DOT)
    assert outcome_of(250, text, DOT) == Sent(f"250 {text}")
