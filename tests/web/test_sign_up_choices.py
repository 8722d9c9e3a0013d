"""The sign-up form: several newsletters, own hours, invitations, a frame, requests for one victim."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.app.factories.application import Application
from service.app.invitations import create_invitation, revoke_invitation
from service.app.process_pool.pool import ProcessPool
from service.core.errors import UsageError
from service.core.ids import subscriber_id
from service.core.model import ConsentWay
from service.settings.load import load_config
from service.settings.packaged_files import templates_folder
from service.store.consents import SqlConsentStore
from service.store.database import Database
from service.subscribers.links import invitation_url
from service.subscribers.sign_up import REPEAT_LIMIT
from service.subscribers.sync import apply_roster
from service.web.app import application
from tests.builders import NOON
from tests.settings.config_folders import SITE, a_config_folder
from tests.web.conftest import served
from tests.web.test_sign_up import SignUpSite, Web

NIA = "nia@example.org"
OTHER_SITE = "https://www.example.net"
SETTINGS = SITE + "mail: {folder: outbox}\nweb: {sign_up: [morning]}\n"
NEWSLETTERS = """
newsletters:
  - {id: morning, title: The Morning, schedule: 'daily 07:00', timezone: Europe/Berlin,
     description: 'Five <i>minutes</i> a day.'}
  - {id: weekly, title: 'Week "x" <script>alert(1)</script>', schedule: 'weekly sat 09:00',
     timezone: Europe/Berlin, sign_up: open}
  - {id: members, title: Members, schedule: 'weekdays 06:00', timezone: Europe/Berlin, sign_up: invitation}
  - {id: closed, title: Closed, schedule: 'daily 06:00', timezone: Europe/Berlin}
"""


@pytest.fixture
async def site(tmp_path: Path, sqlite_url: str) -> AsyncIterator[SignUpSite]:
    files = {"caveat.yaml": SETTINGS, "newsletters.yaml": NEWSLETTERS}
    folder = a_config_folder(tmp_path / "config", files)
    loaded, clock = load_config(folder, {"CAVEAT_STORAGE": sqlite_url}), [NOON]
    database = await Database.open(sqlite_url)
    app = Application(loaded.settings, loaded.roster, database, clock=lambda: clock[0], pool=ProcessPool(1))
    await apply_roster(app.subscribers, loaded.roster, NOON)
    pages = application(
        app.self_service,
        app.health,
        templates_folder(),
        sign_up=app.sign_up,
        trusted_proxies=(),
        embed=(OTHER_SITE,),
    )
    async for url in served(pages):
        yield SignUpSite(url, app, folder / "outbox", clock=clock)
    await app.close()


async def editions(site: SignUpSite, email: str = NIA) -> dict[str, tuple[str, str]]:
    """Return schedule and time zone of each active subscription."""
    found = await site.app.subscribers.memberships(email=email)
    return {m.subscription.newsletter: (m.edition.schedule, m.edition.timezone) for m in found}


async def test_the_page_says_what_one_gets(site: SignUpSite, web: Web):
    page = await (await web.get(f"{site.url}/subscribe")).text()
    assert "Five &lt;i&gt;minutes&lt;/i&gt; a day." in page
    assert "Every day at" in page
    assert "Sat at" in page
    assert "<script>alert" not in page
    assert "Members" not in page
    assert "Closed" not in page


async def test_several_newsletters_are_one_mail_and_one_confirmation(site: SignUpSite, web: Web):
    fields = [("email", NIA), ("newsletter", "morning"), ("newsletter", "weekly"), ("newsletter", "morning")]
    assert (await web.post(f"{site.url}/subscribe", data=fields)).status == 200
    (mail,) = await site.mails()
    assert 'The Morning, Week "x" <script>alert(1)</script>' in mail["Subject"]
    link = await site.link()
    assert "<script>alert" not in await (await web.get(link)).text()
    await web.post(link)
    assert set(await editions(site)) == {"morning", "weekly"}
    welcomes = [str(mail["Subject"]) for mail in await site.mails()][1:]
    assert len(welcomes) == 2
    consents = await SqlConsentStore(site.app.database).consents_of(subscriber_id(NIA))
    assert [(one.newsletter, one.consent.way, one.consent.language) for one in consents] == [
        ("morning", ConsentWay.FORM, "en"),
        ("weekly", ConsentWay.FORM, "en"),
    ]
    assert "Five <i>minutes</i> a day." in consents[0].consent.text
    await web.post(link)
    assert len(await SqlConsentStore(site.app.database).consents_of(subscriber_id(NIA))) == 2


async def test_a_link_confirms_only_what_its_mail_named(site: SignUpSite, web: Web):
    """An attacker adds a newsletter between a person's request and their click: they do not get it."""
    await web.post(f"{site.url}/subscribe", data={"email": NIA, "newsletter": "morning"})
    link = await site.link()
    site.clock[0] = NOON + REPEAT_LIMIT[1]
    await web.post(f"{site.url}/subscribe", data={"email": NIA, "newsletter": "weekly"})
    await web.post(link)
    assert set(await editions(site)) == {"morning"}


