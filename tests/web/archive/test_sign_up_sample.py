"""The sign-up page links to the latest issue of each newsletter that has issues on the web."""

from __future__ import annotations

import aiohttp
import pytest

from service.app.sign_up import SignUpWish
from service.core.model import MailKind
from tests.settings.config_folders import SITE
from tests.web.archive.conftest import ArchiveSite, the_issue

Web = aiohttp.ClientSession


@pytest.fixture
def caveat_yaml() -> str:
    return SITE + "mail: {folder: outbox}\nweb: {sign_up: [morning, evening, night]}\n"


async def test_each_newsletter_has_a_sample(archive: ArchiveSite, web: Web):
    await archive.publish(the_issue(), day="2026-03-01")
    latest = await archive.publish(the_issue(), day="2026-03-02")
    signed = await archive.publish(the_issue(), "evening")
    hidden = await archive.publish(the_issue(), "night")
    page = await (await web.get(f"{archive.url}/subscribe")).text()

    assert page.count("Read the latest issue") == 2
    assert f'href="https://news.example.org/issues/{latest.id}"' in page
    assert f'href="https://news.example.org/issues/{signed.id}?key=' in page
    assert hidden.id not in page


async def test_without_an_issue_there_is_no_sample(archive: ArchiveSite, web: Web):
    page = await (await web.get(f"{archive.url}/subscribe/morning")).text()
    assert "Read the latest issue" not in page
    assert 'value="morning" checked' in page


async def test_the_address_in_mails_opens_the_form_of_its_newsletter(archive: ArchiveSite, web: Web):
    page = await (await web.get(f"{archive.url}/subscribe/evening")).text()
    assert 'value="evening" checked' in page
    for unknown in ("unknown", "%2e%2e%5c", "%00"):
        assert (await web.get(f"{archive.url}/subscribe/{unknown}")).status == 404

    assert (await web.get(f"{archive.url}/subscribe/evening%2f%2F")).status == 200

    fields = {"email": "nia@example.org", "newsletter": "evening"}
    answer = await web.post(f"{archive.url}/subscribe/evening", data=fields)
    assert "A mail with a link is on its way" in await answer.text()


async def test_an_issue_page_leads_to_the_form(archive: ArchiveSite, web: Web):
    page = await (await web.get(await archive.page(await archive.publish(the_issue())))).text()
    assert 'href="https://news.example.org/subscribe/morning"' in page


async def test_a_transactional_mail_has_no_page(archive: ArchiveSite):
    await archive.app.sign_up.request(SignUpWish("nia@example.org", ("morning",)))
    async with archive.app.database.read() as connection:
        from sqlalchemy import text  # noqa: PLC0415 - for this test alone

        rows = (await connection.execute(text("SELECT id, occurrence FROM issues"))).all()

    assert [row.occurrence for row in rows] == [MailKind.CONFIRMATION]
    assert await archive.app.archive.issue(rows[0].id, "") is None
