"""The bounce mailbox, over a small IMAP server of our own."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager

import pytest

from service.bounces.imap import Mailbox, poll
from service.core.errors import ChannelUnavailable


class ImapServer:
    """Speaks as much IMAP (RFC 3501) as a poll needs; `mails` by uid."""

    def __init__(self, *mails: bytes) -> None:
        self.mails = dict(enumerate(mails, start=1))
        self.seen: set[int] = set()
        self.deleted: set[int] = set()
        self.flagged: set[int] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := await reader.readline():
            tag, command, *rest = line.decode().rstrip().split(" ", 2)
            for answer in self.answers(command.upper(), rest[0] if rest else ""):
                writer.write(answer if answer.startswith(b"*") else tag.encode() + b" " + answer)
            await writer.drain()
            if command.upper() == "LOGOUT":
                break
        writer.close()

    def answers(self, command: str, rest: str) -> list[bytes]:
        if command == "CAPABILITY":
            return [b"* CAPABILITY IMAP4rev1 UIDPLUS\r\n", b"OK done\r\n"]
        if command == "LOGIN":
            return [b"OK done\r\n"] if "sesame" in rest else [b"NO [AUTHENTICATIONFAILED] wrong\r\n"]
        if command == "SELECT":
            return [b"* 3 EXISTS\r\n", b"OK done\r\n"] if "INBOX" in rest else [b"NO no such folder\r\n"]
        if command == "UID":
            return self.uid(rest)
        if command == "LOGOUT":
            return [b"* BYE\r\n", b"OK done\r\n"]
        if command == "EXPUNGE":
            for uid in self.deleted:
                self.mails.pop(uid, None)
        return [b"OK done\r\n"]

    def uid(self, rest: str) -> list[bytes]:
        uids = {int(n) for n in re.findall(r"\d+", rest.split("(", maxsplit=1)[0].split("+", maxsplit=1)[0])}
        if rest.startswith("SEARCH"):
            unseen = sorted(self.mails.keys() - self.seen)
            return [b"* SEARCH " + " ".join(map(str, unseen)).encode() + b"\r\n", b"OK done\r\n"]
        if rest.startswith("FETCH"):
            (uid,) = uids
            content = self.mails[uid]
            head = b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n" % (uid, uid, len(content))
            return [head + content + b")\r\n", b"OK done\r\n"]
        for flag, flagged in (("Deleted", self.deleted), ("Seen", self.seen), ("Flagged", self.flagged)):
            if flag in rest:
                flagged.update(uids)
        return [b"OK done\r\n"]


@asynccontextmanager
async def serving(imap: ImapServer):
    server = await asyncio.start_server(imap.serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def a_mailbox(port: int, **changes) -> Mailbox:
    defaults = {"security": "none", "username": "bounces", "password": "sesame"}
    return Mailbox("127.0.0.1", port, **(defaults | changes))


MAILS = (b"Subject: one\r\n\r\n1\r\n", b"Subject: two\r\n\r\n\xff\xfe\r\n")


async def test_mails_are_handed_over_byte_for_byte_and_put_away():
    imap, found = ImapServer(*MAILS), []

    async def handle(content: bytes) -> bool:
        found.append(content)
        return True

    async with serving(imap) as port:
        assert await poll(a_mailbox(port), handle) == 2
        assert await poll(a_mailbox(port), handle) == 0
    assert found == list(MAILS)
    assert imap.mails == {}


async def test_they_may_be_kept():
    imap = ImapServer(*MAILS)

    async def handle(_content: bytes) -> bool:
        return True

    async with serving(imap) as port:
        assert await poll(a_mailbox(port, keep=True), handle) == 2
        assert await poll(a_mailbox(port, keep=True), handle) == 0
    assert len(imap.mails) == 2
    assert imap.seen == {1, 2}


async def test_a_mail_that_could_not_be_dealt_with_stays():
    imap = ImapServer(*MAILS)

    async def handle(content: bytes) -> bool:
        if b"two" in content:
            raise OSError("the disk is full")
        return True

    async with serving(imap) as port:
        with pytest.raises(OSError, match="full"):
            await poll(a_mailbox(port), handle)
    assert list(imap.mails) == [2]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "wrong"}, "refuses the login"),
        ({"folder": "Elsewhere"}, "has no folder 'Elsewhere'"),
        ({"security": "tls"}, "cannot be reached|does not do"),
    ],
)
async def test_trouble_is_one_sentence(changes, said):
    async def handle(_content: bytes) -> None:
        pytest.fail("there is nothing to handle")

    async with serving(ImapServer(*MAILS)) as port:
        with pytest.raises(ChannelUnavailable, match=said):
            await poll(a_mailbox(port, **changes), handle)