@pytest.mark.parametrize(
    ("fields", "schedule", "zone"),
    [
        ([("time", "06:30")], "daily 06:30", "Europe/Berlin"),
        ([("day", "0"), ("day", "2")], "weekly mon,wed 07:00", "Europe/Berlin"),
        ([("day", str(day)) for day in range(5)] + [("time", "6:05")], "weekdays 06:05", "Europe/Berlin"),
        ([("timezone", "Asia/Tokyo")], "daily 07:00", "Asia/Tokyo"),
        ([("day", "9"), ("day", "x"), ("time", "")], "daily 07:00", "Europe/Berlin"),
    ],
)
async def test_days_hour_and_zone_can_be_chosen(
    site: SignUpSite, web: Web, fields: list[tuple[str, str]], schedule: str, zone: str
):
    data = [("email", NIA), ("newsletter", "morning"), *fields]
    assert (await web.post(f"{site.url}/subscribe", data=data)).status == 200
    await web.post(await site.link())
    assert await editions(site) == {"morning": (schedule, zone)}


@pytest.mark.parametrize("time", ["25:00", "7", "noon", "07:00,08:00x", "07:00 weekly", "9" * 5_000])
async def test_a_time_that_is_none_is_a_problem(site: SignUpSite, web: Web, time: str):
    data = {"email": NIA, "newsletter": "morning", "time": time}
    answer = await web.post(f"{site.url}/subscribe", data=data)
    assert answer.status == 422
    assert 'id="time.problem"' in await answer.text()


class TestInvitations:
    async def test_only_invited_people_can_subscribe(self, site: SignUpSite, web: Web):
        for path in ("/subscribe", "/subscribe/members"):
            answer = await web.post(site.url + path, data={"email": NIA, "newsletter": "members"})
            assert answer.status == 422
        assert (await web.get(f"{site.url}/subscribe/members")).status == 404
        invited = await self.link(site)
        assert "Members" in await (await web.get(invited)).text()
        data = {"email": NIA, "newsletter": "members"}
        assert (await web.post(invited, data=data)).status == 200
        await web.post(await site.link())
        assert set(await editions(site)) == {"members"}
        (consent,) = await SqlConsentStore(site.app.database).consents_of(subscriber_id(NIA))
        assert consent.consent.way is ConsentWay.INVITATION

    async def test_an_invitation_for_one_lets_one_of_two_in(self, site: SignUpSite, web: Web):
        invited = await self.link(site)
        links = []
        for name in ("nia", "ola"):
            await web.post(invited, data={"email": f"{name}@example.org", "newsletter": "members"})
            links.append(await site.link())
        statuses = sorted([(await web.post(link)).status for link in links])
        assert statuses == [200, 410]
        assert len(await site.app.subscribers.memberships(newsletter="members")) == 1
        assert (await web.get(invited)).status == 410

    async def test_a_revoked_an_expired_and_a_forged_one_are_closed(self, site: SignUpSite, web: Web):
        made = await create_invitation(site.app, ["members"])
        revoked = self.local(site, made.url)
        await web.post(revoked, data={"email": NIA, "newsletter": "members"})
        confirmation = await site.link()
        assert await revoke_invitation(site.app, made.invitation.id)
        assert not await revoke_invitation(site.app, made.invitation.id)
        assert (await web.get(revoked)).status == 410
        assert (await web.post(confirmation)).status == 410
        expired = await self.link(site, days=1)
        site.clock[0] = NOON + timedelta(days=1)
        assert (await web.get(expired)).status == 410
        key = await site.app.subscribers.signing_key()
        unknown = self.local(site, invitation_url(key, "https://news.example.org", "0" * 16))
        assert (await web.get(unknown)).status == 410
        fine = await self.link(site)
        base, _, token = fine.rpartition("/")
        changed = [
            token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))
        ]
        elsewhere = fine.replace("/invitation/", "/confirm/")
        for forged in (*(f"{base}/{one}" for one in changed), fine + "A", elsewhere):
            assert (await web.get(forged)).status in (404, 410)
        assert await editions(site) == {}

    @pytest.mark.parametrize(
        ("newsletters", "values"),
        [
            (["closed"], {}),
            ([], {}),
            (["nothing"], {}),
            (["members"], {"uses": 0}),
            (["members"], {"days": 400}),
        ],
    )
    async def test_an_impossible_one_is_refused(
        self, site: SignUpSite, newsletters: list[str], values: dict[str, int]
    ):
        with pytest.raises(UsageError):
            await create_invitation(site.app, newsletters, **values)

    async def link(self, site: SignUpSite, **values: int) -> str:
        return self.local(site, (await create_invitation(site.app, ["members"], **values)).url)

    def local(self, site: SignUpSite, url: str) -> str:
        return url.replace("https://news.example.org", site.url)


