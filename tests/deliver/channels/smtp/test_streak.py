"""A streak against any replies: it settles what was accepted, and writes what the ledger allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from service.core.errors import StoreError
from service.core.model import Message, Outcome, Sent
from service.deliver.channels.smtp.connection import SmtpConnection, SmtpExtensions
from service.deliver.channels.smtp.streak import Streak
from service.deliver.ports import OnWritten, Outbox
from tests.deliver.fakes import a_message

ACCEPTED = (b"250 2.0.0 queued\r\n", b"250 2.1.0 fine\r\n", b"250-2.1.5\r\n250 fine\r\n", b"354 go\r\n")
OTHER = (b"450 4.2.0 not now\r\n", b"550 5.1.1 no such user\r\n", b"421 4.3.2 closing\r\n", b"250 fine\r\n")
MESSAGES = [a_message(b"%d\r\n" % n, delivery_id=str(n)) for n in range(5)]
ERROR = StoreError("the database is gone")

flights = st.tuples(
    st.lists(st.sampled_from(ACCEPTED + OTHER), max_size=5) | st.just(list(ACCEPTED)),
    st.integers(0, 80),  # where the bytes are cut in two
    st.sampled_from([True, True, True, False, ERROR]),  # the ledger's answer to the next attempt
)


def is_accepted(replies: list[bytes]) -> bool:
    return [reply[:3] for reply in replies] == [b"250", b"250", b"250", b"354"]


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    @override
    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...

    @override
    def is_closing(self) -> bool:
        return False

    @override
    def writelines(self, list_of_data: Iterable[bytes]) -> None:  # type: ignore[override]
        self.written += list_of_data


class FakeOutbox(Outbox):
    def __init__(self) -> None:
        self.settled: list[tuple[str, Outcome]] = []
        self.on_written: OnWritten | None = None

    @override
    def attempt_then(self, message: Message, on_written: OnWritten) -> None:
        self.on_written = on_written

    @override
    def settle(self, message: Message, outcome: Outcome) -> None:
        self.settled.append((message.delivery_id, outcome))


class Sending:
    """A streak over MESSAGES, its connection and its outbox."""

    def __init__(self) -> None:
        self.transport, self.outbox = FakeTransport(), FakeOutbox()
        self.connection = SmtpConnection(self.transport, SmtpExtensions(pipelining=True))
        self.waiting = iter(MESSAGES[2:])
        first, second = MESSAGES[:2]
        self.streak = Streak(
            self.connection, self.outbox, self.send_content, 60, message=first, following=second
        )

    def send_content(self, message: Message) -> tuple[Message | None, bool]:
        following = next(self.waiting, None)
        self.connection.write(*message.parts)
        return following, following is not None

    def receive(self, data: bytes, cut: int) -> None:
        for part in (data[:cut], data[cut:]):
            if part and not self.streak.ended.done():
                self.connection.data_received(part)

    def answer(self, allowed: bool | Exception) -> None:
        on_written, self.outbox.on_written = self.outbox.on_written, None
        if on_written is not None:
            on_written(allowed)


@given(st.lists(flights, max_size=6))
async def test_it_goes_on_while_a_flight_is_accepted_at_once_and_the_ledger_allows_the_next(drawn):
    sending, accepted, written = Sending(), 0, []
    streak = sending.streak
    for replies, cut, allowed in drawn:
        data = b"".join(replies)
        sending.receive(data, cut)
        first_part = data[:cut] if 0 < cut < len(data) else data
        if not (is_accepted(replies) and (first_part == data or b"\n" not in first_part)):
            assert not streak.is_attempting
            assert streak.ended.done() or not data.count(b"\n")
            break
        accepted += 1
        assert streak.is_attempting
        sending.answer(allowed)
        if allowed is not True:
            assert streak.ended.done()
            assert streak.is_attempting
            assert streak.allowed is allowed
            break
        written.append(MESSAGES[accepted].content)
        if streak.following is None:
            assert streak.ended.done()
            break
    assert [key for key, _ in sending.outbox.settled] == [str(n) for n in range(accepted)]
    assert all(isinstance(outcome, Sent) for _, outcome in sending.outbox.settled)
    assert sending.transport.written == written
    assert streak.message is MESSAGES[accepted]


async def test_a_reply_during_the_commit_keeps_the_content_back():
    sending = Sending()
    sending.receive(b"".join(ACCEPTED), 0)
    sending.connection.data_received(b"421 4.4.2 timeout\r\n")
    sending.answer(allowed=True)
    assert sending.streak.ended.done()
    assert sending.streak.is_attempting
    assert sending.transport.written == []


async def test_an_error_while_the_content_is_written_ends_it_and_not_the_ledger():
    sending = Sending()
    sending.receive(b"".join(ACCEPTED), 0)
    error = RuntimeError("a fault of ours")

    def fail(_parts: Iterable[bytes]) -> None:
        raise error

    sending.transport.writelines = fail
    sending.answer(allowed=True)
    assert sending.streak.ended.done()
    assert sending.streak.is_attempting
    assert sending.streak.allowed is error


async def test_the_end_of_the_connection_ends_it_with_the_message_in_doubt():
    sending = Sending()
    sending.transport.abort = lambda: None
    sending.connection.connection_lost(None)
    assert sending.streak.ended.done()
    assert not sending.streak.is_attempting
    assert sending.streak.message is MESSAGES[0]
