"""The operator's mail over SMTP: once a day at most, whatever happens to the process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import update

from service.app.factories.application import Application, open_application
from service.app.operator.mail import current_problems, tell_operator
from service.settings.load import load_config
from service.store.drafts import SqlDraftStore
from service.store.operator_state import SqlOperatorState
from service.store.schema import feeds
from service.store.sending_hold import SendingHold, hold_sending
from tests.app.test_sign_up import read, subjects
from tests.deliver.fakes import Clock
from tests.deliver.server import MailServer
from tests.end_to_end.installation import free_port, periodic_work, running
from tests.settings.config_folders import FILES, a_config_folder
from tests.store.stores import Stores

OPERATOR = "vera@example.org"
HOSTILE = "<script>alert(1)</script> \ue000confirm_url\ue001"


def a_config(folder: Path, storage: str, port: int, operator: str = OPERATOR) -> Path:
    """Write a configuration that sends by SMTP and names an operator."""
    smtp = f"{{host: 127.0.0.1, port: {port}, security: none, connections: 2}}"
    main = (
        f"{FILES['caveat.yaml']}storage: '{storage}'\nmail: {{channel: smtp, smtp: {smtp}}}\n"
        f"web: {{listen: '127.0.0.1:{free_port()}', admin: {{timezone: Europe/Berlin}}}}\n"
        f"operator: {operator}\n"
    )
    return a_config_folder(folder, {"caveat.yaml": main})


@asynccontextmanager
async def a_process(folder: Path, clock: Clock) -> AsyncIterator[Application]:
    loaded = load_config(folder, {})
    async with open_application(loaded.settings, loaded.roster, clock=clock) as app:
        await app.apply_roster()
        yield app


async def fail_feeds(app: Application, *, error: str = "HTTP 500", failures: int = 9) -> None:
    async with app.database.write() as connection:
        failing = {"failures": failures, "last_error": error, "name": f"The Courier {HOSTILE}"}
        await connection.execute(update(feeds).values(failing))


async def tell(app: Application, clock: Clock, after: timedelta) -> int:
    """Let time pass, compose, tell the operator and send; return the number of mails that were planned."""
    clock.now += after
    await app.compose()
    report = await tell_operator(app)
    await app.deliver()
    return report.mails


async def test_new_trouble_is_mailed_at_once_then_each_morning_then_that_it_ended(
    tmp_path: Path, database_url: str
):
    clock, hour = Clock(), timedelta(hours=1)
    async with MailServer() as server, a_process(a_config(tmp_path, database_url, server.port), clock) as app:
        assert await tell(app, clock, hour) == 0  # nothing is wrong
        await fail_feeds(app)
        assert await tell(app, clock, timedelta(0)) == 0  # it may pass
        assert await tell(app, clock, timedelta(minutes=16)) == 1
        assert [await tell(app, clock, hour) for _ in range(3)] == [0, 0, 0]
        begun = len(server.taken)
        for _ in range(24):
            await tell(app, clock, hour)
        assert len(server.taken) == begun + 1  # the next morning
        await fail_feeds(app, failures=0)
        for _ in range(48):
            await tell(app, clock, hour)
        assert len(server.taken) == 3
        assert {taken.recipient for taken in server.taken} == {OPERATOR}
        assert subjects(server)[2] == "The Morning Caveat: all is well again"

        mail = read(server.taken[0])
        text = mail.get_body(("plain",)).get_content()
        assert "1 feed without a successful poll: The Courier" in text
        assert "since Mon 2 Mar 2026" in text  # in the operator's time zone
        assert "caveat feed health" in text
        assert "/admin/feeds" in text
        assert "/confirm/" not in text  # a placeholder in the name of a feed stays out
        assert "<script>" not in mail.get_body(("html",)).get_content()
        assert mail["List-Unsubscribe"] is None


async def test_a_night_is_quiet(tmp_path: Path, sqlite_url: str):
    clock = Clock()
    async with MailServer() as server, a_process(a_config(tmp_path, sqlite_url, server.port), clock) as app:
        clock.now = clock.now.replace(hour=23, minute=5)  # 00:05 in Berlin
        await fail_feeds(app)
        hours = [await tell(app, clock, timedelta(minutes=30)) for _ in range(14)]
        assert hours == [0] * 13 + [1]  # at 07:05
        assert server.taken[0].recipient == OPERATOR


async def test_each_operator_gets_one_and_without_an_operator_nobody_does(tmp_path: Path, sqlite_url: str):
    clock = Clock()
    async with MailServer() as server:
        for operator, mails in ((f"[{OPERATOR}, ada@example.org]", 2), ("[]", 0)):
            folder = a_config(tmp_path, sqlite_url, server.port, operator)
            async with a_process(folder, clock) as app:
                await fail_feeds(app)
                await tell(app, clock, timedelta(days=1))
                assert await tell(app, clock, timedelta(minutes=16)) == mails
        assert sorted(taken.recipient for taken in server.taken) == ["ada@example.org", OPERATOR]


async def test_two_processes_and_a_kill_plan_one_mail(tmp_path: Path, database_url: str):
    """One of the processes is killed (-9) while both plan the mail."""
    async with MailServer() as server:
        folder, clock = a_config(tmp_path, database_url, server.port), Clock()
        async with a_process(folder, clock) as app:
            await fail_feeds(app)
            await tell_operator(app)
        command = (sys.executable, "-m", "tests.app.operator.telling_process", str(folder))
        both = [
            await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE) for _ in range(2)
        ]
        for one in both:
            await one.stdout.readline()
            os.kill(one.pid, signal.SIGKILL)
        for one in both:
            await one.stdout.read()
            await one.wait()
        async with a_process(folder, clock) as app:
            assert await tell(app, clock, timedelta(minutes=30)) == 0
        assert [taken.recipient for taken in server.taken] == [OPERATOR]


async def test_while_sending_is_held_the_mail_waits_and_that_is_said(tmp_path: Path, database_url: str):
    clock = Clock()
    async with MailServer() as server, a_process(a_config(tmp_path, database_url, server.port), clock) as app:
        async with app.database.write() as connection:
            await connection.run_sync(hold_sending, "the backup lacks mails")
        await tell_operator(app)
        clock.now += timedelta(minutes=16)
        assert (await tell_operator(app)).mails == 1
        [problem, *_] = await current_problems(app)
        assert "mail to the operator waits as well" in problem.sentence
        assert not server.taken
        await SendingHold(app.database).release()
        await app.deliver()
        assert "What is wrong" in read(server.taken[0]).get_body(("html",)).get_content()


async def test_the_running_service_sends_it(tmp_path: Path, database_url: str):
    clock = Clock()
    async with MailServer() as server:
        folder = a_config(tmp_path, database_url, server.port)
        async with running(folder, clock) as service:
            # Feeds are polled meanwhile; an old backup stays old.
            await SqlOperatorState(service.app.database).record_backup(clock.now - timedelta(days=9))
            await periodic_work(service).tell_operator()
            clock.now += timedelta(minutes=16)
            await periodic_work(service).tell_operator()
            async with asyncio.timeout(20):
                while not server.taken:  # noqa: ASYNC110 - the server tells nobody
                    await asyncio.sleep(0.02)
        async with running(folder, clock) as service:  # a restart
            await periodic_work(service).tell_operator()
            assert (await service.app.pending_work()).deliveries == 0
        assert [taken.recipient for taken in server.taken] == [OPERATOR]


async def test_a_new_draft_is_mailed_once_with_its_link(tmp_path: Path, sqlite_url: str):
    clock = Clock()
    async with MailServer() as server:
        folder = a_config(tmp_path, sqlite_url, server.port)
        file = folder / "newsletters.yaml"
        file.write_text(file.read_text().replace("topics: [world]", "topics: [world], review: 20h"))
        async with a_process(folder, clock) as app:
            await Stores(app.database).publish("Harbour reopens", at=clock.now - timedelta(hours=1))
            await app.compose()
            [draft] = await SqlDraftStore(app.database).drafts_of()
            reports = [await tell_operator(app) for _ in range(3)]
            await app.deliver()
        assert [report.draft_mails for report in reports] == [1, 0, 0]
        assert subjects(server) == ["A draft of The Morning waits for you"]
        text = read(server.taken[0]).get_body(("plain",)).get_content()
        assert f"/admin/drafts/{draft.id}" in text
        assert "for 1 subscriber." in text
