"""/api/v1 on a running server: what each resource answers, and what happens to bad requests."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.app.accounts.audit import SqlAuditStore
from service.app.api.tokens import revoke_token
from service.core.model import SubscriptionStatus
from service.store.database import Database
from service.web.api.operations import Operation
from service.web.api.resources import OPERATIONS
from tests.end_to_end.installation import Clock
from tests.web.api.conftest import ApiSite, api_sites

ALL = {"newsletter": "morning", "all": True}


@pytest.fixture
async def both(database: Database, tmp_path: Path, clock: Clock) -> AsyncIterator[ApiSite]:
    """Give an installation twice: on SQLite and on PostgreSQL."""
    async for site in api_sites(database, tmp_path / "config", clock):
        yield site


# --- resources ---------------------------------------------------------------------------------


async def test_a_send_is_planned_once_for_its_key_and_followed_until_it_has_ended(both: ApiSite):
    answers = await asyncio.gather(*(both("POST", "/sends", ALL, Idempotency_Key='"one"') for _ in range(20)))
    assert {answer.status for answer in answers} == {202}
    [text] = {answer.text for answer in answers}
    send = json.loads(text)
    assert send["deliveries"] | {"waiting": 2} == send["deliveries"]
    path = answers[0].headers["Location"].removeprefix("/api/v1")
    assert (await both("GET", path)).body == send

    await both.app.deliver()
    events = (await both("GET", f"{path}/events")).text
    last = json.loads([line for line in events.splitlines() if line.startswith('data: {"id')][-1][6:])
    assert (last["deliveries"]["sent"], last["is_finished"]) == (2, True)
    assert "event: done" in events
    other = await both("POST", "/sends", {**ALL, "again": True}, Idempotency_Key="one")
    assert (other.status, other.body["detail"].partition(";")[0]) == (
        422, "This key was used for another send before",
    )  # fmt: skip


async def test_an_issue_shows_its_content_and_each_persons_delivery(both: ApiSite):
    sent = await both("POST", "/sends", ALL, Idempotency_Key="one")
    await both.app.deliver()
    first, second = [f"/issues/{issue}" for issue in sent.body["issues"]]
    issue = (await both("GET", first)).body
    assert (issue["newsletter"], issue["deliveries"]["sent"], issue["is_finished"]) == ("morning", 1, True)
    content = (await both("GET", f"{first}/content")).body
    [story] = content["stories"]
    assert story["headline"] in (await both("GET", f"{first}/content?form=text")).text
    assert story["headline"] in (await both("GET", f"{first}/content?form=html")).text
    deliveries = [(await both("GET", f"{path}/deliveries")).body["items"] for path in (first, second)]
    assert {one["address"] for [one] in deliveries} == {"amina@example.org", "ben@example.org"}
    assert (await both("GET", f"{first}/deliveries?state=refused")).body == {"items": [], "next_cursor": None}


async def test_an_issue_is_paused_and_resumed(both: ApiSite):
    sent = await both("POST", "/sends", ALL, Idempotency_Key="one")
    path = f"/issues/{sent.body['issues'][0]}"
    assert (await both("POST", f"{path}/pause")).body["paused_at"]
    await both.app.deliver()
    assert (await both("GET", path)).body["deliveries"]["waiting"] == 1
    assert (await both("POST", f"{path}/resume")).body["paused_at"] is None
    await both.app.deliver()
    assert (await both("GET", path)).body["is_finished"]


async def test_pages_of_a_list_have_every_item_once(both: ApiSite):
    for n in range(5):
        body = {"email": f"reader{n}@example.org", "newsletters": ["morning"], "consent": "given"}
        assert (await both("POST", "/subscribers", body)).status == 201
    for path, size in (("/subscribers", 7), ("/articles", 5), ("/articles?order=oldest", 5)):
        found, query = [], "&limit=2" if "?" in path else "?limit=2"
        page = (await both("GET", path + query)).body
        while page["items"]:
            found += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            page = (await both("GET", f"{path}{query}&cursor={page['next_cursor']}")).body
        assert len(found) == len(set(found)) == size, path


async def test_a_person_is_added_with_consent_changed_paused_unsubscribed_and_erased(both: ApiSite):
    new = {"email": "Carla@Example.org", "newsletters": ["morning"], "consent": "given", "name": "Carla",
           "preferences": {"stories": 3, "follow": ["bridge"]}}  # fmt: skip
    added = await both("POST", "/subscribers", new)
    assert (added.status, added.body["is_new"]) == (201, True)
    path = added.headers["Location"].removeprefix("/api/v1")
    again = await both("POST", "/subscribers", new)
    assert (again.status, again.body["is_new"], again.body["subscriber"]) == (
        200,
        False,
        added.body["subscriber"],
    )

    change = {"preferences": {"stories": None, "points": 2}, "status": "paused", "paused_until": "2026-03-10"}
    [changed] = (await both("PATCH", f"{path}/newsletters/morning", change)).body["subscriptions"]
    assert (changed["preferences"]["stories"], changed["preferences"]["points"]) == (None, 2)
    assert (changed["preferences"]["follow"], changed["paused_until"]) == (["bridge"], "2026-03-10")
    [resumed] = (await both("POST", f"{path}/resume", {"newsletter": "morning"})).body["subscriptions"]
    assert resumed["status"] == "active"
    gone = (await both("POST", f"{path}/unsubscribe", {})).body
    assert (gone["subscriptions"][0]["status"], gone["suppressed"]) == (
        "unsubscribed", "unsubscribed from everything",
    )  # fmt: skip
    refused = await both("POST", "/subscribers", new)
    assert (refused.status, "must not be mailed" in refused.body["detail"]) == (422, True)

    assert (await both("DELETE", path)).status == 204
    assert (await both("GET", path)).status == 404
    assert "carla" not in (await both("GET", "/subscribers")).text.lower()


async def test_a_person_who_is_asked_gets_a_mail_and_no_subscription(empty_api: ApiSite):
    new = {"email": "carla@example.org", "newsletters": ["evening"], "consent": "ask"}
    asked = await empty_api("POST", "/subscribers", new)
    known = await empty_api("POST", "/subscribers", {**new, "email": "amina@example.org"})
    assert (
        (asked.status, asked.body)
        == (known.status, known.body)
        == (202, {"subscriber": None, "is_new": False})
    )
    assert (await empty_api("GET", "/subscribers?email=carla@example.org")).body["items"] == []
    assert (await empty_api.app.deliver()).sent == 2
    closed = await empty_api("POST", "/subscribers", {**new, "newsletters": ["morning"]})
    assert (closed.status, "no newsletter 'morning'" in closed.body["detail"]) == (422, True)


async def test_a_feed_is_removed_from_its_file_and_one_without_a_feed_is_not_added(api: ApiSite):
    [feed] = (await api("GET", "/feeds")).body["items"]
    assert (feed["articles"], feed["is_healthy"], feed["days"][-1]) == (5, True, 5)
    answer = await api("POST", "/feeds", {"url": "https://courier.invalid/feed"})
    assert (answer.status, "leads to no feed" in answer.body["detail"]) == (422, True)
    file = api.app.settings.folder / "feeds.yaml"
    file.write_text("# our feeds\n" + file.read_text())
    assert (await api("DELETE", f"/feeds/{feed['id']}")).status == 204
    text = file.read_text()
    assert ("# our feeds" in text, "courier" in text) == (True, False)
    assert [(await api("GET", "/feeds")).body["items"][0]["is_active"]] == [False]
    backups = file.parent.parent.rglob("feeds.yaml")
    assert any("courier" in one.read_text() for one in backups)
    assert (await api("DELETE", f"/feeds/{feed['id']}")).status == 404


async def test_subscribers_are_searched_filtered_and_paged(both: ApiSite):
    for n in range(5):
        body = {"email": f"reader{n}@example.org", "newsletters": ["evening"], "consent": "given"}
        await both("POST", "/subscribers", body)
    await both.app.subscribers.suppress("reader3@example.org", "complained", both.clock())

    async def found(query: str) -> list[str]:
        people, cursor = [], ""
        while cursor is not None:
            answer = await both("GET", f"/subscribers?limit=2&{query}{cursor and '&cursor='}{cursor}")
            assert answer.status == 200, answer.text
            people += [item["email"].removesuffix("@example.org") for item in answer.body["items"]]
            cursor = answer.body["next_cursor"]
        return people

    assert await found("search=READER") == ["reader4", "reader3", "reader2", "reader1", "reader0"]
    assert sorted(await found("newsletter=morning")) == ["amina", "ben"]
    assert await found("newsletter=evening&search=min") == ["amina"]
    assert await found("suppressed=true") == ["reader3"]
    assert await found("status=paused") == []
    assert await found("search=%25") == await found("search=' OR 1=1 --") == []
    [amina] = (await both("GET", "/subscribers?search=amina")).body["items"]
    assert [one["newsletter"] for one in amina["subscriptions"]] == ["evening", "morning"]
    page = await both("GET", "/subscribers?limit=1&search=reader")
    other = f"/subscribers?limit=1&search=ben&cursor={page.body['next_cursor']}"
    assert (await both("GET", other)).status == 422
    for query in ("status=nope", "email=ben@example.org&search=b", "suppressed=perhaps"):
        assert (await both("GET", f"/subscribers?{query}")).status == 422, query


async def test_a_summary_is_what_the_command_line_prints(api: ApiSite):
    text = (await api("GET", "/articles?limit=1&order=oldest")).body["items"][0]
    article = (await api("GET", f"/articles/{text['id']}")).body
    made = (await api("POST", "/summarize", {"text": article["text"]})).body
    line = json.dumps({"text": article["text"]})
    command = [sys.executable, "-m", "service", "summarize", "--json", "--input", "jsonl"]
    printed = await asyncio.to_thread(subprocess.run, command, input=line, capture_output=True, text=True)
    assert made == json.loads(printed.stdout)
    page = f"<html><title>T</title><body><article><p>{article['text']}</p></article></body></html>"
    assert (await api("POST", "/summarize", {"html": page})).body["key_points"]


async def test_a_preview_shows_the_edition_of_a_reader(api: ApiSite):
    own, hers = "/newsletters/morning/preview", "/newsletters/morning/preview?reader=amina@example.org"
    assert (await api("GET", own)).body["stories"]
    assert "Amina" in (await api("GET", f"{hers}&form=html")).text
    only = await api.token_for("previews:read")
    assert (await api("GET", own, token=only)).status == 200
    assert (await api("GET", hers, token=only)).status == 403
    nobody = await api("GET", f"{own}?reader=nobody@example.org")
    assert (nobody.status, "nobody at" in nobody.body["detail"].lower()) == (422, True)


async def test_an_unchanged_resource_is_not_sent_again(empty_api: ApiSite):
    first = await empty_api("GET", "/newsletters")
    again = await empty_api("GET", "/newsletters", If_None_Match=first.headers["ETag"])
    assert (again.status, again.text, again.headers["ETag"]) == (304, "", first.headers["ETag"])
    assert (await empty_api("GET", "/newsletters", If_None_Match='"other"')).status == 200


# --- attacks -----------------------------------------------------------------------------------


async def test_every_operation_needs_a_token_and_its_scope(empty_api: ApiSite):
    other = {scope: await empty_api.token_for(*{one.scope for one in OPERATIONS} - related(scope))
             for scope in {one.scope for one in OPERATIONS}}  # fmt: skip
    for operation in OPERATIONS:
        path = operation.path.replace("{", "").replace("}", "")
        assert (await empty_api(operation.method, path, token="")).status == 401, operation.id
        answer = await empty_api(operation.method, path, token=other[operation.scope])
        assert (answer.status, answer.headers["Content-Type"]) == (403, "application/problem+json"), (
            operation.id
        )
        assert operation.scope in answer.body["detail"]


def related(scope: str) -> set[str]:
    """Return the scopes that permit what this one permits."""
    return {scope, scope.replace(":read", ":write")}


async def test_a_revoked_token_stops_working_at_once(empty_api: ApiSite):
    short = await empty_api.token_for("issues:read")
    assert (await empty_api("GET", "/issues", token=short)).status == 200
    await revoke_token(empty_api.app, short.split("_")[1])
    answer = await empty_api("GET", "/issues", token=short)
    assert (answer.status, "invalid_token" in answer.headers["WWW-Authenticate"]) == (401, True)


async def test_a_malformed_authorization_is_401(empty_api: ApiSite):
    for header in ("", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Token x", "Bearer " + "a" * 5_000):
        assert (await empty_api("GET", "/issues", Authorization=header)).status == 401, header


async def test_no_change_of_one_character_is_a_token(empty_api: ApiSite):
    token = empty_api.token
    changed = [token[:n] + ("A" if c != "A" else "B") + token[n + 1 :] for n, c in enumerate(token)]
    for forged in (*changed, token[:-1], token + "A", token.swapcase(), token + "=", token + "%0a"):
        assert (await empty_api("GET", "/issues", token=forged)).status == 401, forged
    assert (await empty_api("GET", "/issues")).status == 200


async def test_a_body_of_a_thousand_levels_or_of_strange_text_is_refused(empty_api: ApiSite):
    typed = {"Content_Type": "application/json"}
    usual = '{"email": "zoe@example.org", "newsletters": ["morning"], "consent": "given", "name": %s}'
    names = (
        r'"\ud800"',
        r'"\u0000"',
        "1" + "0" * 5_000,
        "[" * 5_000,
        '{"a":' * 5_000,
        '"' + "a" * 60_000 + '"',
    )
    for body in (*(usual % name for name in names), "[" * 60_000, "\x00", '{"email": 1, "email": 2}'):
        answer = await empty_api("POST", "/subscribers", body.encode(), **typed)
        assert answer.status in (400, 413, 422), body[:100]
    for extra in ("id", "role", "status", "is_suppressed", "__class__"):
        answer = await empty_api("POST", "/subscribers", (usual % f'"Zoe", "{extra}": "x"').encode(), **typed)
        assert (answer.status, answer.body["errors"][0]["field"]) == (422, extra)
    assert (await empty_api("GET", "/subscribers?email=zoe@example.org")).body["items"] == []


async def test_a_cursor_with_a_changed_character_or_of_another_list_is_refused(api: ApiSite):
    cursor = (await api("GET", "/articles?limit=1")).body["next_cursor"]
    wrong = [cursor[:n] + ("A" if c != "A" else "B") + cursor[n + 1 :] for n, c in enumerate(cursor)]
    for text in (*wrong[::7], cursor + "x", "x", "1", "' OR 1=1--"):
        answer = await api("GET", f"/articles?limit=1&cursor={text}")
        assert (answer.status, answer.body["errors"][0]["field"]) == (422, "cursor"), text
    assert (await api("GET", f"/subscribers?cursor={cursor}")).status == 422
    assert (await api("GET", f"/articles?order=oldest&cursor={cursor}")).status == 422


BAD_PATHS = (
    ("GET", "/subscribers/amina@example.org", 404),
    ("GET", "/subscribers/%00", 404),
    ("GET", "/issues/%27%20OR%201=1", 404),
    ("GET", "/issues/..%2f..%2fetc", 404),
    ("DELETE", "/subscribers/" + "a" * 32, 404),
    ("PATCH", "/subscribers/x/newsletters/morning", 415),
    ("GET", "/sends/" + "0" * 32, 404),
    ("GET", "/nothing", 404),
    ("GET", "/", 404),
    ("GET", "/subscribers/%0Aa", 404),
    ("GET", "/issues/" + "a" * 3_000, 404),
    ("PUT", "/subscribers", 405),
    ("GET", "/subscribers?limit=9999", 422),
    ("GET", "/subscribers?sort=email", 422),
    ("GET", "/issues?newsletter=%00", 422),
    ("GET", "/newsletters/morning/preview?at=9999-12-31T00:00:00Z", 422),
    ("GET", "/newsletters/morning/preview?at=2026-03-02", 422),
    ("GET", "/newsletters/morning/preview?theme=../../etc/passwd", 422),
)
"""Method and path of a request, and the status of the response."""


async def test_a_bad_path_or_query_gets_a_problem_with_a_sentence(empty_api: ApiSite):
    for method, path, status in BAD_PATHS:
        answer = await empty_api(method, path)
        assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json"), path
        assert answer.body["status"] == status
        assert answer.body["detail"].endswith((".", "?"))


BAD_BODIES = (
    (b"{", 400, "not JSON"),
    (b"[" * 100_000, 400, "not JSON"),
    (b'"text"', 422, "JSON object"),
    (b'{"text": "a", "text2": "b"}', 422, "no field `text2`"),
    (b'{"text": 5}', 422, "`text`"),
    (b'{"points": 1}', 422, "either `text` or `html`"),
    (b'{"text": "a", "html": "b"}', 422, "either `text` or `html`"),
    (b'{"text": "a", "points": "3"}', 422, "`points`"),
    (b'{"text": "a", "points": 1e400}', 422, "`points`"),
    (b'{"text": "a", "method": "nosuch"}', 422, "keypoints"),
    (b'{"text": "a", "language": "no language"}', 422, "language"),
    (b'{"text": "' + b"a" * 300_001 + b'"}', 422, "`text`"),
    (b'{"text": "' + b"a" * 2_200_000 + b'"}', 413, "larger"),
)
"""Body of a request, status of the response, and words of its sentence."""


async def test_a_bad_body_gets_a_problem_with_a_sentence(empty_api: ApiSite):
    for body, status, words in BAD_BODIES:
        answer = await empty_api("POST", "/summarize", body, Content_Type="application/json")
        assert (answer.status, words in answer.body["detail"]) == (status, True), answer.text


async def test_a_body_of_another_type_is_refused(empty_api: ApiSite):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert (await empty_api("POST", "/summarize", b'{"text": "a"}', Content_Type=kind)).status == 415


async def test_too_many_requests_wait_for_the_next_minute(empty_api: ApiSite, clock: Clock):
    mine, other = [await empty_api.token_for("feeds:write") for _ in range(2)]
    for _ in range(60):  # a new feed costs ten requests
        assert (await empty_api("POST", "/feeds", {}, token=mine)).status == 422
    refused = await empty_api("GET", "/feeds", token=mine)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "60")
    assert refused.headers["RateLimit"] == '"default";r=0;t=60'
    assert (await empty_api("GET", "/feeds", token=other)).status == 200
    clock.at += timedelta(minutes=1)
    assert (await empty_api("GET", "/feeds", token=mine)).status == 200


async def test_private_addresses_are_not_requested_for_a_new_feed(empty_api: ApiSite):
    before = (empty_api.app.settings.folder / "feeds.yaml").read_bytes()
    for url in (
        "http://127.0.0.1:1/feed", "http://localhost/feed", "http://[::1]/", "http://169.254.169.254/latest",
        "http://10.0.0.1/", "http://0x7f000001/", "file:///etc/passwd", "file:courier.xml", "gopher://x/",
        "http://127.0.0.1.nip.io.invalid/", "https://", "http://[", "example.org",
    ):  # fmt: skip
        answer = await empty_api("POST", "/feeds", {"url": url})
        assert answer.status == 422, url
    assert (empty_api.app.settings.folder / "feeds.yaml").read_bytes() == before


async def test_a_request_with_two_lengths_is_not_read_as_two(empty_api: ApiSite):
    """Request smuggling (CWE-444): a second request inside the body is never answered."""
    host, port = empty_api.url.removeprefix("http://").split(":")
    inner = b"GET /api/v1/issues HTTP/1.1\r\nHost: x\r\n\r\n"
    head = f"POST /api/v1/summarize HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {empty_api.token}\r\n"
    for lengths in (
        "Content-Length: 0\r\nContent-Length: 44\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Content-Length: +44\r\n",
    ):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{head}{lengths}\r\n".encode() + b"0\r\n\r\n" + inner)
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        assert answer.count(b"HTTP/1.1 ") == 1, lengths
        assert answer.split()[1] in (b"400", b"415"), lengths


async def test_each_change_is_in_the_audit_record_with_the_name_of_the_token(api: ApiSite):
    sent = await api("POST", "/sends", ALL, Idempotency_Key="one")
    await api("POST", f"/issues/{sent.body['issues'][0]}/pause")
    [amina] = (await api("GET", "/subscribers?email=amina@example.org")).body["items"]
    await api("POST", f"/subscribers/{amina['id']}/pause", {})
    entries = [entry for _, entry in await SqlAuditStore(api.app.database).page(None, 10)]
    assert [entry.action for entry in entries] == ["subscriber_paused", "issue_paused", "send_planned"]
    assert {entry.name for entry in entries} == {"API token program"}
    assert api.token not in repr(entries)
    found = await api.app.subscribers.memberships(email="amina@example.org")
    assert {one.subscription.status for one in found} == {SubscriptionStatus.PAUSED}


def test_every_operation_that_changes_something_needs_a_write_scope():
    def changes(operation: Operation) -> bool:
        return operation.method != "GET" and operation.path not in ("/sends/preview", "/summarize")

    assert all(one.scope.endswith(":write") is changes(one) for one in OPERATIONS)