class TestFrame:
    async def test_only_the_form_can_be_framed_and_only_by_the_named_site(self, site: SignUpSite, web: Web):
        answer = await web.get(f"{site.url}/subscribe/embed")
        assert f"frame-ancestors {OTHER_SITE}" in answer.headers["Content-Security-Policy"]
        assert "X-Frame-Options" not in answer.headers
        sent = await web.post(f"{site.url}/subscribe/embed", data={"email": NIA, "newsletter": "morning"})
        assert f"frame-ancestors {OTHER_SITE}" in sent.headers["Content-Security-Policy"]
        assert len(await site.mails()) == 1
        for path in ("/subscribe", "/", "/subscribe/morning"):
            headers = (await web.get(site.url + path)).headers
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert headers["X-Frame-Options"] == "DENY"

    async def test_without_a_named_site_there_is_no_embedded_form(self, site: SignUpSite, web: Web):
        app = site.app
        pages = application(app.self_service, app.health, templates_folder(), sign_up=app.sign_up)
        async for url in served(pages):
            assert (await web.get(f"{url}/subscribe/embed")).status == 404
            assert (await web.post(f"{url}/subscribe/embed", data={"email": NIA})).status == 404

    async def test_the_script_is_ours_and_the_policy_allows_no_other(self, site: SignUpSite, web: Web):
        answer = await web.get(f"{site.url}/subscribe")
        assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
        scripts = re.findall(r"<script[^>]*>", await answer.text())
        assert scripts == ['<script src="/subscribe/zone.js" defer>']
        script = await web.get(site.url + "/subscribe/zone.js")
        assert script.content_type == "text/javascript"
        assert "script-src" not in (await web.get(site.url)).headers["Content-Security-Policy"]


@pytest.mark.parametrize("requests", [60, pytest.param(1_000, marks=pytest.mark.long)])
async def test_one_victim_gets_one_mail_for_requests_from_many_addresses(
    site: SignUpSite, web: Web, requests: int
):
    """Spellings of one mailbox, changing newsletters, 100 clients behind a proxy, mails sent meanwhile."""
    spellings = [
        *("nia.kay@example.org", "niakay+{0}@example.org"),
        *("N.iaKay@EXAMPLE.org", "n.i.a.kay+x{0}@example.org"),
    ]
    newsletters = [["morning"], ["weekly"], ["morning", "weekly"]]

    async def ask(number: int) -> int:
        spelling = spellings[number % len(spellings)].format(number)
        chosen = [("newsletter", name) for name in newsletters[number % 3]]
        headers = {"X-Forwarded-For": f"203.0.113.{number % 100}"}
        answer = await web.post(f"{site.url}/subscribe", data=[("email", spelling), *chosen], headers=headers)
        return answer.status

    statuses = set()
    for first in range(0, requests, 20):
        statuses |= set(await asyncio.gather(*(ask(number) for number in range(first, first + 20))))
        await site.app.deliver()
    assert statuses <= {200, 429}
    assert len(await site.mails()) == 1


@pytest.mark.parametrize("field", ["email", "newsletter", "timezone", "time", "day", "website"])
async def test_hostile_values_are_refused_or_ignored(site: SignUpSite, web: Web, field: str):
    """Oversized values, markup, NUL, other scripts and thousands of values in each field."""
    hostile = [
        "x" * 60_000,
        "<script>alert(2)</script>",
        "\0",
        "\u202e\ufeff",
        "../../etc/passwd",
        "' OR 1=1 --",
    ]
    usual = {"email": NIA, "newsletter": "morning"}
    for value in hostile:
        answer = await web.post(f"{site.url}/subscribe", data=usual | {field: value})
        assert answer.status in (200, 413, 422)
        assert "<script>alert" not in await answer.text()
    many = [*usual.items(), *((field, str(number)) for number in range(2_000))]
    assert (await web.post(f"{site.url}/subscribe", data=many)).status == 413


async def test_no_address_in_a_request_decides_where_a_person_is_led(site: SignUpSite, web: Web):
    """Neither Host nor a path with two slashes nor a parameter makes a redirect or link to another site."""
    for path in (
        "/subscribe/",
        "//evil.example/subscribe/",
        "/subscribe?next=//evil.example",
        "/subscribe/%2F/evil",
    ):
        answer = await web.get(site.url + path, headers={"Host": "evil.example"}, allow_redirects=False)
        assert "evil.example" not in answer.headers.get("Location", "").split("/")[2:3]
        assert 'href="//' not in await answer.text()
        assert 'href="http://evil' not in await answer.text()
        assert not answer.headers.get("Location", "").startswith(("//", "http"))
