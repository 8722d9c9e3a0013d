"""Bounces that a mail server hands over by LMTP or SMTP."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiosmtplib
import pytest

from service.core.errors import CaveatError, StoreError
from service.deliver import listener
from service.deliver.listener import Listener

LETTER = b"From: MAILER-DAEMON@mx.example.net\r\nSubject: sorry\r\n\r\n.hidden\r\nbye\r\n"


@asynccontextmanager
async def listening(handle):
    one = Listener("127.0.0.1", 0, handle, lambda address: address.startswith("bounces"))
    await one.open()
    yield one
    await one.close()


class Desk:
    """Remembers what it was handed; fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.letters, self.failures = [], failures

    async def __call__(self, content, recipients):
        if self.failures:
            self.failures -= 1
            raise StoreError("the database is gone")
        self.letters.append((content, list(recipients)))


async def talk(port: int, *lines: bytes) -> list[str]:
    """Send the lines in one flight and return every answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(lines) + b"QUIT\r\n")
    answers = (await reader.read()).decode().splitlines()
    writer.close()
    return answers


async def test_a_mail_server_hands_a_bounce_over_by_smtp():
    desk = Desk()
    async with listening(desk) as one:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=one.port, start_tls=False)
        async with client:
            await client.sendmail("", ["bounces+x@news.example.org"], LETTER)
    assert desk.letters == [(LETTER, ["bounces+x@news.example.org"])]


async def test_lmtp_is_answered_for_each_recipient():
    desk = Desk()
    flight = (
        b"LHLO mx\r\n",
        b"MAIL FROM:<>\r\nRCPT TO:<bounces+a@n.example>\r\nRCPT TO:<bounces+b@n.example>\r\n",
        b"RCPT TO:<somebody@n.example>\r\nDATA\r\nhello\r\n.\r\n",
    )
    async with listening(desk) as one:
        answers = await talk(one.port, *flight)
    assert [answer[:3] for answer in answers[-8:]] == ["250", "250", "250", "550", "354", "250", "250", "221"]
    assert desk.letters == [(b"hello\r\n", ["bounces+a@n.example", "bounces+b@n.example"])]


async def test_what_could_not_be_recorded_comes_again():
    desk = Desk(failures=1)
    flight = b"EHLO mx\r\n" + b"MAIL FROM:<>\r\nRCPT TO:<bounces@n.example>\r\nDATA\r\nhi\r\n.\r\n" * 2
    async with listening(desk) as one:
        answers = await talk(one.port, flight)
    assert [a[:3] for a in answers if a.startswith(("45", "354"))] == ["354", "451", "354"]
    assert len(desk.letters) == 1


@pytest.mark.parametrize(
    ("flight", "answer"),
    [
        (b"RCPT TO:<bounces@n.example>\r\n", "503"),
        (b"MAIL FROM:<>\r\nDATA\r\n", "503"),
        (b"MAIL FROM:<>\r\nRCPT TO:<other@n.example>\r\n", "550"),
        (b"VRFY root\r\n", "500"),
        (b"\xff\xfe\r\n", "500"),
    ],
)
async def test_what_does_not_belong_here_is_refused(flight, answer):
    desk = Desk()
    async with listening(desk) as one:
        answers = await talk(one.port, b"EHLO mx\r\n", flight)
    assert answers[-2].startswith(answer)
    assert desk.letters == []


async def test_a_letter_that_is_too_large_is_refused_and_the_next_is_taken(monkeypatch):
    monkeypatch.setattr(listener, "MOST_BYTES", 100)
    desk = Desk()
    envelope = b"MAIL FROM:<>\r\nRCPT TO:<bounces@n.example>\r\nDATA\r\n"
    async with listening(desk) as one:
        answers = await talk(
            one.port,
            b"EHLO mx\r\n",
            envelope,
            b"x" * 60 + b"\r\n",
            b"y" * 60 + b"\r\n.\r\n",
            envelope,
            b"z\r\n.\r\n",
        )
    assert any(answer.startswith("552") for answer in answers)
    assert desk.letters == [(b"z\r\n", ["bounces@n.example"])]


async def test_an_endless_line_ends_the_talk_and_nothing_else():
    desk = Desk()
    async with listening(desk) as one:
        assert len(await talk(one.port, b"x" * 100_000)) == 1
        assert len(await talk(one.port, b"NOOP\r\n")) == 3


async def test_an_address_that_is_taken_is_one_sentence():
    async with listening(Desk()) as one:
        with pytest.raises(CaveatError, match=f"bounces cannot be taken on 127.0.0.1:{one.port}"):
            await Listener("127.0.0.1", one.port, Desk(), bool).open()
