"""Mail that is built to stop its reader does not: it is read, or it is set aside and the next one is read."""

from __future__ import annotations

import asyncio
import hashlib
import smtplib

import pytest

from service.bounces.classify import classify_bytes
from service.bounces.handler import UNREADABLE, BounceHandler, handle_mail
from service.bounces.imap import poll
from service.bounces.inbound_mail import MAX_HEADER_CHARACTERS, InboundMail
from service.bounces.read_mail import InboundResult, UnreadableMail, read_inbound
from service.bounces.result import BounceAction
from service.deliver.metrics import INBOUND_MAILS
from tests.attacks.budget import overspent
from tests.attacks.mails import nested
from tests.bounces.test_handler import DELIVERY, KEY, PATH, Recorder, stored_mail
from tests.bounces.test_imap import ImapServer, a_mailbox, serving
from tests.bounces.test_lmtp_server import listening
from tests.builders import NOON

DEEP = b"Content-Type: message/rfc822\r\n\r\n" * 5_000 + b"hello\r\n"


def receiver(recorded: Recorder):
    """Return what handles a mail, as wiring does it."""
    counted = lambda result: INBOUND_MAILS.labels(result).inc()  # noqa: E731 - one line of the app
    returns = BounceHandler(recorded, recorded.leave, KEY, recorded.ask, count=counted)

    async def handle(content: bytes, recipients=()) -> bool:
        return await handle_mail(returns, content, now=NOON, recipients=recipients) != UNREADABLE

    return handle


def count_of(word: str) -> float:
    return INBOUND_MAILS.labels(word)._value.get()


@pytest.mark.long
def test_reading_any_mail_takes_time_in_proportion_to_its_length():
    assert not overspent("tests.attacks.mails:mails")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (DEEP, "its parts are nested too deeply"),
        (nested(5_000), "it names more than 200 boundaries"),
    ],
)
def test_a_mail_that_cannot_be_read_is_a_value_with_a_reason(content: bytes, reason: str):
    assert read_inbound(content) == UnreadableMail(reason)
    bounce = classify_bytes(content)
    assert (bounce.action, bounce.reason) == (BounceAction.NONE, f"the mail cannot be read: {reason}")


def test_an_ordinary_bounce_says_the_same_as_before():
    mail = read_inbound(stored_mail("postfix-unknown", PATH))

    assert isinstance(mail, InboundResult)
    assert mail.bounce == classify_bytes(stored_mail("postfix-unknown", PATH))
    assert PATH in mail.envelope_addresses


def test_a_header_is_read_to_a_greatest_length():
    mail = InboundMail.parse(b"Subject: " + b"a" * 100_000 + b"\r\nTo: b@example.org\r\n\r\nhello")

    assert mail.subject == "a" * MAX_HEADER_CHARACTERS
    assert mail.addresses("To") == ("b@example.org",)


def test_a_charset_that_no_mail_has_is_not_asked_to_decode():
    mail = b"Content-Type: text/plain; charset=punycode\r\n\r\nUser unknown-"

    assert InboundMail.parse(mail).text == "User unknown-"


async def test_an_unreadable_mail_is_counted_and_named_in_the_log(caplog):
    before = count_of(UNREADABLE)

    assert not await receiver(Recorder())(DEEP)

    assert count_of(UNREADABLE) == before + 1
    [event] = [record for record in caplog.records if record.getMessage() == "inbound_mail_unreadable"]
    assert event.sha256 == hashlib.sha256(DEEP).hexdigest()
    assert "nested too deeply" in event.reason


@pytest.mark.parametrize("keep", [True, False])
async def test_a_mailbox_is_read_past_an_unreadable_mail_which_stays_for_the_operator(keep: bool):
    imap, recorded = ImapServer(DEEP, stored_mail("postfix-unknown", PATH)), Recorder()
    async with serving(imap) as port:
        assert await poll(a_mailbox(port, keep=keep), receiver(recorded)) == 2
        assert await poll(a_mailbox(port, keep=keep), receiver(recorded)) == 0

    assert recorded.bounced == [(DELIVERY.id, True)]
    assert imap.mails[1] == DEEP
    assert imap.flagged == {1}
    assert (2 in imap.mails) is keep


async def test_an_unreadable_mail_is_refused_for_good_and_the_next_one_is_taken():
    recorded = Recorder()

    def talk(port: int) -> int:
        with smtplib.LMTP("127.0.0.1", port) as client:
            with pytest.raises(smtplib.SMTPDataError) as refused:
                client.sendmail("", ["bounces@news.example.org"], DEEP)
            client.sendmail("", ["bounces@news.example.org"], stored_mail("postfix-unknown", PATH))
            return refused.value.smtp_code

    async with listening(receiver(recorded)) as one:
        assert await asyncio.to_thread(talk, one.port) == 554
    assert recorded.bounced == [(DELIVERY.id, True)]
