"""Unsubscribe mail: its default address is read, and a forged sender changes nothing."""

from __future__ import annotations

import asyncio
import smtplib
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from service.app.bounces import bounce_handler, handle_mail
from service.app.doctor.checks import CheckStatus, run_checks
from service.app.factories.application import Application
from service.core.model import MailKind
from service.runtime.service import Roles
from service.settings.load import load_config
from service.store.transactional import SqlSignUpStore
from tests.app.test_sign_up import a_process, read, token_in
from tests.builders import NOON
from tests.deliver.fakes import Clock
from tests.deliver.server import MailServer
from tests.end_to_end.installation import free_port, running
from tests.runtime.test_service import until
from tests.settings.config_folders import FILES, a_config_folder

ADDRESS, AMINA = "bounces@news.example.org", "amina@example.org"
WORKER = Roles(("deliver",), schedule=False, web=False)


def a_config(folder: Path, storage: str, port: int, *, bounces: str = "{}", site: str = "") -> Path:
    """Write a configuration that sends by SMTP, with these settings of bounces and site."""
    smtp = f"{{host: 127.0.0.1, port: {port}, security: none}}"
    mail = f"mail: {{channel: smtp, smtp: {smtp}, bounces: {bounces}}}\n"
    main = f"{FILES['caveat.yaml']}{site}storage: '{storage}'\n{mail}"
    return a_config_folder(folder, {"caveat.yaml": main, "feeds.yaml": "feeds: []\n"})


def a_mail(sender: str = AMINA, subject: str = "Unsubscribe", body: str = "", **headers: str) -> bytes:
    lines = [f"From: {sender}", f"To: {ADDRESS}", f"Subject: {subject}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", body, ""]).encode()


async def hand_over(port: int, content: bytes, to: str = ADDRESS) -> None:
    """Send the mail to the LMTP server of the service, as a mail server does."""

    def talk() -> None:
        with closing(smtplib.LMTP("127.0.0.1", port, timeout=10)) as client:
            client.sendmail(AMINA, [to], content)

    await asyncio.to_thread(talk)


async def received(app: Application, content: bytes, now=NOON) -> str:
    return await handle_mail(bounce_handler(app, await app.subscribers.signing_key()), content, now=now)


async def status(app: Application) -> str:
    (membership,) = await app.subscribers.memberships(email=AMINA)
    return membership.subscription.status.value


async def test_unsubscribe_mail_of_a_subscriber_gets_a_question_that_can_be_confirmed(
    tmp_path: Path, database_url: str
):
    port = free_port()
    async with MailServer() as server:
        bounces = f'{{address: {ADDRESS}, listen: "127.0.0.1:{port}"}}'
        folder = a_config(tmp_path, database_url, server.port, bounces=bounces)
        assert load_config(folder, {}).settings.site.unsubscribe_address == ADDRESS
        async with running(folder, Clock(), WORKER) as service:
            await service.app.apply_roster()
            await hand_over(port, a_mail())
            await until(lambda: server.taken)
            assert await status(service.app) == "active"

            (taken,) = server.taken
            assert taken.recipient == AMINA
            assert "unsubscribe from The Morning?" in read(taken)["Subject"]
            reader = await service.app.self_service.read_unsubscribe_link(token_in(taken, "unsubscribe"))
            assert reader
            await service.app.self_service.unsubscribe(reader, reader.newsletter)
            assert await status(service.app) == "unsubscribed"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (a_mail(), "asked"),
        (a_mail("Amina <AMINA@example.org>", "Re: The Morning", "Bitte abbestellen!\r\n"), "asked"),
        (a_mail(subject="Re: news", body="> unsubscribe\r\n\r\nThank you for this.\r\n"), "ignored"),
        (a_mail(subject="Out of office", Auto_Submitted="auto-replied", body="unsubscribe"), "ignored"),
        (a_mail(Precedence="bulk"), "ignored"),
        (a_mail(List_Id="<other.example>"), "ignored"),
        (a_mail("mailer-daemon@example.org"), "ignored"),
        (a_mail("stranger@example.org"), "ignored"),
        (a_mail(subject="Thanks for today"), "ignored"),
    ],
)
async def test_only_a_subscriber_gets_the_question(
    tmp_path: Path, sqlite_url: str, content: bytes, word: str
):
    async with a_process(a_config(tmp_path, sqlite_url, 1), Clock()) as app:
        assert await received(app, content) == word
        counts = await SqlSignUpStore(app.database).counts(NOON - timedelta(days=1))
        assert counts.waiting == (word == "asked")
        assert await status(app) == "active"


async def test_forged_mails_cause_one_question_a_day_and_change_nothing(tmp_path: Path, database_url: str):
    async with a_process(a_config(tmp_path, database_url, 1), Clock()) as app:
        words = [await received(app, a_mail()) for _ in range(5)]
        assert words == ["asked", *["ignored"] * 4]
        assert await received(app, a_mail(), NOON + timedelta(days=1)) == "asked"
        assert await status(app) == "active"
        (membership,) = await app.subscribers.memberships(email=AMINA)
        lines = await app.queries.deliveries_to(membership.subscriber.id)
        assert [line.occurrence for line in lines] == [MailKind.UNSUBSCRIBE] * 2


@pytest.mark.parametrize(
    ("bounces", "site", "address", "verdict", "said"),
    [
        ("{}", "", "", CheckStatus.OK, "by the link and by one click"),
        (f"{{address: {ADDRESS}}}", "", "", CheckStatus.OK, "by the link and by one click"),
        (
            f'{{address: {ADDRESS}, listen: "127.0.0.1:PORT"}}',
            *("", ADDRESS, CheckStatus.OK, f"mail to {ADDRESS} unsubscribes"),
        ),
        (
            "{}",
            "  unsubscribe_address: leave@news.example.org\n",
            *("leave@news.example.org", CheckStatus.WARNING, "nobody here reads it"),
        ),
        (
            f'{{address: {ADDRESS}, listen: "127.0.0.1:PORT"}}',
            "  unsubscribe_address: leave@news.example.org\n",
            *("leave@news.example.org", CheckStatus.WARNING, "unsubscribes only if it reaches us as mail to"),
        ),
    ],
)
async def test_the_address_for_it_is_one_that_is_read_and_doctor_says_its_state(  # noqa: PLR0917 - a row
    tmp_path: Path, sqlite_url: str, bounces: str, site: str, address: str, verdict: CheckStatus, said: str
):
    bounces = bounces.replace("PORT", str(free_port()))
    loaded = load_config(a_config(tmp_path, sqlite_url, 1, bounces=bounces, site=site), {})
    assert loaded.settings.site.unsubscribe_address == address
    (finding,) = [found async for found in run_checks(loaded, Clock()) if found.what == "unsubscribe"]
    assert (finding.verdict, said in finding.said) == (verdict, True)


async def test_the_address_that_our_mails_name_is_taken_even_if_it_is_the_senders(
    tmp_path: Path, sqlite_url: str
):
    port, sender = free_port(), "digest@news.example.org"
    bounces, site = (
        f'{{address: {ADDRESS}, listen: "127.0.0.1:{port}"}}',
        f"  unsubscribe_address: {sender}\n",
    )
    folder = a_config(tmp_path, sqlite_url, 1, bounces=bounces, site=site)
    async with running(folder, Clock(), WORKER):
        await hand_over(port, a_mail(subject="hello"), to=sender)
