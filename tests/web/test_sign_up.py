"""Sign-up needs a confirmed mail, does not reveal who is known, and cannot be used to harass people."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import aiohttp
import pytest

from service.app.factories.application import Application, open_application
from service.app.process_pool.pool import ProcessPool
from service.core.ids import subscriber_id
from service.core.model import Membership
from service.settings.load import load_config
from service.settings.packaged_files import templates_folder
from service.store.database import Database
from service.subscribers.actions import erase, unsubscribe
from service.subscribers.sign_up import ADDRESS_LIMIT, LINK_LIFETIME, REPEAT_LIMIT, VISITOR_LIMIT, confirm_url
from service.subscribers.sync import apply_roster
from service.web.app import application
from service.web.client_ip import ClientAddresses
from service.web.sign_up.form import TRAP_FIELD
from tests.builders import NOON
from tests.settings.config_folders import FILES, SITE, a_config_folder
from tests.web.conftest import served

Web = aiohttp.ClientSession
SETTINGS = SITE + "mail: {folder: outbox}\nweb: {sign_up: [morning, evening]}\n"
TWO = FILES["newsletters.yaml"] + FILES["newsletters.yaml"].splitlines()[1].replace("morning", "evening")


@dataclass
class SignUpSite:
    """A server with an open sign-up form, and the mails that it sends."""

    url: str
    app: Application
    outbox: Path
    now: datetime = NOON
    clock: list[datetime] = field(default_factory=list)

    async def mails(self) -> list[EmailMessage]:
        """Return the mails sent so far, oldest first."""
        await self.app.deliver()
        files = sorted(self.outbox.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        return [
            cast("EmailMessage", message_from_bytes(path.read_bytes(), policy=policy.default))
            for path in files
        ]

    async def link(self) -> str:
        """Return the link of the last mail, with the address of this server."""
        text = (await self.mails())[-1].get_body(("plain",)).get_content()
        return self.url + re.search(r"https://news\.example\.org(/confirm/\S+)", text)[1]

    async def ask(self, web: Web, email: str = "nia@example.org", **fields: str) -> aiohttp.ClientResponse:
        return await web.post(
            f"{self.url}/subscribe", data={"email": email, "newsletter": "morning"} | fields
        )


@pytest.fixture
async def site(tmp_path: Path, sqlite_url: str) -> AsyncIterator[SignUpSite]:
    folder = a_config_folder(tmp_path / "config", {"caveat.yaml": SETTINGS, "newsletters.yaml": TWO})
    loaded = load_config(folder, {"CAVEAT_STORAGE": sqlite_url})
    clock = [NOON]
    app = Application(
        loaded.settings,
        loaded.roster,
        await Database.open(sqlite_url),
        clock=lambda: clock[0],
        pool=ProcessPool(1),
    )
    await apply_roster(app.subscribers, loaded.roster, NOON)
    pages = application(app.self_service, app.health, templates_folder(), sign_up=app.sign_up)
    async for url in served(pages):
        yield SignUpSite(url, app, folder / "outbox", clock=clock)
    await app.close()


async def test_request_confirmation_and_preferences(site: SignUpSite, web: Web):
    page = await (await site.ask(web, timezone="Asia/Tokyo")).text()
    assert "A mail with a link is on its way to nia@example.org" in page
    assert await site.app.subscribers.memberships(email="nia@example.org") == []

    (mail,) = await site.mails()
    assert mail["To"] == "nia@example.org"
    assert mail["Subject"] == "Please confirm: The Morning"
    confirm = await site.link()
    assert "Do you want The Morning?" in await (await web.get(confirm)).text()
    assert await site.app.subscribers.memberships(email="nia@example.org") == []

    page = await (await web.post(confirm)).text()
    (membership,) = await site.app.subscribers.memberships(email="nia@example.org")
    assert (membership.edition.timezone, membership.subscription.status) == ("Asia/Tokyo", "active")
    assert (await site.mails())[-1]["Subject"].startswith("Welcome")
    preferences = re.search(r'href="https://news\.example\.org(/preferences/[^"]+)"', page)[1]
    assert (await web.get(site.url + preferences)).status == 200


async def test_confirming_twice_is_once(site: SignUpSite, web: Web):
    await site.ask(web)
    confirm = await site.link()
    await asyncio.gather(*(web.post(confirm) for _ in range(10)))
    assert len(await site.app.subscribers.memberships(email="nia@example.org")) == 1
    site.clock[0] = NOON + timedelta(seconds=5)
    await web.post(confirm)
    assert [str(m["Subject"]).partition(" ")[0] for m in await site.mails()] == ["Please", "Welcome"]


async def test_the_response_is_the_same_for_a_known_address(site: SignUpSite, web: Web):
    people = site.app.subscribers
    await erase(people, "gone@example.org", NOON)
    await people.suppress("bounced@example.org", "hard bounce", NOON)
    answers = [
        (await site.ask(web, email)) for email in ("new@example.org", "amina@example.org", "gone@example.org")
    ]
    pages = [re.sub(r"\w+@example\.org", "X", await answer.text()) for answer in answers]
    assert len(set(pages)) == 1
    assert {answer.status for answer in answers} == {200}
    await site.ask(web, "bounced@example.org")
    to = {mail["To"].addresses[0].addr_spec for mail in await site.mails()}
    assert to == {"new@example.org", "amina@example.org"}


async def test_after_unsubscribing_from_everything_sign_up_works_again(site: SignUpSite, web: Web):
    people = site.app.subscribers
    (amina,) = await people.memberships(email="amina@example.org")
    await unsubscribe(people, amina.subscriber.id, None, NOON)
    await site.ask(web, "amina@example.org", newsletter="evening")
    await web.post(await site.link())

    found = {m.subscription.newsletter: m for m in await people.memberships(email="amina@example.org")}
    assert (found["evening"].subscription.status, found["evening"].suppressed) == ("active", None)
    assert found["morning"].subscription.status == "unsubscribed"


async def test_a_confirmation_link_expires_after_three_days(site: SignUpSite, web: Web):
    await site.ask(web)
    confirm = await site.link()
    site.clock[0] = NOON + LINK_LIFETIME + timedelta(seconds=1)
    assert (await web.post(confirm)).status == 404
    for url in (confirm[:-1], confirm + "A", f"{site.url}/confirm/x"):
        assert (await web.get(url)).status == 404
    assert await site.app.subscribers.memberships(email="nia@example.org") == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"email": ""}, "Please write an email address"),
        ({"email": "nia@"}, "is no email address"),
        ({"email": "nia@example.org\r\nBcc: all@example.org"}, "is no email address"),
        ({"newsletter": "weekly"}, "Please choose one."),
        ({"timezone": "Tokyo"}, "Did you mean Asia/Tokyo?"),
        ({"email": "<script>alert(1)</script>"}, "is no email address"),
    ],
)
async def test_problems_are_shown(site: SignUpSite, web: Web, fields: dict[str, str], sentence: str):
    answer = await web.post(
        f"{site.url}/subscribe", data={"email": "nia@example.org", "newsletter": "morning"} | fields
    )
    page = await answer.text()
    assert answer.status == 422
    assert sentence in page
    assert "<script>" not in page
    assert await site.mails() == []


async def test_a_filled_trap_field_sends_no_mail(site: SignUpSite, web: Web):
    assert (await site.ask(web, **{TRAP_FIELD: "https://spam.example"})).status == 200
    assert await site.mails() == []


async def test_an_address_gets_a_limited_number_of_mails(site: SignUpSite, web: Web):
    for number in range(ADDRESS_LIMIT[0] + 3):
        site.clock[0] = NOON + number * REPEAT_LIMIT[1]
        assert (await site.ask(web)).status == 200
        await site.mails()
    assert len(await site.mails()) == ADDRESS_LIMIT[0]


async def test_every_spelling_of_an_address_counts_as_one(site: SignUpSite, web: Web):
    """Full-width letters, case, tags and dots: one mailbox has one limit in any spelling."""
    spellings = [
        *("nia.kay@exämple.org", "Nia.Kay@EXÄMPLE.ORG", "nia.kay@xn--exmple-cua.org", "niakay+1@exämple.org"),
        *("n.i.a.k.a.y@ｅｘäｍｐｌｅ．ｏｒｇ", "niakay@exa\u0308mple.org", "nia.kay@exämple。org"),
    ]
    for number, spelling in enumerate(spellings):
        site.clock[0] = NOON + number * REPEAT_LIMIT[1]
        assert (await site.ask(web, spelling)).status == 200
        await site.mails()
    assert len(await site.mails()) == ADDRESS_LIMIT[0]


async def test_the_limits_outlive_the_process_and_are_shared(site: SignUpSite, web: Web):
    for number in range(VISITOR_LIMIT[0]):
        assert (await site.ask(web, f"p{number}@example.org")).status == 200
    settings = site.app.settings
    async with open_application(settings, site.app.roster, clock=lambda: NOON) as other:
        pages = application(other.self_service, other.health, templates_folder(), sign_up=other.sign_up)
        async for url in served(pages):
            data = {"email": "late@example.org", "newsletter": "morning"}
            assert (await web.post(f"{url}/subscribe", data=data)).status == 429


async def test_a_repeated_request_adds_no_mail_while_one_waits(site: SignUpSite, web: Web):
    for _ in range(ADDRESS_LIMIT[0]):
        assert (await site.ask(web)).status == 200
    assert len(await site.mails()) == 1


async def test_an_old_link_does_not_subscribe_an_erased_address(site: SignUpSite, web: Web):
    await site.ask(web)
    old = await site.link()
    await erase(site.app.subscribers, "nia@example.org", NOON)
    assert (await web.get(old)).status == 404
    assert (await web.post(old)).status == 404
    assert await site.app.subscribers.memberships() == [await _amina(site)]

    # The operator lifts the suppression and they sign up again: only the new link works.
    await site.app.subscribers.unsuppress("nia@example.org")
    site.clock[0] = NOON + REPEAT_LIMIT[1]
    await site.ask(web)
    new = await site.link()
    assert (await web.post(old)).status == 404
    assert (await web.post(new)).status == 200
    assert len(await site.app.subscribers.memberships(email="nia@example.org")) == 1


async def test_a_used_link_does_not_subscribe_an_erased_address(site: SignUpSite, web: Web):
    await site.ask(web)
    link = await site.link()
    await web.post(link)
    await erase(site.app.subscribers, "nia@example.org", NOON)
    assert (await web.post(link)).status == 404
    assert await site.app.subscribers.memberships() == [await _amina(site)]


async def test_a_link_of_another_sign_up_does_not_work(site: SignUpSite, web: Web):
    await site.ask(web)
    key = await site.app.subscribers.signing_key()
    person = subscriber_id("nia@example.org")
    for named in ((person, "evening", NOON), (person, "morning", NOON - timedelta(hours=1))):
        assert (await web.post(confirm_url(key, site.url, *named))).status == 404


async def _amina(site: SignUpSite) -> Membership:
    (membership,) = await site.app.subscribers.memberships(email="amina@example.org")
    return membership


async def test_a_client_has_a_limited_number_of_attempts(site: SignUpSite, web: Web):
    for number in range(VISITOR_LIMIT[0]):
        assert (await site.ask(web, f"p{number}@example.org")).status == 200
    refused = await site.ask(web, "late@example.org", **{"X-Forwarded-For": "9.9.9.9"})
    assert (refused.status, refused.headers["Retry-After"]) == (429, "3600")
    assert "Please come back later" in await refused.text()
    site.clock[0] = NOON + VISITOR_LIMIT[1]
    assert (await site.ask(web, "late@example.org")).status == 200


async def test_without_open_newsletters_there_is_no_sign_up(site: SignUpSite, web: Web):
    assert "/subscribe" not in (await web.get(f"{site.url}/")).url.path
    assert 'href="subscribe"' in await (await web.get(f"{site.url}/")).text()
    async for url in served(application(site.app.self_service, site.app.health, templates_folder())):
        assert (await web.get(f"{url}/subscribe")).status == 404
        assert 'href="subscribe"' not in await (await web.get(f"{url}/")).text()


async def test_a_mail_that_failed_is_sent_later(site: SignUpSite, web: Web):
    site.outbox.write_text("a file where the folder should be")
    await site.ask(web)
    assert await site.mails() == []
    site.outbox.unlink()
    assert [mail["To"] for mail in await site.mails()] == ["nia@example.org"]


class TestClientAddresses:
    """The client is the peer, or the header's address when a trusted proxy wrote it."""

    def of(
        self, peer: str, forwarded: str = "", trusted: tuple[str, ...] = ("127.0.0.1", "10.0.0.0/8")
    ) -> str:
        from starlette.requests import Request  # noqa: PLC0415 - for this helper alone

        scope = {"type": "http", "client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}
        return ClientAddresses(trusted).client_of(Request(scope))

    @pytest.mark.parametrize(
        ("peer", "forwarded", "visitor"),
        [
            ("9.9.9.9", "", "9.9.9.9"),
            ("9.9.9.9", "1.1.1.1", "9.9.9.9"),
            ("127.0.0.1", "1.1.1.1", "1.1.1.1"),
            ("127.0.0.1", "6.6.6.6, 1.1.1.1, 10.1.2.3", "1.1.1.1"),
            ("127.0.0.1", "nonsense", "unknown"),
            ("127.0.0.1", "1.1.1.1, ", "127.0.0.1"),
            ("2001:db8::1", "", "2001:db8::/64"),
            ("::ffff:9.9.9.9", "", "9.9.9.9"),
        ],
    )
    def test_the_client_is_the_last_address_that_cannot_be_forged(
        self, peer: str, forwarded: str, visitor: str
    ):
        assert self.of(peer, forwarded) == visitor

    def test_a_forged_header_line_of_the_client_is_ignored(self):
        from starlette.requests import Request  # noqa: PLC0415 - for this test alone

        lines = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"1.1.1.1")]
        request = Request({"type": "http", "client": ("127.0.0.1", 1), "headers": lines})
        assert ClientAddresses().client_of(request) == "1.1.1.1"

    @pytest.mark.parametrize("proxy", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1"])
    def test_a_proxy_on_this_machine_is_trusted_without_a_setting(self, proxy: str):
        believed = self.of(proxy, "1.1.1.1", ()) == "1.1.1.1"
        assert believed == (proxy != "10.0.0.1")
