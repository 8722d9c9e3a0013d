"""The bounce server in a running service, with a real socket and a real database."""

from __future__ import annotations

import asyncio
import smtplib
import socket
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from service.app.doctor.checks import CheckStatus, run_checks
from service.bounces.lmtp_server import LmtpServer
from service.bounces.verp import return_paths
from service.core import ids as identity
from service.core.errors import CaveatError, StoreError
from service.core.model import Delivery
from service.runtime.service import Roles, Service
from service.settings.load import load_config
from service.store.bounces import SqlBounceStore
from tests.bounces.test_handler import stored_mail
from tests.builders import NOON, a_subscriber
from tests.end_to_end.installation import Clock, free_port, running, write_config
from tests.runtime.test_service import edit, until
from tests.store.stores import Stores

ADDRESS, OPT_OUT = "bounces@news.example.org", "leave@news.example.org"
CLIENTS = {"lmtp": smtplib.LMTP, "smtp": smtplib.SMTP}
WORKER = Roles(("deliver",), schedule=False, web=False)


def a_config(folder: Path, storage: str, bounces: str) -> None:
    """Write a configuration with these settings of bounces, and nothing to gather."""
    write_config(folder, storage=storage, news_url="http://127.0.0.1:1", smtp_port=1, web_port=free_port())
    (folder / "feeds.yaml").write_text("feeds: []\n")
    edit(folder / "caveat.yaml", "mail: {channel: smtp,", f"mail: {{channel: smtp, bounces: {bounces},")
    edit(folder / "caveat.yaml", "postal_address", f"unsubscribe_address: {OPT_OUT}\n  postal_address")


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def config(tmp_path: Path, database_url: str, port: int) -> Path:
    folder = tmp_path / "config"
    a_config(folder, database_url, f'{{address: {ADDRESS}, listen: "127.0.0.1:{port}"}}')
    return folder


@pytest.fixture
async def service(config: Path) -> AsyncIterator[Service]:
    async with running(config, Clock(NOON), WORKER) as service:
        yield service


@dataclass
class Mailed:
    """A mail that went out, with the return path that it had."""

    stores: Stores
    path: str

    async def suppressed(self) -> str | None:
        return (await self.stores.membership()).suppressed


async def mailed(service: Service) -> Mailed:
    """Let an issue go to Amina."""
    stores = Stores(service.app.database)
    issue = await stores.plan_issue_for("amina")
    amina = a_subscriber()
    id_ = identity.delivery_id(issue.id, amina.id, "file")
    delivery = Delivery(id_, issue.id, amina.id, "file", amina.email, amina.name)
    return Mailed(stores, return_paths(await stores.subscribers.signing_key(), ADDRESS)(delivery))


async def hand_over(port: int, to: str, *, by: str = "lmtp", name: str = "postfix-unknown") -> None:
    """Give the letter to whoever listens there, as a mail server does; raises what the client does."""

    def talk() -> None:
        with closing(CLIENTS[by]("127.0.0.1", port, timeout=10)) as client:
            client.sendmail("", [to], stored_mail(name))
            client.quit()

    await asyncio.to_thread(talk)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("by", CLIENTS)
async def test_a_delivered_bounce_suppresses_its_address(service: Service, port: int, by: str):
    mail = await mailed(service)
    with structlog.testing.capture_logs() as logs:
        await hand_over(port, mail.path, by=by)
        await hand_over(port, mail.path, by=by)

    assert "5.1.1" in await mail.suppressed()
    assert "example" not in str(logs)


async def test_a_forged_recipient_is_refused_before_the_data(service: Service, port: int):
    mail = await mailed(service)
    forged = [f"bounces+{'a' * 55}@news.example.org", mail.path.replace("+", "+b", 1), "amina@example.org"]
    for path in forged:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await hand_over(port, path)
        assert list(refused.value.recipients.values()) == [(550, b"5.1.1 no return path of ours")]

    await hand_over(port, ADDRESS)  # our own mailbox takes everything, and believes no bounce without a token
    assert await mail.suppressed() is None


async def test_the_unsubscribe_address_is_accepted(service: Service, port: int):
    await mailed(service)
    await hand_over(port, OPT_OUT.upper(), name="a-reader-writes")


async def test_an_unreachable_database_defers_the_mail(
    service: Service, port: int, monkeypatch: pytest.MonkeyPatch
):
    mail = await mailed(service)

    async def gone(*_args: object, **_more: object) -> bool:
        raise StoreError("the database is gone")

    with monkeypatch.context() as patched:
        patched.setattr(SqlBounceStore, "record_bounce", gone)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            await hand_over(port, mail.path)
    assert refused.value.smtp_code == 451
    assert await mail.suppressed() is None

    await hand_over(port, mail.path)
    assert await mail.suppressed()


