"""Replies of real servers that want less mail at a time, and those that only sound like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.model import Deferred, Throttle
from service.deliver.channels.smtp.rate_replies import throttle_of
from service.deliver.channels.smtp.replies import SmtpCommand, outcome_of

RELAY, DOMAIN, BUSY = Throttle.RELAY, Throttle.DOMAIN, Throttle.BUSY
CONNECT, MAIL, RCPT, DATA, DOT = None, SmtpCommand.MAIL, SmtpCommand.RCPT, SmtpCommand.DATA, SmtpCommand.DOT

REPLIES = [
    # Postfix, by its anvil
    (MAIL, 450, "4.7.1 Error: too much mail from 192.0.2.1", RELAY),
    (RCPT, 450, "4.7.1 Error: too many recipients from 192.0.2.1", RELAY),
    (CONNECT, 421, "4.7.0 mail.example Error: too many connections from 192.0.2.1", RELAY),
    (MAIL, 450, "4.7.1 Error: too many AUTH commands from 192.0.2.1", RELAY),
    # policy servers behind Postfix (policyd, postfwd)
    (RCPT, 450, "4.7.1 <a@example.org>: Recipient address rejected: Sender rate limit exceeded", RELAY),
    (RCPT, 450, "4.7.1 <a@b.example>: Recipient address rejected: exceeded your messages per hour", RELAY),
    # Exim (ratelimit, smtp_accept_max*, cPanel)
    (MAIL, 451, "Sender rate overlimit - 120.3 / 1h, your rate is limited", RELAY),
    (CONNECT, 421, "mail.example: Too many concurrent SMTP connections; please try again later.", RELAY),
    (
        CONNECT,
        421,
        "Too many concurrent SMTP connections from this IP address; try again later",
        RELAY,
    ),
    (RCPT, 550, "Domain news.example has exceeded the max emails per hour (500/500 (100%)) allowed.", DOMAIN),
    # Exchange and WorkerGroup 365
    (MAIL, 421, "4.4.2 Message submission rate for this client has exceeded the configured limit", RELAY),
    (DOT, 421, "4.4.2 Message submission rate for this client has exceeded the configured limit", RELAY),
    (CONNECT, 421, "4.3.2 The maximum number of concurrent server connections has exceeded a limit", RELAY),
    (MAIL, 432, "4.3.2 Concurrent connections limit exceeded. Visit the help page", RELAY),
    (DOT, 451, "4.5.127 Message rejected. Excessive message rate from sender", RELAY),
    (
        RCPT,
        550,
        "5.1.90 Your message can't be sent because you've reached your daily limit",
        RELAY,
    ),
    (RCPT, 451, "4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)", DOMAIN),
    (DOT, 451, "4.7.652 The mail server [192.0.2.1] has exceeded the maximum number of connections.", DOMAIN),
    (MAIL, 421, "RP-001 (BAY) Some messages weren't sent: exceeding the rate limit", DOMAIN),
    # Gmail
    (DOT, 421, "4.7.28 Our system has detected an unusual rate of unsolicited mail from your IP", DOMAIN),
    (RCPT, 450, "4.7.28 Gmail has detected an unusual rate of mail originating from your SPF domain", DOMAIN),
    (DOT, 550, "5.4.5 Daily user sending limit exceeded. For more information, see the help page", RELAY),
    # Yahoo
    (MAIL, 421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints", DOMAIN),
    (DOT, 451, "4.7.0 [TSS09] All messages from 192.0.2.1 will be deferred", DOMAIN),
    # Amazon SES
    (DOT, 454, "Throttling failure: Maximum sending rate exceeded.", RELAY),
    (DATA, 454, "Throttling failure: Daily message quota exceeded.", RELAY),
    # SendGrid, Mailgun, SparkPost, and others
    (MAIL, 451, "You've exceeded your messaging limits", RELAY),
    (RCPT, 452, "Too many recipients received this hour", DOMAIN),
    (MAIL, 421, "Error: too many connections / try again later", RELAY),
    (RCPT, 421, "4.7.0 Your account is rate limited, try again later", RELAY),
    (RCPT, 420, "Exceed Sending Limit (Account-Daily)", RELAY),
    (MAIL, 450, "4.7.1 Requested action not taken: slow down", RELAY),
    (DOT, 450, "4.2.1 too many messages per minute", DOMAIN),
    (CONNECT, 421, "Connection rate limit exceeded", RELAY),
    # the relay is short of resources
    (MAIL, 452, "4.3.1 Insufficient system storage", BUSY),
    (MAIL, 452, "4.3.1 Insufficient system resources (UsedDiskSpace)", BUSY),
    (DOT, 451, "4.3.0 Error: queue file write error", BUSY),
    (MAIL, 451, "4.3.2 System not accepting network messages", BUSY),
    # greylisting in different words
    (RCPT, 450, "4.2.0 <a@example.org>: Recipient address rejected: Greylisted, see the help page", None),
    (RCPT, 451, "4.7.1 Greylisting in action, please come back later", None),
    (RCPT, 450, "4.7.1 <a@example.org>: Recipient address rejected: Try again, see RFC 5321", None),
    (RCPT, 451, "4.7.1 Please try again later", None),
    (RCPT, 451, "Graylisted, try again later; too many new senders", None),
    # one mailbox, one message, one connection
    (RCPT, 450, "4.2.1 The user you are trying to contact is receiving mail too quickly", None),
    (
        RCPT,
        450,
        "4.2.1 The user you are trying to contact is getting mail at a rate that prevents it",
        None,
    ),
    (RCPT, 550, "5.2.122 The recipient has exceeded their limit for messages per hour", None),
    (RCPT, 452, "4.5.3 Error: too many recipients", None),
    (RCPT, 452, "4.5.3 Maximum number of recipients exceeded", None),
    (RCPT, 552, "too many recipients", None),
    (RCPT, 452, "4.2.2 The recipient's inbox is out of storage space", None),
    (RCPT, 552, "5.2.2 <a@example.org>: user is over quota", None),
    (RCPT, 432, "4.3.2 STOREDRV; mailbox server is too busy", None),
    (MAIL, 421, "too many messages in this connection", None),
    (MAIL, 421, "4.3.2 mail.example shutting down", None),
    (MAIL, 421, "4.7.0 mail.example Error: too many errors", None),
    # other errors
    (DOT, 554, "5.4.6 Too many hops", None),
    (MAIL, 530, "5.7.0 Authentication Required", None),
    (RCPT, 554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", None),
    (DOT, 552, "5.7.0 This message was blocked because its content presents a potential issue", None),
    (DOT, 552, "5.3.4 Message size exceeds fixed limit", None),
    (RCPT, 450, "4.1.2 Recipient address rejected: Domain not found", None),
    (DATA, 421, "4.4.2 mail.example Error: timeout exceeded", None),
    (DOT, 250, "2.0.0 Ok: too much mail", None),
]


@pytest.mark.parametrize(("stage", "code", "text", "throttle"), REPLIES)
def test_a_reply_that_limits_the_rate_is_recognised(stage, code, text, throttle):
    assert throttle_of(code, text, stage) == throttle


@pytest.mark.parametrize("reply", [reply for reply in REPLIES if reply[0] and reply[3]])
def test_a_refusal_by_a_rate_limit_is_deferred_for_any_code(reply):
    stage, code, text, throttle = reply
    outcome = outcome_of(code, text, stage)
    assert isinstance(outcome, Deferred)
    assert outcome.throttle is throttle


@given(st.integers(100, 999), st.text(max_size=300), st.sampled_from([None, *SmtpCommand]))
def test_any_reply_text_is_accepted(code, text, stage):
    assert throttle_of(code, text, stage) is None or 400 <= code < 600
