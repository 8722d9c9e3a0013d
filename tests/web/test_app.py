"""Every answer of the web door is safe to show, whatever it was asked."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import urljoin

import aiohttp
import pytest
from sqlalchemy import text
from yarl import URL

from service.app.health import HealthCheck
from service.app.self_service import SelfService
from service.core.errors import StoreError
from service.settings.packaged_files import templates_folder
from service.store.database import Database
from service.web.app import application, metrics_application
from service.web.page_text import PageTexts
from service.web.pages import masked
from tests.builders import NOON
from tests.web.conftest import SITE, TOKEN, Door, served

Web = aiohttp.ClientSession


async def pages(door: Door) -> list[tuple[str, str]]:
    """Return every kind of answer there is, as method and address."""
    links = await door.links()
    return [
        ("GET", f"{door.url}/"),
        ("GET", f"{door.url}/healthz"),
        ("GET", f"{door.url}/metrics"),
        ("GET", f"{door.url}/robots.txt"),
        ("GET", f"{door.url}/nowhere"),
        ("DELETE", f"{door.url}/healthz"),
        ("OPTIONS", links.preferences),
        ("GET", links.unsubscribe),
        ("GET", links.preferences),
        ("PUT", links.preferences),
        ("POST", links.preferences),
        ("POST", links.unsubscribe),
    ]


async def test_every_answer_carries_the_security_headers(door: Door, web: Web):
    for method, url in await pages(door):
        answer = await web.request(method, url, allow_redirects=False)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "server" not in answer.headers or "uvicorn" in answer.headers["server"]
        assert "Set-Cookie" not in answer.headers


async def test_no_cache_keeps_what_is_somebody_s_own(door: Door, web: Web):
    links = await door.links()
    for url in (links.unsubscribe, links.preferences):
        assert (await web.get(url)).headers["Cache-Control"] == "no-store"


async def test_no_page_loads_or_runs_anything(door: Door, web: Web):
    for method, url in await pages(door):
        page = await (await web.request(method, url)).text()
        assert not re.search(r"<script|<iframe|<img|<link|\sstyle=|\son\w+=|javascript:|@import|url\(", page)


async def test_the_style_is_the_one_that_the_policy_allows(door: Door, web: Web):
    """The browser's own check is in the browser suite; here the hash is computed once more."""
    from base64 import b64encode  # noqa: PLC0415 - for this test alone
    from hashlib import sha256  # noqa: PLC0415 - as above

    answer = await web.get(f"{door.url}/")
    style = re.search(r"<style>(.*?)</style>", await answer.text(), re.DOTALL)[1]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"a=" + b"b" * 70_000, {}, 413),
        (b"&".join(b"a=b" for _ in range(2_000)), {}, 413),
        (b"{}", {"Content-Type": "application/json"}, 415),
        (b"", {"Content-Type": "multipart/form-data; boundary=x"}, 415),
        (b"\xff\xfe%ff%00=%zz&&&===", {}, 303),
    ],
)
async def test_bodies_have_limits(door: Door, web: Web, body: bytes, headers: dict[str, str], status: int):
    kind = {"Content-Type": "application/x-www-form-urlencoded"} | headers
    url = (await door.links()).preferences
    answer = await web.post(url, data=body, headers=kind, allow_redirects=False)
    assert answer.status == status


async def test_a_body_of_unknown_length_has_the_same_limit(door: Door, web: Web):
    async def endless():
        for _ in range(100):
            yield b"a=" + b"b" * 10_000

    answer = await web.post((await door.links()).unsubscribe, data=endless())
    assert answer.status == 413
    assert (await door.statuses())["amina morning"] == "active"


async def test_a_torn_request_harms_nobody(door: Door, web: Web):
    host, port = door.url.removeprefix("http://").split(":")
    path = (await door.links()).unsubscribe.removeprefix(door.url)
    for request in (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort",
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n",
        "\x16\x03\x01 not http at all\r\n\r\n",
        f"GET {path} HTTP/9.9\r\n\r\n",
    ):
        with socket.create_connection((host, int(port))) as line:
            line.sendall(request.encode("latin-1"))
    await asyncio.sleep(0)
    assert (await web.get(f"{door.url}/healthz")).status == 200
    assert (await door.statuses())["amina morning"] == "active"


