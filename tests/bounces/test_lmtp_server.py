"""Bounces that a mail server hands over by LMTP or SMTP."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager

import aiosmtplib
import pytest

from service.bounces import lmtp_server
from service.bounces.lmtp_server import LmtpServer
from service.core.errors import CaveatError, StoreError

MAIL = b"From: MAILER-DAEMON@mx.example.net\r\nSubject: sorry\r\n\r\n.hidden\r\nbye\r\n"


ENVELOPE = b"MAIL FROM:<>\r\nRCPT TO:<bounces@n.example>\r\nDATA\r\n"


def is_bounces(address: str) -> bool:
    return address.startswith("bounces")


@asynccontextmanager
async def listening(handle):
    one = LmtpServer("127.0.0.1", 0, handle, is_bounces)
    await one.start()
    yield one
    await one.close()


class RecordingHandler:
    """Remembers what it was handed; fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.mails, self.failures = [], failures

    async def __call__(self, content, recipients):
        if self.failures:
            self.failures -= 1
            raise StoreError("the database is gone")
        self.mails.append((content, list(recipients)))
        return True


async def talk(port: int, *lines: bytes) -> list[str]:
    """Send the lines in one flight and return every answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(lines) + b"QUIT\r\n")
    answers = (await reader.read()).decode().splitlines()
    writer.close()
    return answers


async def test_a_mail_server_hands_a_bounce_over_by_smtp():
    recorded = RecordingHandler()
    async with listening(recorded) as one:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=one.port, start_tls=False)
        async with client:
            await client.sendmail("", ["bounces+x@news.example.org"], MAIL)
    assert recorded.mails == [(MAIL, ["bounces+x@news.example.org"])]


async def test_lmtp_is_answered_for_each_recipient():
    recorded = RecordingHandler()
    flight = (
        b"LHLO mx\r\n",
        b"MAIL FROM:<>\r\nRCPT TO:<bounces+a@n.example>\r\nRCPT TO:<bounces+b@n.example>\r\n",
        b"RCPT TO:<somebody@n.example>\r\nDATA\r\nhello\r\n.\r\n",
    )
    async with listening(recorded) as one:
        answers = await talk(one.port, *flight)
    assert [answer[:3] for answer in answers[-8:]] == ["250", "250", "250", "550", "354", "250", "250", "221"]
    assert recorded.mails == [(b"hello\r\n", ["bounces+a@n.example", "bounces+b@n.example"])]


async def test_what_could_not_be_recorded_comes_again():
    recorded = RecordingHandler(failures=1)
    flight = b"EHLO mx\r\n" + b"MAIL FROM:<>\r\nRCPT TO:<bounces@n.example>\r\nDATA\r\nhi\r\n.\r\n" * 2
    async with listening(recorded) as one:
        answers = await talk(one.port, flight)
    assert [a[:3] for a in answers if a.startswith(("45", "354"))] == ["354", "451", "354"]
    assert len(recorded.mails) == 1


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
    recorded = RecordingHandler()
    async with listening(recorded) as one:
        answers = await talk(one.port, b"EHLO mx\r\n", flight)
    assert answers[-2].startswith(answer)
    assert recorded.mails == []


async def test_a_mail_that_is_too_large_is_refused_and_the_next_is_taken(monkeypatch):
    monkeypatch.setattr(lmtp_server, "MAX_MAIL_BYTES", 100)
    recorded = RecordingHandler()
    envelope = b"MAIL FROM:<>\r\nRCPT TO:<bounces@n.example>\r\nDATA\r\n"
    async with listening(recorded) as one:
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
    assert recorded.mails == [(b"z\r\n", ["bounces@n.example"])]


async def test_an_endless_line_ends_the_talk_and_nothing_else():
    recorded = RecordingHandler()
    async with listening(recorded) as one:
        assert len(await talk(one.port, b"x" * 100_000)) == 1
        assert len(await talk(one.port, b"NOOP\r\n")) == 3


async def test_an_address_that_is_taken_is_one_sentence_that_names_the_setting():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CaveatError, match=f"taken at 127.0.0.1:{port}: .*in use.*mail.bounces.listen"):
            await LmtpServer("127.0.0.1", port, RecordingHandler(), bool).start()


async def test_two_workers_on_one_machine_share_the_address():
    recorded = RecordingHandler()
    async with listening(recorded) as one:
        other = LmtpServer("127.0.0.1", one.port, recorded, is_bounces)
        await other.start()
        for _ in range(6):
            assert "250 2.0.0 recorded" in await talk(one.port, b"LHLO mx\r\n", ENVELOPE, b"hi\r\n.\r\n")
        await other.close()
    assert len(recorded.mails) == 6


async def test_a_mail_that_announces_too_much_is_refused_before_it_is_sent():
    async with listening(RecordingHandler()) as one:
        answers = await talk(one.port, b"EHLO mx\r\n", b"MAIL FROM:<> BODY=8BITMIME SIZE=2000001\r\n")
    assert answers[-2].startswith("552 5.3.4")


async def test_only_a_full_stop_between_two_line_ends_closes_a_mail():
    recorded = RecordingHandler()
    smuggled = b"one\n.\r\nMAIL FROM:<>\r\n.\n..\r\nend\r\n.\r\n"
    async with listening(recorded) as one:
        answers = await talk(one.port, b"LHLO mx\r\n", ENVELOPE, smuggled)
    assert answers[-2:] == ["250 2.0.0 recorded", "221 2.0.0 bye"]
    assert [content for content, _ in recorded.mails] == [b"one\n.\r\nMAIL FROM:<>\r\n\n..\r\nend\r\n"]


async def test_a_line_longer_than_we_hold_at_once_is_taken_whole():
    recorded = RecordingHandler()
    body = b"x" * 300_000 + b"." + b"y" * 65_536 + b"\r\n.\r\n"
    async with listening(recorded) as one:
        await talk(one.port, b"LHLO mx\r\n", ENVELOPE, body)
    assert [content for content, _ in recorded.mails] == [body[:-3]]


async def test_a_fault_of_ours_does_not_cost_the_mail(caplog):
    async def broken(_content, _recipients):
        raise ZeroDivisionError

    async with listening(broken) as one:
        answers = await talk(one.port, b"LHLO mx\r\n", ENVELOPE, b"hi\r\n.\r\n")
    assert answers[-2].startswith("451 4.3.0")
    assert "inbound_mail_not_recorded" in caplog.text


async def test_who_only_makes_mistakes_is_shown_the_door():
    async with listening(RecordingHandler()) as one:
        answers = await talk(one.port, b"RCPT TO:<stranger@n.example>\r\n" * 50)
    assert len(answers) == 1 + 20 + 1
    assert answers[-1].startswith("421 4.7.0")


@asynccontextmanager
async def greeted(port: int):
    """Connect, hear the greeting, and say nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert (await reader.readline()).startswith(b"220")
    yield reader, writer
    writer.close()


