"""Every response of the web server is safe, whatever the request."""

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

from service.app.doctor.health import HealthCheck
from service.app.self_service import SelfService
from service.core.errors import StoreError
from service.settings.packaged_files import templates_folder
from service.store.database import Database
from service.web.app import application, metrics_application
from service.web.page_text import PageTexts
from service.web.pages import masked
from tests.builders import NOON
from tests.web.conftest import SITE, TOKEN, WebServer, served

Web = aiohttp.ClientSession


async def pages(server: WebServer) -> list[tuple[str, str]]:
    """Return a request for each kind of response, as method and address."""
    links = await server.links()
    return [
        ("GET", f"{server.url}/"),
        ("GET", f"{server.url}/healthz"),
        ("GET", f"{server.url}/metrics"),
        ("GET", f"{server.url}/robots.txt"),
        ("GET", f"{server.url}/nowhere"),
        ("DELETE", f"{server.url}/healthz"),
        ("OPTIONS", links.preferences),
        ("GET", links.unsubscribe),
        ("GET", links.preferences),
        ("PUT", links.preferences),
        ("POST", links.preferences),
        ("POST", links.unsubscribe),
    ]


async def test_every_answer_carries_the_security_headers(server: WebServer, web: Web):
    for method, url in await pages(server):
        answer = await web.request(method, url, allow_redirects=False)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; img-src 'self'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "server" not in answer.headers or "uvicorn" in answer.headers["server"]
        assert "Set-Cookie" not in answer.headers


async def test_no_cache_stores_a_personal_page(server: WebServer, web: Web):
    links = await server.links()
    for url in (links.unsubscribe, links.preferences):
        assert (await web.get(url)).headers["Cache-Control"] == "no-store"


async def test_no_page_loads_or_runs_anything(server: WebServer, web: Web):
    for method, url in await pages(server):
        page = await (await web.request(method, url)).text()
        assert not re.search(r"<script|<iframe|<img|<link|\sstyle=|\son\w+=|javascript:|@import|url\(", page)


async def test_the_style_is_the_one_that_the_policy_allows(server: WebServer, web: Web):
    """The browser tests check it in a browser; here the hash is computed again."""
    from base64 import b64encode  # noqa: PLC0415 - for this test alone
    from hashlib import sha256  # noqa: PLC0415 - for this test alone

    answer = await web.get(f"{server.url}/")
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
async def test_bodies_have_limits(
    server: WebServer, web: Web, body: bytes, headers: dict[str, str], status: int
):
    kind = {"Content-Type": "application/x-www-form-urlencoded"} | headers
    url = (await server.links()).preferences
    answer = await web.post(url, data=body, headers=kind, allow_redirects=False)
    assert answer.status == status


async def test_a_body_of_unknown_length_has_the_same_limit(server: WebServer, web: Web):
    async def endless():
        for _ in range(100):
            yield b"a=" + b"b" * 10_000

    answer = await web.post((await server.links()).unsubscribe, data=endless())
    assert answer.status == 413
    assert (await server.statuses())["amina morning"] == "active"


async def test_a_broken_request_does_no_harm(server: WebServer, web: Web):
    host, port = server.url.removeprefix("http://").split(":")
    path = (await server.links()).unsubscribe.removeprefix(server.url)
    for request in (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort",
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n",
        "\x16\x03\x01 not http at all\r\n\r\n",
        f"GET {path} HTTP/9.9\r\n\r\n",
    ):
        with socket.create_connection((host, int(port))) as line:
            line.sendall(request.encode("latin-1"))
    await asyncio.sleep(0)
    assert (await web.get(f"{server.url}/healthz")).status == 200
    assert (await server.statuses())["amina morning"] == "active"


async def test_a_wrong_method_gets_the_allowed_methods(server: WebServer, web: Web):
    url = (await server.links()).preferences
    wrong, asked = await web.put(url), await web.options(url)
    assert (wrong.status, asked.status) == (405, 204)
    assert "GET" in wrong.headers["Allow"]