async def test_a_wrong_method_is_told_which_are_right(door: Door, web: Web):
    url = (await door.links()).preferences
    wrong, asked = await web.put(url), await web.options(url)
    assert (wrong.status, asked.status) == (405, 204)
    assert "GET" in wrong.headers["Allow"]


async def test_trouble_within_is_a_calm_page_without_a_word_of_it(
    self_service: SelfService, health: HealthCheck, web: Web, monkeypatch: pytest.MonkeyPatch
):
    troubles = {503: StoreError("database /secret/place is locked"), 500: RuntimeError("secret")}
    app = application(self_service, health, templates_folder())
    async for url in served(app):
        for status, trouble in troubles.items():

            async def fails(*_: object, trouble: Exception = trouble) -> None:
                raise trouble

            monkeypatch.setattr(SelfService, "read_unsubscribe_link", fails)
            answer = await web.get(f"{url}/unsubscribe/x")
            page = await answer.text()
            assert answer.status == status
            assert "secret" not in page
            assert "Traceback" not in page
            assert "<h1>" in page
            assert "Content-Security-Policy" in answer.headers


async def test_health_tells_whether_record_and_scheduler_are_well(
    door: Door, web: Web, monkeypatch: pytest.MonkeyPatch
):
    async def health() -> tuple[int, dict[str, object]]:
        answer = await web.get(f"{door.url}/healthz")
        return answer.status, json.loads(await answer.text())

    assert await health() == (
        200,
        {"status": "ok", "database": "reachable", "last_tick_seconds": None, "problems": []},
    )
    door.health.last_tick_at = NOON - timedelta(seconds=42)
    assert (await health())[1]["last_tick_seconds"] == 42
    door.health.last_tick_at = NOON - timedelta(minutes=6)
    assert (await health())[0] == 503
    door.health.last_tick_at = NOON
    door.health.stage_problems = lambda: ("a pass of gather has made no progress",)
    status, told = await health()
    assert (status, told["problems"]) == (503, ["a pass of gather has made no progress"])
    door.health.stage_problems = tuple

    async def out_of_reach(_: object) -> bytes:
        raise StoreError("database /secret/place is gone")

    door.health.last_tick_at = NOON
    monkeypatch.setattr(type(door.people), "signing_key", out_of_reach)
    status, told = await health()
    assert (status, told["database"]) == (503, "out of reach")
    assert (await web.head(f"{door.url}/healthz")).status == 503


@pytest.mark.parametrize("trouble", ["a full disk", "a disk that became read-only"])
async def test_health_says_no_when_nothing_can_be_written(
    door: Door, web: Web, monkeypatch: pytest.MonkeyPatch, trouble: str
):
    if trouble == "a full disk":
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=4096))
    else:
        async with door.people.database.read() as connection:  # the only connection of the pool
            await connection.execute(text("PRAGMA query_only = ON"))
    answer = await web.get(f"{door.url}/healthz")
    assert answer.status == 503
    assert json.loads(await answer.text())["database"] == "cannot be written"


async def test_health_writes_no_more_often_than_twice_a_minute(
    door: Door, web: Web, monkeypatch: pytest.MonkeyPatch
):
    probes: list[object] = []

    async def probe(database: object) -> None:
        probes.append(database)

    monkeypatch.setattr(Database, "probe_write", probe)
    for _ in range(5):
        assert (await web.get(f"{door.url}/healthz")).status == 200
    assert len(probes) == 1


async def test_what_is_wrong_is_told_to_the_operator_and_not_to_visitors(
    self_service: SelfService, health: HealthCheck, web: Web
):
    app = application(
        self_service, health, templates_folder(), metrics_token=TOKEN, trusted_proxies=["10.0.0.0/8"]
    )
    async for url in served(app):
        for forwarded, token, is_told in (
            ("", "", True),
            ("203.0.113.7", "", False),
            ("127.0.0.1, 203.0.113.7", "", False),
            ("10.1.2.3", "", True),
            ("203.0.113.7, 10.1.2.3", "", False),
            ("203.0.113.7", TOKEN, True),
            ("203.0.113.7", "wrong", False),
        ):
            headers = {"X-Forwarded-For": forwarded, "Authorization": f"Bearer {token}"}
            answer = await web.get(f"{url}/healthz", headers=headers)
            told = json.loads(await answer.text())
            assert (answer.status, told["status"], "database" in told) == (200, "ok", is_told)