async def test_half_open_connections_give_way_to_a_mail_server(monkeypatch):
    monkeypatch.setattr(lmtp_server, "MAX_CONNECTIONS", 3)
    recorded = RecordingHandler()
    async with listening(recorded) as one, AsyncExitStack() as stack:
        held = [await stack.enter_async_context(greeted(one.port)) for _ in range(20)]
        answers = await talk(one.port, b"LHLO mx\r\n", ENVELOPE, b"hi\r\n.\r\n")
        assert answers[-2].startswith("250")
        for reader, _ in held[:17]:
            assert (await reader.read()).startswith(b"421 4.3.2")
    assert len(recorded.mails) == 1


async def test_a_connection_whose_mail_is_being_recorded_does_not_give_way(monkeypatch):
    monkeypatch.setattr(lmtp_server, "MAX_CONNECTIONS", 1)
    recording, recorded = asyncio.Event(), asyncio.Event()

    async def slow(_content, _recipients):
        recording.set()
        await recorded.wait()
        return True

    async with listening(slow) as one:
        busy = asyncio.create_task(talk(one.port, b"LHLO mx\r\n", ENVELOPE, b"hi\r\n.\r\n"))
        await recording.wait()
        second, other = await asyncio.open_connection("127.0.0.1", one.port)
        assert (await second.read()).startswith(b"421 4.3.2")
        other.close()
        recorded.set()
        assert (await busy)[-2].startswith("250")


@pytest.mark.parametrize(
    "said", [b"", b"LHLO mx\r\n", b"NOOP\r\n" * 5, b"LHLO mx\r\n" + ENVELOPE + b"a mail without an end\r\n"]
)
async def test_a_client_that_hands_nothing_in_is_cut_off(monkeypatch, said):
    monkeypatch.setattr(lmtp_server, "MAIL_SECONDS", 0.05)
    async with listening(RecordingHandler()) as one, greeted(one.port) as (reader, writer):
        writer.write(said)
        async with asyncio.timeout(20):
            await reader.read()


async def test_a_stop_ends_an_idle_talk_and_lets_a_mail_be_recorded_and_answered():
    recording, recorded = asyncio.Event(), asyncio.Event()

    async def slow(_content, _recipients):
        recording.set()
        await recorded.wait()
        return True

    one = LmtpServer("127.0.0.1", 0, slow, is_bounces)
    await one.start()
    idle, idle_writer = await asyncio.open_connection("127.0.0.1", one.port)
    busy, busy_writer = await asyncio.open_connection("127.0.0.1", one.port)
    assert (await idle.readline()).startswith(b"220")
    busy_writer.write(b"LHLO mx\r\n" + ENVELOPE + b"hi\r\n.\r\n")
    await recording.wait()

    closing = asyncio.create_task(one.close())
    assert (await idle.read()).startswith(b"421 4.3.2")
    assert not closing.done()
    recorded.set()
    await closing
    assert (await busy.read()).decode().splitlines()[-2:] == ["250 2.0.0 recorded", "421 4.3.2 we close"]
    idle_writer.close()
    busy_writer.close()
