"""The HTTP API of a running service: one send per key, counted by the mail server."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog

from service.core.errors import StoreError
from service.runtime.service import Service
from tests.app.configs import write_config
from tests.builders import NOON
from tests.deliver.server import Close, MailServer, Reply, Wait
from tests.end_to_end.installation import Clock, free_port, running

TOKEN = "t0ken-of-the-api-0123456789"
PATIENCE = 30
READERS = 5
WHOLE = {"newsletter": "morning", "all": True}


@dataclass
class Program:
    """An API client with the token, and the service and mail server behind it."""

    url: str
    http: aiohttp.ClientSession
    service: Service
    mail: MailServer

    async def __call__(
        self, method: str, path: str, body: object = None, *, key: str = "", **headers: str
    ) -> tuple[int, Any]:
        """Send a request; return the status and the JSON body."""
        named = {"Authorization": f"Bearer {TOKEN}"} | ({"Idempotency-Key": key} if key else {})
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.http.request(method, f"{self.url}{path}", json=body, headers=named)
        return answer.status, await answer.json(content_type=None)

    async def send(self, body: object, key: str = "key", **headers: str) -> tuple[int, Any]:
        return await self("POST", "/sends", body, key=key, **headers)

    async def delivered(self, messages: int) -> Counter[str]:
        """Wait for this number of messages and briefly for more; return the messages per address."""
        async with asyncio.timeout(PATIENCE):
            while len(self.mail.taken) < messages:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.02)
        for line in await self.service.app.queries.issues(limit=1_000):
            assert (line.books.closed, line.paused_at) == (True, None)
        await self.service.app.deliver()
        return Counter(taken.recipient for taken in self.mail.taken)


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    async for program in programs(tmp_path, f"sqlite:///{tmp_path / 'caveat.db'}"):
        yield program


async def programs(tmp_path: Path, storage: str) -> AsyncIterator[Program]:
    port = free_port()
    web = f'web: {{listen: "127.0.0.1:{port}", api_token: {TOKEN}, metrics_token: {TOKEN}}}'
    async with MailServer() as mail:
        folder = tmp_path / "config"
        write_config(folder, storage=storage, smtp_port=mail.port, readers=READERS, web=web)
        # A connection for each request: the server closes idle ones, and on a busy machine one is idle soon.
        lines = aiohttp.TCPConnector(force_close=True)
        async with running(folder, Clock(NOON)) as service, aiohttp.ClientSession(connector=lines) as http:
            await service.app.gather()
            await service.app.condense()
            yield Program(f"http://127.0.0.1:{port}/api", http, service, mail)


# --- a send ------------------------------------------------------------------------------------


async def test_a_send_returns_its_issue_and_the_outbox_delivers_it(program: Program):
    status, told = await program.send({"newsletter": "morning", "to": ["reader1@example.org"]})

    assert (status, told["deliveries"], told["nothing_new"], told["problems"]) == (202, 1, 0, [])
    [issue] = told["issues"]
    assert issue["url"] == f"/api/issues/{issue['id']}"
    assert await program.delivered(1) == {"reader1@example.org": 1}
    status, shown = await program("GET", f"/issues/{issue['id']}")
    assert (status, shown["id"], shown["closed"]) == (200, issue["id"], True)
    assert shown["books"] == {
        "due": 1, "sent": 1, "suppressed": 0, "refused": 0, "uncertain": 0, "waiting": 0,
        "cancelled": 0,
    }  # fmt: skip
    assert await program("GET", "/issues?newsletter=morning&limit=1") == (200, {"issues": [shown]})


async def test_a_hundred_identical_requests_at_once_send_once(tmp_path: Path, database_url: str):
    async for program in programs(tmp_path, database_url):
        answers = await asyncio.gather(*(program.send(WHOLE) for _ in range(100)))

        assert {status for status, _ in answers} == {202}
        assert len({json.dumps(told) for _, told in answers}) == 1
        assert await program.delivered(READERS) == {f"reader{n}@example.org": 1 for n in range(READERS)}
        assert len(await program.service.app.queries.issues()) == 1


@pytest.mark.long
async def test_a_hundred_keys_are_a_hundred_sends(program: Program):
    await program.send(WHOLE, "first")
    asked = {"newsletter": "morning", "to": ["reader0@example.org"], "again": True}
    answers = await asyncio.gather(
        *(program.send(asked, f"key {n}" if n % 2 else f'"k{n}"') for n in range(100))
    )
    assert [status for status, _ in answers].count(400) == 50  # a blank wants quotes
    await asyncio.gather(*(program.send(asked, f'"key {n}"') for n in range(1, 100, 2)))

    assert (await program.delivered(READERS + 100))["reader0@example.org"] == 101
    assert len(await program.service.app.queries.issues(limit=1_000)) == 101


async def test_sends_to_different_readers_are_issues_of_their_own(program: Program):
    asked = [{"newsletter": "morning", "to": [f"reader{n}@example.org"]} for n in range(READERS)]
    answers = await asyncio.gather(*(program.send(one, f"k{n}") for n, one in enumerate(asked)))

    assert len({told["issues"][0]["id"] for _, told in answers}) == READERS
    assert set((await program.delivered(READERS)).values()) == {1}


async def test_an_address_named_twice_gets_one_mail(program: Program):
    twice = ["reader1@example.org", "Reader1@EXAMPLE.org", "reader1@example.org"]
    assert (await program.send({"newsletter": "morning", "to": twice}))[1]["deliveries"] == 1
    assert await program.delivered(1) == {"reader1@example.org": 1}


async def test_a_repeated_request_returns_the_send_of_a_lost_response(program: Program):
    async def crash(_stage: str, _items: int) -> None:
        raise ConnectionError

    app, notify_workers = program.service.app, program.service.app.notify_workers
    app.notify_workers = crash
    assert (await program.send(WHOLE))[0] == 500
    app.notify_workers = notify_workers
    [planned] = await app.queries.issues()
    assert (await program.send(WHOLE))[1]["issues"][0]["id"] == planned.id
    await program.service.sweep()
    assert await program.delivered(READERS) == {f"reader{n}@example.org": 1 for n in range(READERS)}


async def test_the_same_key_for_another_request_is_refused(program: Program):
    await program.send(WHOLE)
    for other in ({**WHOLE, "again": True}, {"newsletter": "morning", "to": ["reader1@example.org"]}):
        status, told = await program.send(other)
        assert (status, "used for another send" in told["detail"]) == (422, True)
    assert (await program.send(WHOLE, '"key"'))[0] == 202  # the same key, written as the draft does


async def test_a_subscriber_without_new_articles_is_sent_nothing(program: Program):
    await program.send(WHOLE)
    for _ in range(2):
        status, told = await program.send(WHOLE, "other")
        assert (status, told["issues"], told["nothing_new"]) == (200, [], READERS)
    assert sum((await program.delivered(READERS)).values()) == READERS


async def test_a_suppressed_subscriber_is_named_in_each_response(program: Program):
    await program.service.app.subscribers.suppress("reader1@example.org", "complained", NOON)
    named = {"newsletter": "morning", "to": ["reader1@example.org", "reader2@example.org"]}
    out = [{"address": "reader1@example.org", "why": "must not be mailed: complained"}]
    for body in (named, named, {**named, "dry_run": True}):
        assert (await program.send(body))[1]["left_out"] == out
    assert await program.delivered(1) == {"reader2@example.org": 1}


async def test_a_dry_run_reports_the_plan_and_records_nothing(program: Program):
    status, told = await program("POST", "/sends", {**WHOLE, "dry_run": True})

    assert (status, told["deliveries"], told["dry_run"]) == (200, READERS, True)
    assert [(i["readers"], i["stories"]) for i in told["issues"]] == [(READERS, 1)]
    assert await program.service.app.queries.issues() == []


async def test_an_issue_is_paused_and_resumed(program: Program):
    turn = program.service.app.stage_locks["deliver"]
    async with turn:
        _, told = await program.send(WHOLE)
        path = told["issues"][0]["url"].removeprefix("/api")
        for _ in range(2):
            status, paused = await program("POST", f"{path}/pause")
            assert (status, paused["paused_at"], paused["books"]["waiting"]) == (
                200,
                NOON.isoformat(),
                READERS,
            )
    await program.service.app.deliver()
    assert program.mail.taken == []
    status, resumed = await program("POST", f"{path}/resume")
    assert (status, resumed["paused_at"]) == (200, None)
    assert sum((await program.delivered(READERS)).values()) == READERS


async def test_each_metric_changes_with_a_send(program: Program):
    """The counters belong to the process, so the test compares their increase."""

    async def figures() -> dict[str, float]:
        page = await program.http.get(
            program.url.replace("/api", "/metrics"), headers={"Authorization": f"Bearer {TOKEN}"}
        )
        lines = [line for line in (await page.text()).splitlines() if line.startswith("caveat_deliver")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    answer = Wait(asyncio.Event())
    program.mail.script = {
        "RCPT": {2: Reply("550 5.1.1 no such user"), 3: Reply("452 4.2.2 mailbox full")},
        "DOT": {1: answer, 2: Close(taking=True)},
    }
    before = await figures()
    await program.send(WHOLE)
    await asyncio.wait_for(answer.reached.wait(), PATIENCE)
    assert (await figures())["caveat_deliveries_in_doubt"] > before["caveat_deliveries_in_doubt"]
    answer.event.set()
    [line] = await program.service.app.queries.issues()
    async with asyncio.timeout(PATIENCE):
        while line.books.sent < READERS - 3 or not line.books.uncertain:
            await asyncio.sleep(0.02)
            [line] = await program.service.app.queries.issues()

    after = await figures()
    moved = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    outcomes = {
        name.split(chr(34))[1]: by for name, by in moved.items() if name.startswith("caveat_deliveries_total")
    }
    assert outcomes == {"sent": 2, "refused_address": 1, "deferred": 1, "uncertain": 1}
    assert moved["caveat_delivery_attempts_total"] == 3
    assert moved["caveat_delivery_seconds_count"] == 3
    assert moved["caveat_delivery_age_seconds_count"] == 2
    assert moved["caveat_deliveries_uncertain"] == 1


# --- access ----------------------------------------------------------------------------------


PATHS = ("/sends", "/issues", "/issues/x", "/issues/x/pause", "/nowhere", "")


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer no", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"]
)
async def test_without_the_token_nothing_is_revealed(program: Program, given: str):
    for method, path in product(("GET", "POST", "OPTIONS"), PATHS):
        headers = {"Authorization": given} if given else {}
        answer = await program.http.request(method, program.url + path, headers=headers, json=WHOLE)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="caveat"')
        assert ("invalid_token" in answer.headers["WWW-Authenticate"]) == bool(given)
        assert answer.content_type == "application/problem+json"


async def test_without_a_token_in_the_settings_there_is_no_api(tmp_path: Path):
    port = free_port()
    folder = tmp_path / "config"
    write_config(
        folder,
        storage="sqlite:///../x.db",
        smtp_port=1,
        readers=1,
        web=f'web: {{listen: "127.0.0.1:{port}"}}',
    )
    async with running(folder, Clock(NOON)), aiohttp.ClientSession() as http:
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}):
            answer = await http.post(f"http://127.0.0.1:{port}/api/sends", json=WHOLE, headers=headers)
            assert (answer.status, "WWW-Authenticate" in answer.headers) == (404, False)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"newsletter": "mornin", "all": True}, "Did you mean morning?"),
    ({"newsletter": 7, "all": True}, "`newsletter`"),
    ({"newsletter": "morning"}, "either"),
    ({"newsletter": "morning", "all": False}, "either"),
    ({**WHOLE, "to": ["reader1@example.org"]}, "either"),
    ({**WHOLE, "all": "yes"}, "true or false"),
    ({**WHOLE, "agian": True}, "there is no field 'agian'".capitalize()),
    ({"newsletter": "morning", "to": []}, "list of addresses"),
    ({"newsletter": "morning", "to": "reader1@example.org"}, "list of addresses"),
    ({"newsletter": "morning", "to": [None]}, "list of addresses"),
    ({"newsletter": "morning", "to": ["reader99@example.org"]}, "Nobody at"),
    ({"newsletter": "morning", "to": ["\ud800\0"]}, "Nobody at"),
    ({"newsletter": "morning", "to": ["x@example.org"] * 1_001}, "1,000 readers"),
]


async def test_an_invalid_send_is_refused_with_a_sentence(program: Program):
    for body, said in REFUSED:
        status, told = await program.send(body)
        assert (status, told["status"], told["title"]) == (422, 422, "Unprocessable Entity")
        assert said in told["detail"]
        assert told["detail"].endswith((".", "?"))
    assert await program.service.app.queries.issues() == []


async def test_an_invalid_key_is_refused(program: Program):
    for key in ("", '""', "a b", "a,b", '"open', "x" * 256, '"a"b', "é"):
        status, told = await program.send(WHOLE, key)
        assert (status, "Idempotency-Key" in told["detail"]) == (400, True)
    assert await program.service.app.queries.issues() == []


BODIES = [
    (b"{", "application/json", 400),
    (b"[]", "application/json", 400),
    (b"\xff", "application/json", 400),
    (b"[" * 100_000, "application/json", 400),
    (b"1" * 5_000, "application/json", 400),
    (b'{"newsletter": "' + b"x" * 300_000 + b'"}', "application/json", 413),
    (b'{"newsletter": "morning", "all": true}', "text/plain", 415),
    (b"newsletter=morning", "application/x-www-form-urlencoded", 415),
]


async def test_bodies_have_a_size_limit_and_a_content_type(program: Program):
    for data, kind, status in BODIES:
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "k", "Content-Type": kind}
        answer = await program.http.post(f"{program.url}/sends", data=data, headers=headers)
        assert (answer.status, answer.content_type) == (status, "application/problem+json")


async def test_an_unknown_path_is_a_problem_response(program: Program):
    for method, path, status in (
        ("GET", "/issues/4a66", 404),
        ("POST", "/issues/4a66/pause", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/sends", 405),
        ("OPTIONS", "/sends", 405),
        ("POST", "/sends/", 404),
        ("GET", "/issues?limit=0", 422),
        ("GET", "/issues?limit=²", 422),
        ("GET", "/issues?limit=101", 422),
        ("GET", "/issues?limit=0001", 422),
        ("GET", f"/issues?limit={'0' * 1990}1999", 422),
        ("GET", f"/issues?limit={'9' * 1990}", 422),
        ("GET", "/issues?limit=", 422),
        ("GET", "/issues?limit=%2B5", 422),
        ("GET", "/issues?limit=1e1", 422),
        ("GET", "/issues?limit=5&limit=6", 422),
        ("GET", "/issues?newsletter=%00", 422),
        ("GET", "/issues?newsletter=", 422),
        ("GET", "/issues?newsletter=a&newsletter=b", 422),
        ("GET", "/issues/%00", 404),
        ("POST", "/issues/%00/pause", 404),
    ):
        found, told = await program(method, path)
        assert (found, told["status"]) == (status, status), path


async def test_no_response_allows_another_site(program: Program):
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": "https://evil.example"}
    answer = await program.http.get(f"{program.url}/issues", headers=headers)
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_unreachable_database_is_a_503(program: Program, monkeypatch: pytest.MonkeyPatch):
    async def lost(*_args: object, **_names: object) -> None:
        raise StoreError("the database at 10.0.0.1 was lost")

    monkeypatch.setattr(type(program.service.app.queries), "issues", lost)
    status, told = await program("GET", "/issues")
    assert (status, "10.0.0.1" in told["detail"]) == (503, False)


async def test_the_token_and_addresses_are_in_no_log(program: Program, caplog: pytest.LogCaptureFixture):
    with structlog.testing.capture_logs() as logs:
        await program.send(WHOLE)
        await program.send({"newsletter": "morning", "to": ["reader99@example.org"]}, "other")
        with (
            suppress(ConnectionError),
            socket.create_connection(("127.0.0.1", int(program.url[17:-4]))) as line,
        ):
            line.sendall(f"GET /api/issues HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\nx".encode())
        await program.delivered(READERS)
    said = f"{logs}{caplog.text}"
    assert "stage_finished" in said
    assert TOKEN not in said
    assert "reader" not in said
