"""A mail bounces to its own return path, and its address is suppressed."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from pathlib import Path

import pytest

from service.app.bounces import read_bounces
from service.app.factories.application import Application, open_application
from service.app.sending.foreground_delivery import deliver_issues
from service.app.sending.manual_send import send
from service.bounces.verp import return_paths
from service.core.model import Delivery
from service.core.send_request import SendRequest
from service.settings.load import load_config
from tests.bounces.test_handler import stored_mail
from tests.bounces.test_imap import ImapServer, serving
from tests.cli.runner import write_files

ADDRESS = "bounces@news.example.org"


@pytest.fixture
async def imap():
    server = ImapServer()
    async with serving(server) as port:
        yield server, port


@pytest.fixture
async def app(tmp_path: Path, imap):
    """Give an application that reads its bounces from a mailbox."""
    _, port = imap
    folder = tmp_path / "config"
    write_files(folder)
    login = f"{{host: 127.0.0.1, port: {port}, security: none, username: bounces, password: sesame}}"
    mail = f"mail: {{channel: file, bounces: {{address: {ADDRESS}, imap: {login}}},"
    caveat = folder / "caveat.yaml"
    caveat.write_text(caveat.read_text().replace("mail: {channel: file,", mail))
    loaded = load_config(folder, {})
    async with open_application(loaded.settings, loaded.roster) as app:
        await app.apply_roster()
        await app.gather()
        await app.condense()
        yield app


async def sent(app: Application, again: bool = False) -> list[Delivery]:
    """Mail Amina; return her delivery."""
    planned = (await send(app, SendRequest("morning", ("amina@example.org",), again))).planned
    await deliver_issues(app, planned.issues)
    lines = [line for issue in planned.issues for line in await app.queries.deliveries(issue)]
    return [Delivery(d.id, d.issue_id, d.subscriber_id, "file", d.address, d.name) for d in lines]


async def test_each_mail_has_a_return_path_of_its_own(app: Application):
    (delivery,) = await sent(app)
    deliverer = await app.deliverer()
    issue = await deliverer.store.issue(delivery.issue_id)
    path = return_paths(await app.subscribers.signing_key(), ADDRESS)(delivery)

    assert deliverer.channel.payload(issue, delivery).sender == path
    assert path.startswith("bounces+")


async def test_a_hard_bounce_suppresses_the_address(app: Application, imap):
    server, _ = imap
    (delivery,) = await sent(app)
    path = return_paths(await app.subscribers.signing_key(), ADDRESS)(delivery)
    server.mails[1] = stored_mail("postfix-unknown", path)

    assert await read_bounces(app) == 1
    assert server.mails == {}
    (membership,) = await app.subscribers.memberships(email="amina@example.org")
    assert membership.suppressed
    assert await sent(app, again=True) == []


async def test_a_forged_bounce_changes_nothing(app: Application, imap):
    server, _ = imap
    await sent(app)
    server.mails[1] = stored_mail("postfix-unknown", f"bounces+{'a' * 55}@news.example.org")

    assert await read_bounces(app) == 1
    (membership,) = await app.subscribers.memberships(email="amina@example.org")
    assert membership.suppressed is None


class Late(Executor):
    """An executor whose tasks all exceed their time; it records their names."""

    def __init__(self) -> None:
        self.tasks: list[str] = []

    def submit(self, fn, /, *_args, **_kwargs):
        self.tasks.append(fn.__name__)
        answer = Future()
        answer.set_exception(TimeoutError("it took longer than 30 seconds"))
        return answer


async def test_mails_are_parsed_in_the_pool_and_set_aside_at_its_limits(app: Application, imap):
    server, _ = imap
    server.mails |= {1: stored_mail("postfix-unknown"), 2: stored_mail("vacation")}
    app.pool = late = Late()

    assert await read_bounces(app) == 2
    assert await read_bounces(app) == 0
    assert late.tasks == ["read_inbound", "read_inbound"]
    assert server.flagged == {1, 2}


async def test_without_a_mailbox_no_mail_is_read(tmp_path: Path):
    folder = tmp_path / "config"
    write_files(folder)
    loaded = load_config(folder, {})
    async with open_application(loaded.settings, loaded.roster) as app:
        assert await read_bounces(app) == 0