async def test_figures_are_for_whoever_has_the_token(door: Door, web: Web):
    async def metrics(header: str | None) -> aiohttp.ClientResponse:
        headers = {"Authorization": header} if header is not None else {}
        return await web.get(f"{door.url}/metrics", headers=headers)

    for header in (None, "", "Bearer", "Bearer wrong", TOKEN, "Bearer é"):
        assert (await metrics(header)).status == 404
    answer = await metrics(f"Bearer {TOKEN}")
    text = await answer.text()
    assert answer.status == 200
    assert 'caveat_stored{what="subscribers"} 2.0' in text
    assert 'caveat_waiting{stage="deliver"} 0.0' in text


async def test_without_a_token_there_are_no_figures(self_service: SelfService, health: HealthCheck, web: Web):
    async for url in served(application(self_service, health, templates_folder())):
        for header in ({}, {"Authorization": "Bearer "}):
            assert (await web.get(f"{url}/metrics", headers=header)).status == 404
    async for url in served(metrics_application(health)):
        assert (await web.get(f"{url}/metrics")).status == 200
        assert (await web.get(f"{url}/healthz")).status == 200
        assert (await web.get(f"{url}/")).status == 404


async def test_a_site_within_a_folder_is_reached_there(
    self_service: SelfService, health: HealthCheck, web: Web
):
    self_service = replace(self_service, site=replace(SITE, url="https://example.org/news"))
    async for url in served(application(self_service, health, templates_folder())):
        for path in ("/news/", "/news/healthz", "/healthz", "/"):
            assert (await web.get(f"{url}{path}")).status == 200


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/robots.txt/", "/robots.txt"),
        ("/healthz/?a=b", "/healthz?a=b"),
        ("/news", "/news/"),
        ("/news/preferences/a%3Ab/", "/news/preferences/a%3Ab"),
        ("/preferences/javascript:alert(1)/", "/preferences/javascript:alert(1)"),
    ],
)
async def test_no_redirect_leads_where_a_forged_host_says(
    self_service: SelfService, health: HealthCheck, web: Web, path: str, place: str
):
    self_service = replace(self_service, site=replace(SITE, url="https://example.org/news"))
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher"}
    async for url in served(application(self_service, health, templates_folder())):
        answer = await web.get(URL(f"{url}{path}", encoded=True), headers=forged, allow_redirects=False)
        location = answer.headers["Location"]
        assert answer.status == 307
        assert "evil" not in location
        assert urljoin(f"{url}{path}", location) == f"{url}{place}"


async def test_no_page_repeats_a_forged_host(door: Door, web: Web):
    for method, url in await pages(door):
        answer = await web.request(method, url, headers={"Host": "evil.example"}, allow_redirects=False)
        assert "evil.example" not in await answer.text() + str(answer.headers)


async def test_search_engines_are_asked_to_stay_away(door: Door, web: Web):
    assert "Disallow: /" in await (await web.get(f"{door.url}/robots.txt")).text()


class TestWords:
    """The pages speak thirteen languages."""

    DICTIONARY = PageTexts(templates_folder() / "web" / "words.toml")

    @pytest.mark.parametrize("language", DICTIONARY.languages)
    def test_every_language_says_everything_with_the_same_values(self, language: str):
        def values(text: str) -> list[str]:
            return sorted(re.findall(r"\{\w+\}", text))

        english, theirs = self.DICTIONARY.languages["en"], self.DICTIONARY.languages[language]
        assert theirs.keys() == english.keys()
        assert not [key for key in english if values(english[key]) != values(theirs[key])]

    @pytest.mark.parametrize(
        ("accepted", "language"),
        [
            ("", "en"),
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("tlh, fr;q=0.5, en;q=0.4", "fr"),
            ("en;q=0, de;q=0", "en"),
            ("*", "en"),
            (";;;,,,q=9" * 1000, "en"),
        ],
    )
    def test_the_browser_s_wish_is_understood(self, accepted: str, language: str):
        assert self.DICTIONARY.for_accept_language(accepted).language == language


@pytest.mark.parametrize(
    ("address", "shown"),
    [("amina@example.org", "a…a@example.org"), ("ab@x.org", "a…@x.org"), ("a@x.org", "a…@x.org")],
)
def test_an_address_is_shown_to_its_owner_alone(address: str, shown: str):
    assert masked(address) == shown
