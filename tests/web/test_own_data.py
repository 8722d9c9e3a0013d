"""Subscribers read, join, download and delete through their own link, and nobody else's data."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from service.app.doctor.health import HealthCheck
from service.app.self_service import SelfService
from service.core.model import ConsentWay
from service.settings.packaged_files import templates_folder
from service.store.consents import SqlConsentStore
from service.store.database import Database
from service.store.queries import Queries
from service.store.subscribers import SqlSubscriberStore
from service.subscribers.ports import ERASED_REASON
from service.subscribers.sync import apply_roster
from service.web.app import application
from tests.builders import NOON, a_newsletter
from tests.web.conftest import ROSTER, SITE, WebServer, served

Web = aiohttp.ClientSession
SCIENCE = a_newsletter("science", title="Science <b>&</b> Doubt", description="One study a day.", minutes=5)


@pytest.fixture
async def server(sqlite_database: Database) -> AsyncIterator[WebServer]:
    """Serve a site where everybody may join `science`."""
    people = SqlSubscriberStore(sqlite_database)
    roster = type(ROSTER)(ROSTER.feeds, (*ROSTER.newsletters, SCIENCE), ROSTER.subscribers)
    await apply_roster(people, roster, NOON)
    own = SelfService(SITE, roster, people, lambda: NOON, (SCIENCE,))
    health = HealthCheck(people, Queries(sqlite_database), lambda: NOON)
    async for url in served(application(own, health, templates_folder())):
        yield WebServer(url, health, people)


async def preferences(server: WebServer, name: str = "amina") -> str:
    return (await server.links(name)).preferences


async def test_an_open_newsletter_is_offered_joined_once_and_recorded(server: WebServer, web: Web):
    page = await (await web.get(await preferences(server))).text()
    assert "Science &lt;b&gt;&amp;&lt;/b&gt; Doubt" in page
    assert "One study a day." in page
    for _ in range(2):
        await web.post(await preferences(server), data={"join": "science"}, allow_redirects=False)
    assert (await server.statuses())["amina science"] == "active"
    membership = await server.membership("amina", "science")
    assert membership.edition.timezone == "Asia/Qatar"
    found = await SqlConsentStore(server.people.database).consents_of(membership.subscriber.id)
    joined = [one for one in found if one.newsletter == "science"]
    assert [one.consent.way for one in joined] == [ConsentWay.PREFERENCES]
    assert "One study a day." in joined[0].consent.text
    assert "Other newsletters" not in await (await web.get(await preferences(server))).text()


@pytest.mark.parametrize("newsletter", ["morning", "evening", "unknown", "", "science' OR 1=1"])
async def test_a_newsletter_that_is_not_open_cannot_be_joined(server: WebServer, web: Web, newsletter: str):
    before = await server.statuses()
    assert (await web.post(await preferences(server, "ben"), data={"join": newsletter})).status == 404
    assert await server.statuses() == before


async def test_no_limit_of_minutes_can_be_chosen_and_stays_chosen(server: WebServer, web: Web):
    url = await preferences(server)
    await web.post(url, data={"join": "science"})
    fields = {"science.status": "receive", "science.day": "0", "science.time": "07:00"}
    fields |= {"science.stories": "8", "science.points": "4", "science.topic": "world"}
    for typed, minutes in (("0", None), ("", 5), ("12", 12), ("0", None)):
        answer = await web.post(url, data=fields | {"science.minutes": typed}, allow_redirects=False)
        assert answer.status == 303
        assert (await server.membership("amina", "science")).edition.minutes == minutes
    assert 'name="science.minutes" value="0"' in re.sub(r"\s+", " ", await (await web.get(url)).text())


async def test_the_language_of_the_mail_can_be_chosen(server: WebServer, web: Web):
    url = await preferences(server)
    await web.post(url, data={"join": "science"})
    fields = {"science.status": "receive", "science.day": "0", "science.time": "07:00"}
    fields |= {"science.stories": "8", "science.points": "4", "science.topic": "world"}
    for typed, language in (("ar", "ar"), ("xx", "ar"), ("de", "de")):
        await web.post(url, data=fields | {"science.language": typed})
        assert (await server.membership("amina", "science")).edition.language == language


async def test_the_download_has_everything_about_the_person_and_nobody_else(server: WebServer, web: Web):
    answer = await web.get(f"{await preferences(server)}/data")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    text = await answer.text()
    data = json.loads(text)
    assert data["person"]["email"] == "amina@example.org"
    assert {one["newsletter"] for one in data["subscriptions"]} == {"morning", "evening"}
    assert {(one["newsletter"], one["way"]) for one in data["consents"]} == {
        ("morning", "file"),
        ("evening", "file"),
    }
    assert data["suppression"] is None
    assert "ben" not in text


async def test_deleting_asks_first_then_erases_and_suppresses(server: WebServer, web: Web):
    url = await preferences(server)
    page = await (await web.get(f"{url}/delete")).text()
    assert "This cannot be undone." in page
    # The roster names her: the page says what that means.
    assert "write to digest@news.example.org" in page
    assert (await server.statuses())["amina morning"] == "active"

    page = await (await web.post(f"{url}/delete", data={})).text()
    assert "Your data is deleted" in page
    assert await server.people.memberships(email="amina@example.org") == []
    suppression = await server.people.suppression("amina@example.org")
    assert suppression
    assert suppression.reason == ERASED_REASON
    for path in ("", "/data", "/delete"):
        assert (await web.get(url + path)).status == 410
    assert "ben morning" in await server.statuses()


async def test_no_changed_token_opens_a_page(server: WebServer, web: Web):
    """A change of one character leads nowhere, and so does the token of another page."""
    links = await server.links()
    pages = {"preferences": links.preferences, "unsubscribe": links.unsubscribe}
    for kind, url in pages.items():
        base, _, token = url.rpartition("/")
        changed = [
            token[:at] + other + token[at + 1 :]
            for at in range(len(token))
            for other in ("A" if token[at] != "A" else "B",)
        ]
        for forged in (*changed, token + "A", token[:-1], token + "=", token.swapcase()):
            assert (await web.get(f"{base}/{forged}")).status == 404, (kind, forged)
        others = [one.rpartition("/")[2] for name, one in pages.items() if name != kind]
        for other in others:
            assert (await web.get(f"{base}/{other}")).status == 404
    token = links.unsubscribe.rpartition("/")[2]
    for path in ("data", "delete"):
        assert (await web.get(f"{server.url}/preferences/{token}/{path}")).status == 404