async def test_an_internal_error_is_a_page_without_its_text(
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


async def test_health_reports_the_database_and_the_scheduler(
    server: WebServer, web: Web, monkeypatch: pytest.MonkeyPatch
):
    async def health() -> tuple[int, dict[str, object]]:
        answer = await web.get(f"{server.url}/healthz")
        return answer.status, json.loads(await answer.text())

    assert await health() == (
        200,
        {"status": "ok", "database": "reachable", "last_tick_seconds": None, "problems": []},
    )
    server.health.last_tick_at = NOON - timedelta(seconds=42)
    assert (await health())[1]["last_tick_seconds"] == 42
    server.health.last_tick_at = NOON - timedelta(minutes=6)
    assert (await health())[0] == 503
    server.health.last_tick_at = NOON
    server.health.stage_problems = lambda: ("a pass of gather has made no progress",)
    status, told = await health()
    assert (status, told["problems"]) == (503, ["a pass of gather has made no progress"])
    server.health.stage_problems = tuple

    async def out_of_reach(_: object) -> bytes:
        raise StoreError("database /secret/place is gone")

    server.health.last_tick_at = NOON
    monkeypatch.setattr(type(server.people), "signing_key", out_of_reach)
    status, told = await health()
    assert (status, told["database"]) == (503, "out of reach")
    assert (await web.head(f"{server.url}/healthz")).status == 503


@pytest.mark.parametrize("trouble", ["a full disk", "a disk that became read-only"])
async def test_health_fails_when_the_database_cannot_be_written(
    server: WebServer, web: Web, monkeypatch: pytest.MonkeyPatch, trouble: str
):
    if trouble == "a full disk":
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=4096))
    else:
        async with server.people.database.write() as connection:  # always the same one
            await connection.execute(text("PRAGMA query_only = ON"))
    answer = await web.get(f"{server.url}/healthz")
    assert answer.status == 503
    assert json.loads(await answer.text())["database"] == "cannot be written"


async def test_health_writes_no_more_often_than_twice_a_minute(
    server: WebServer, web: Web, monkeypatch: pytest.MonkeyPatch
):
    probes: list[object] = []

    async def probe(database: object) -> None:
        probes.append(database)

    monkeypatch.setattr(Database, "probe_write", probe)
    for _ in range(5):
        assert (await web.get(f"{server.url}/healthz")).status == 200
    assert len(probes) == 1


async def test_the_details_of_health_are_for_the_operator_only(
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


async def test_metrics_require_the_token(server: WebServer, web: Web):
    async def metrics(header: str | None) -> aiohttp.ClientResponse:
        headers = {"Authorization": header} if header is not None else {}
        return await web.get(f"{server.url}/metrics", headers=headers)

    for header in (None, "", "Bearer", "Bearer wrong", TOKEN, "Bearer é"):
        assert (await metrics(header)).status == 404
    answer = await metrics(f"Bearer {TOKEN}")
    text = await answer.text()
    assert answer.status == 200
    assert 'caveat_stored{what="subscribers"} 2.0' in text
    assert 'caveat_waiting{stage="deliver"} 0.0' in text


async def test_without_a_token_there_are_no_metrics(self_service: SelfService, health: HealthCheck, web: Web):
    async for url in served(application(self_service, health, templates_folder())):
        for header in ({}, {"Authorization": "Bearer "}):
            assert (await web.get(f"{url}/metrics", headers=header)).status == 404
    async for url in served(metrics_application(health)):
        assert (await web.get(f"{url}/metrics")).status == 200
        assert (await web.get(f"{url}/healthz")).status == 200
        assert (await web.get(f"{url}/")).status == 404


async def test_a_site_with_a_path_prefix_is_served_there(
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


async def test_no_page_repeats_a_forged_host(server: WebServer, web: Web):
    for method, url in await pages(server):
        answer = await web.request(method, url, headers={"Host": "evil.example"}, allow_redirects=False)
        assert "evil.example" not in await answer.text() + str(answer.headers)


async def test_search_engines_are_asked_not_to_index(server: WebServer, web: Web):
    assert "Disallow: /" in await (await web.get(f"{server.url}/robots.txt")).text()


class TestPageTexts:
    """The labels exist in thirteen languages."""

    DICTIONARY = PageTexts(templates_folder() / "web" / "words.toml")

    @pytest.mark.parametrize("language", DICTIONARY.languages)
    def test_every_language_has_all_labels_with_the_same_values(self, language: str):
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
    def test_the_preferred_language_of_the_browser_is_used(self, accepted: str, language: str):
        assert self.DICTIONARY.for_accept_language(accepted).language == language


@pytest.mark.parametrize(
    ("address", "shown"),
    [("amina@example.org", "a…a@example.org"), ("ab@x.org", "a…@x.org"), ("a@x.org", "a…@x.org")],
)
def test_an_address_is_masked(address: str, shown: str):
    assert masked(address) == shown
