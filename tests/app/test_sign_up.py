"""Sign-up over SMTP: confirmation and welcome are sent, whatever the server replies first."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select

from service.app.clock import Clock as AnyClock
from service.app.clock import utc_now
from service.app.doctor.checks import CheckResult, CheckStatus, run_checks
from service.app.factories.application import Application, open_application
from service.app.sign_up import SignUpWish
from service.core import tokens
from service.core.ids import subscriber_id
from service.deliver.metrics import TRANSACTIONAL
from service.settings.load import load_config
from service.store.schema import issues
from service.subscribers.sign_up import REPEAT_LIMIT
from tests.deliver.fakes import Clock
from tests.deliver.server import ANY, DOT, Close, MailServer, Reply, Taken, Wait
from tests.settings.config_folders import FILES, a_config_folder

EMAIL = "nia@example.org"
GREYLISTED = Reply("450 4.2.0 greylisted, come again")


def a_config(folder: Path, storage: str, port: int) -> Path:
    """Write a configuration that sends by SMTP, with `morning` open to sign-up."""
    smtp = f"{{host: 127.0.0.1, port: {port}, security: none, connections: 2}}"
    mail = f"mail: {{channel: smtp, smtp: {smtp}}}\n"
    main = f"{FILES['caveat.yaml']}storage: '{storage}'\n{mail}web: {{sign_up: [morning]}}\n"
    return a_config_folder(folder, {"caveat.yaml": main, "feeds.yaml": "feeds: []\n"})


@asynccontextmanager
async def a_process(folder: Path, clock: AnyClock) -> AsyncIterator[Application]:
    """Open the application for the lifetime of one process."""
    loaded = load_config(folder, {})
    async with open_application(loaded.settings, loaded.roster, clock=clock) as app:
        await app.apply_roster()
        yield app


def read(taken: Taken) -> EmailMessage:
    message = message_from_bytes(taken.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def token_in(taken: Taken, path: str = "confirm") -> str:
    text = read(taken).get_body(("plain",)).get_content()
    return re.search(rf"https://news\.example\.org/{path}/(\S+)", text)[1]


def subjects(server: MailServer) -> list[str]:
    return [str(read(taken)["Subject"]) for taken in server.taken]


async def state_of(app: Application, email: str = EMAIL) -> list[tuple[str, str]]:
    lines = await app.queries.deliveries_to(subscriber_id(email))
    return [(line.occurrence, line.state.value) for line in lines]


async def test_confirmation_and_welcome_are_sent_over_smtp(tmp_path: Path, database_url: str):
    async with (
        MailServer() as server,
        a_process(a_config(tmp_path, database_url, server.port), Clock()) as app,
    ):
        await app.sign_up.request(SignUpWish(EMAIL, ("morning",), "Asia/Tokyo"))
        await app.deliver()
        (confirmation,) = server.taken
        mail = read(confirmation)
        assert (confirmation.recipient, mail["Subject"]) == (EMAIL, "Please confirm: The Morning")
        # Who is asked is on no list yet, so there is none to leave.
        for header in ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Precedence"):
            assert mail[header] is None
        assert mail["Auto-Submitted"] == "auto-generated"

        asked = await app.sign_up.read_confirmation_link(token_in(confirmation))
        assert asked
        await app.sign_up.confirm(asked)
        await app.deliver()
        welcome = read(server.taken[1])
        assert welcome["Subject"] == "Welcome to The Morning"
        assert "/unsubscribe/" in welcome["List-Unsubscribe"]
        assert await state_of(app) == [("welcome", "sent"), ("confirmation", "sent")]
        (membership,) = await app.subscribers.memberships(email=EMAIL)
        assert membership.edition.timezone == "Asia/Tokyo"


async def test_no_token_of_a_link_is_stored(tmp_path: Path, database_url: str):
    async with (
        MailServer() as server,
        a_process(a_config(tmp_path, database_url, server.port), Clock()) as app,
    ):
        await app.sign_up.request(SignUpWish(EMAIL, ("morning",)))
        await app.deliver()
        token = token_in(server.taken[0])
        assert tokens.read(await app.subscribers.signing_key(), "confirm", token)
        async with app.database.read() as connection:
            rows = (await connection.execute(select(issues))).all()
        assert len(rows) == 1
        assert token not in str(rows)
        assert EMAIL not in str(rows)


async def test_a_greylisted_mail_is_retried_by_the_next_process(tmp_path: Path, database_url: str):
    clock = Clock()
    async with MailServer({"RCPT": {1: GREYLISTED}}) as server:
        folder = a_config(tmp_path, database_url, server.port)
        async with a_process(folder, clock) as app:
            await app.sign_up.request(SignUpWish(EMAIL, ("morning",)))
            assert (await app.deliver()).deferred == 1
            assert await state_of(app) == [("confirmation", "deferred")]
        clock.now += timedelta(minutes=2)
        async with a_process(folder, clock) as app:
            assert (await app.deliver()).sent == 1
        assert subjects(server) == ["Please confirm: The Morning"]


async def test_a_mail_planned_before_a_stop_is_sent_after_it(tmp_path: Path, database_url: str):
    async with MailServer() as server:
        folder = a_config(tmp_path, database_url, server.port)
        async with a_process(folder, Clock()) as app:
            await app.sign_up.request(SignUpWish(EMAIL, ("morning",)))
        async with a_process(folder, Clock()) as app:
            await app.deliver()
        assert subjects(server) == ["Please confirm: The Morning"]


async def test_a_refused_confirmation_is_named_counted_and_suppresses_the_address(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
):
    before, clock = TRANSACTIONAL.labels("refused")._value.get(), Clock()
    async with (
        MailServer({"RCPT": {ANY: Reply("550 5.1.1 no such user")}}) as server,
        a_process(a_config(tmp_path, database_url, server.port), clock) as app,
    ):
        await app.sign_up.request(SignUpWish(EMAIL, ("morning",)))
        await app.deliver()
        assert await state_of(app) == [("confirmation", "refused")]
        assert await app.subscribers.suppression(EMAIL)
        clock.now += REPEAT_LIMIT[1]
        # A repeated request gets the same response and sends no mail.
        await app.sign_up.request(SignUpWish(EMAIL, ("morning",)))
        await app.deliver()
        assert sorted(await state_of(app)) == [("confirmation", "refused"), ("confirmation", "suppressed")]
        assert server.taken == []
    assert TRANSACTIONAL.labels("refused")._value.get() == before + 1
    [event] = [one for one in caplog.records if one.getMessage() == "transactional_mail_handled"]
    assert (event.levelname, event.result) == ("WARNING", "refused")
    assert EMAIL not in caplog.text


async def test_a_connection_lost_before_the_reply_sends_the_same_mail_again(
    tmp_path: Path, database_url: str
):
    clock = Clock()
    async with MailServer({DOT: {1: Close(taking=True)}}) as server:
        folder = a_config(tmp_path, database_url, server.port)
        async with a_process(folder, clock) as app:
            await app.sign_up.request(SignUpWish(EMAIL, ("morning",)))
            assert (await app.deliver()).uncertain == 1
            clock.now += timedelta(minutes=5)
            assert (await app.deliver()).sent == 1
        first, second = server.taken
        assert first.id == second.id
        assert first.content == second.content


async def test_every_sign_up_answered_before_a_kill_is_mailed_once(tmp_path: Path, database_url: str):
    """The process is killed (-9) in the middle of many requests."""
    async with MailServer() as server:
        folder = a_config(tmp_path, database_url, server.port)
        asking = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.app.sign_up_process", str(folder)), stdout=asyncio.subprocess.PIPE
        )
        assert asking.stdout
        answered = [(await asking.stdout.readline()).decode().strip() for _ in range(7)]
        os.kill(asking.pid, signal.SIGKILL)
        answered += (await asking.stdout.read()).decode().split()
        await asking.wait()

        async with a_process(folder, Clock()) as app:
            await app.deliver()
        recipients = [taken.recipient for taken in server.taken]
        assert len(recipients) == len(set(recipients))
        assert set(answered) <= set(recipients)
        assert len(recipients) <= len(answered) + 1  # the one that was planned and not answered yet


async def test_a_kill_before_the_reply_sends_the_same_mail_again(tmp_path: Path, database_url: str):
    gate = Wait(asyncio.Event())
    async with MailServer({DOT: {1: gate}}) as server:
        folder = a_config(tmp_path, database_url, server.port)
        async with a_process(folder, utc_now) as app:
            await app.sign_up.request(SignUpWish(EMAIL, ("morning",)))
        sending = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service", "--config", str(folder), "deliver"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await gate.reached.wait()
        os.kill(sending.pid, signal.SIGKILL)
        await sending.wait()
        gate.event.set()

        async with a_process(folder, lambda: utc_now() + timedelta(minutes=10)) as app:
            await app.deliver()
            assert await state_of(app) == [("confirmation", "sent")]
        assert {taken.recipient for taken in server.taken} == {EMAIL}
        assert len({taken.content for taken in server.taken}) == 1


async def test_doctor_reports_the_confirmations(tmp_path: Path, database_url: str):
    clock = Clock()
    async with MailServer({"RCPT": {ANY: GREYLISTED}}) as server:
        folder = a_config(tmp_path, database_url, server.port)
        async with a_process(folder, clock) as app:
            assert await _transactional_finding(folder, clock) == []
            await app.sign_up.request(SignUpWish(EMAIL, ("morning",)))
            await app.deliver()
        (finding,) = await _transactional_finding(folder, clock)
        assert (finding.verdict, "waiting 1" in finding.said) == (CheckStatus.OK, True)
        clock.now += timedelta(hours=2)
        (finding,) = await _transactional_finding(folder, clock)
        assert finding.verdict is CheckStatus.WARNING
        assert "since 2026-03-02 12:00 UTC" in finding.said


async def _transactional_finding(folder: Path, clock: Clock) -> list[CheckResult]:
    found = [finding async for finding in run_checks(load_config(folder, {}), clock)]
    return [finding for finding in found if finding.what == "transactional"]