async def test_the_listener_is_open_only_in_a_running_process_that_delivers(config: Path, port: int):
    async with running(config, Clock(NOON), Roles(("gather",), schedule=True, web=False)):
        assert not is_open(port)
    async with running(config, Clock(NOON), WORKER):
        assert is_open(port)
        async with running(config, Clock(NOON), WORKER):  # another worker on this machine
            assert is_open(port)
        assert is_open(port)
    assert not is_open(port)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Give a folder whose configuration is written by the test."""
    return tmp_path / "config"


def listening_at(port: int) -> str:
    return f'{{address: {ADDRESS}, listen: "127.0.0.1:{port}"}}'


async def test_the_listener_moves_after_a_reload(here: Path, sqlite_url: str, port: int):
    a_config(here, sqlite_url, listening_at(port))
    other = free_port()
    async with running(here, Clock(NOON), WORKER) as service:
        edit(here / "caveat.yaml", f":{port}", f":{other}")
        await until(lambda: is_open(other))
        assert not is_open(port)
        mail = await mailed(service)
        await hand_over(other, mail.path)
        assert await mail.suppressed()

        edit(here / "caveat.yaml", f', listen: "127.0.0.1:{other}"', "")
        await until(lambda: not is_open(other))


async def test_an_address_in_use_keeps_the_old_listener(here: Path, sqlite_url: str, port: int):
    a_config(here, sqlite_url, listening_at(port))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = taken.getsockname()[1]
        async with running(here, Clock(NOON), WORKER) as service:
            before = service.app
            with structlog.testing.capture_logs() as logs:
                edit(here / "caveat.yaml", f":{port}", f":{other}")
                await until(lambda: [line for line in logs if line["event"] == "config_rejected"])
            assert f"taken at 127.0.0.1:{other}" in str(logs)
            assert service.app is before
            assert is_open(port)


async def test_the_service_does_not_start_with_an_address_in_use(here: Path, sqlite_url: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        a_config(here, sqlite_url, listening_at(taken.getsockname()[1]))
        with pytest.raises(CaveatError, match=r"in use; choose another address with mail.bounces.listen"):
            async with running(here, Clock(NOON), WORKER):
                pass


async def findings(config: Path, storage: str, bounces: str) -> list[tuple[CheckStatus, str]]:
    """Return what a check-up says of bounces."""
    a_config(config, storage, bounces)
    found = run_checks(load_config(config, {}), Clock(NOON))
    return [(f.verdict, f.said) async for f in found if f.what == "bounces"]


async def test_doctor_names_how_bounces_are_received(here: Path, sqlite_url: str, port: int):
    async def look(bounces: str) -> tuple[CheckStatus, str]:
        [found] = await findings(here, sqlite_url, bounces)
        return found

    at = f"127.0.0.1:{port}"
    assert (await look("{}"))[0] is CheckStatus.WARNING
    assert await look(f"{{address: {ADDRESS}}}") == (
        CheckStatus.WARNING,
        f"mail comes back to {ADDRESS}, where nobody reads it; set mail.bounces.listen or imap",
    )
    assert await look(listening_at(port)) == (CheckStatus.OK, f"they can be taken at {at}")
    assert (await look(listening_at(port).replace("127.0.0.1", "0.0.0.0")))[0] is CheckStatus.WARNING

    async def nobody(*_args: object) -> None: ...

    running_one = LmtpServer("127.0.0.1", port, nobody, bool)
    await running_one.start()
    assert await look(listening_at(port)) == (CheckStatus.OK, f"a running Caveat takes them at {at}")
    await running_one.close()

    with socket.create_server(("127.0.0.1", 0)) as taken:
        verdict, said = await look(listening_at(taken.getsockname()[1]))
    assert verdict is CheckStatus.FAULT
    assert "in use" in said


async def test_doctor_checks_the_imap_mailbox(here: Path, sqlite_url: str, port: int):
    imap = f"{{host: 127.0.0.1, port: {port}, security: none, username: bounces, password: sesame}}"
    [(verdict, said)] = await findings(here, sqlite_url, f"{{address: {ADDRESS}, imap: {imap}}}")
    assert verdict is CheckStatus.FAULT
    assert f"the mailbox bounces at 127.0.0.1:{port} cannot be reached" in said
