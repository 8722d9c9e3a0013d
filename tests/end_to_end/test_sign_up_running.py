"""`caveat run` with a mail server: a sign-up becomes mail at once, and no mail is lost or sent twice."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from subprocess import CalledProcessError

import aiohttp
import pytest

from tests.deliver.server import MailServer, Taken
from tests.end_to_end.installation import free_port
from tests.postfix import Postfix, running_postfix, why_not
from tests.settings.config_folders import FILES, a_config_folder

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]

NIA = "nia@example.org"
PATIENCE = 60.0  # seconds until a condition must hold, on a busy machine


def a_config(folder: Path, smtp_port: int, web_port: int) -> Path:
    """Write a configuration that sends by SMTP and serves the pages, with two open newsletters."""
    smtp = f"{{host: 127.0.0.1, port: {smtp_port}, security: none}}"
    main = (
        f"{FILES['caveat.yaml']}storage: 'sqlite:///caveat.db'\nmail: {{channel: smtp, smtp: {smtp}}}\n"
        f"web: {{listen: '127.0.0.1:{web_port}', sign_up: [morning, evening]}}\n"
    )
    two = FILES["newsletters.yaml"] + FILES["newsletters.yaml"].splitlines()[1].replace("morning", "evening")
    return a_config_folder(
        folder, {"caveat.yaml": main, "feeds.yaml": "feeds: []\n", "newsletters.yaml": two}
    )


@asynccontextmanager
async def caveat_run(folder: Path, web_port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start `caveat run` and wait until it serves the form; kill it (-9) at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "--config", str(folder), "run"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as web:
            while True:
                try:
                    if (await web.get(f"http://127.0.0.1:{web_port}/subscribe")).status == 200:
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)
        yield process
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds; fails after PATIENCE."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - another process, or Postfix, makes it true
            await asyncio.sleep(0.05)


async def post(port: int, path: str, data: list[tuple[str, str]] | None = None) -> int:
    async with aiohttp.ClientSession() as web:
        return (await web.post(f"http://127.0.0.1:{port}{path}", data=data or [("x", "")])).status


def message_of(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def confirm_path(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body
    found = re.search(r"https://news\.example\.org(/confirm/\S+)", body.get_content())
    assert found
    return found[1]


def subjects(taken: list[Taken]) -> list[str]:
    return [str(message_of(one.content)["Subject"]) for one in taken]


def has_queued(server: Postfix, number: int) -> bool:
    """Return whether the queue has so many mails; a file that is being written counts as none."""
    try:
        return len(server.queued()) == number
    except (StopIteration, ValueError, CalledProcessError):
        return False


BOTH = [("email", NIA), ("newsletter", "morning"), ("newsletter", "evening")]


async def test_confirmation_and_welcome_leave_at_once(tmp_path: Path):
    port = free_port()
    async with MailServer() as server, caveat_run(a_config(tmp_path, server.port, port), port):
        assert await post(port, "/subscribe", BOTH) == 200
        await until(lambda: len(server.taken) == 1)
        confirmation = message_of(server.taken[0].content)
        assert await post(port, confirm_path(confirmation)) == 200
        await until(lambda: len(server.taken) == 3)
        assert len([one for one in subjects(server.taken) if one.startswith("Please confirm")]) == 1
        assert len([one for one in subjects(server.taken) if one.startswith("Welcome")]) == 2
        assert {one.recipient for one in server.taken} == {NIA}


async def test_a_mail_that_was_planned_before_a_kill_is_sent_once(tmp_path: Path):
    """The mail server is down, the process is killed (-9), and the next one finds the server up again."""
    port = free_port()
    async with caveat_run(a_config(tmp_path, free_port(), port), port):
        assert await post(port, "/subscribe", BOTH) == 200
    async with MailServer() as server:
        folder = a_config(tmp_path, server.port, port)
        async with caveat_run(folder, port):
            await until(lambda: len(server.taken) == 1)
        async with caveat_run(folder, port):
            assert await post(port, confirm_path(message_of(server.taken[0].content))) == 200
            await until(lambda: len(server.taken) == 3)
        assert len([one for one in subjects(server.taken) if one.startswith("Please confirm")]) == 1


@pytest.mark.skipif(bool(why_not()), reason=why_not())
async def test_postfix_takes_the_confirmation(tmp_path: Path):
    port = free_port()
    accepting = {"smtpd_recipient_restrictions": "permit_mynetworks, reject", "in_flow_delay": "0"}
    with running_postfix(accepting) as server:
        async with caveat_run(a_config(tmp_path, server.port, port), port):
            assert await post(port, "/subscribe", BOTH) == 200
            await until(lambda: has_queued(server, 1))
            (queued,) = server.queued()
            assert queued.recipients == (NIA,)
            assert await post(port, confirm_path(message_of(queued.content))) == 200
            await until(lambda: has_queued(server, 3))
