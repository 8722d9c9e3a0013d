"""Attacks with requests: other hosts, other addresses, bodies that are no form, strange paths."""

from __future__ import annotations

import asyncio
import time

import pytest

from service.app.accounts.audit import entries
from service.web import request_bodies
from service.web.request_bodies import MAX_BODY_BYTES
from tests.web.admin.conftest import EditorsSite

FORM = "application/x-www-form-urlencoded"
OTHER_HOSTS = (
    "evil.example",
    "evil.example:8080",
    "news.example.org.evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "news.example.org@evil.example",
    "[",
    "[::1",
    "",
    "..",
)
OWN_HOSTS = ("news.example.org", "NEWS.example.org:443", "localhost:8080", "127.0.0.1", "[::1]:8080")
OUTSIDE = ("203.0.113.7", "10.0.0.1", "::ffff:203.0.113.7", "unknown", "127.0.0.1.x", "127.0.0.1, 10.0.0.1")
NO_FORMS = (
    ("application/json", b'{"csrf": "x"}', 415),
    ("text/plain", b"csrf=x", 415),
    ("", b"csrf=x", 415),
    ("multipart/form-data", b"no boundary", 400),
    ("multipart/form-data; boundary=x", b"--y\r\n\r\n--y--", 400),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--", 400),
    (FORM, b"\xff\xfe=%00%ff%zz&csrf", 403),
    (f"{FORM}; charset=utf-7", b"csrf=+ADw-", 403),
)
"""Content type, body and the status of the answer."""

NO_ASSETS = (
    "base.html",
    "login.html",
    "../base.html",
    "..%2fbase.html",
    "%2e%2e/%2e%2e/etc/passwd",
    "..%5c..%5cbase.html",
    "style.css%00.html",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "STYLE.CSS",
    "style.css/",
)
CODECS = (
    "undefined",  # raises an error for any text
    "utf-8\0",
    "unicode_escape",  # makes a lone surrogate of six ASCII characters
    "raw_unicode_escape",
    "utf-16",
    "punycode",  # takes quadratic time
    "zlib",
    "'; boundary=y",
)
"""Codecs of Python and other texts that a client can name as the charset of a form."""

STRANGE_PATHS = (
    "/access/accounts/%00",
    "/access/accounts/%ff%fe",
    "/access/accounts/" + "x" * 1_500,
    "/access/accounts/'%20or%201=1--",
    "/access/audit?before=" + "9" * 40,
    "/access/audit?before=%00",
    "/access/audit?before=-1",
    "/access/audit?before=1;drop table accounts",
    "/access/audit?before=٣",
    "/access?done=%3Cscript%3E",
)


async def whole(url: str, request: str, *, seconds: float = 10) -> str:
    """Send a request as it is, after which the server closes the connection; return the response."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request.encode())
    try:
        return (await asyncio.wait_for(reader.read(), seconds)).decode()
    finally:
        writer.close()


async def raw(url: str, request: str, *, seconds: float = 10) -> str:
    """Send a request as it is; return the first line of the response."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request.encode())
    await writer.drain()
    try:
        return (await asyncio.wait_for(reader.readline(), seconds)).decode()
    finally:
        writer.close()


async def test_another_host_is_refused(editors: EditorsSite):
    """DNS rebinding: a page of evil.example points its own name at this machine."""
    for host in OTHER_HOSTS:
        answer = await raw(editors.url, f"GET /admin/login HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert answer.split(" ")[1] in ("421", "400"), host
    for host in OWN_HOSTS:
        answer = await raw(editors.url, f"GET /admin/login HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert answer.split(" ")[1] == "200", host


async def test_a_forged_host_is_in_no_link(editors: EditorsSite):
    forged = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    answer = await editors.nobody().http.get(f"{editors.url}/admin/login", headers=forged)
    assert "evil.example" not in await answer.text() + str(answer.headers)


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/admin/login",
        "//evil.example/admin",
        "/admin//evil.example/",
        "/admin/\\evil.example",
    ],
)
async def test_no_target_and_no_forwarded_host_leads_to_another_site(editors: EditorsSite, target: str):
    """A request can name a site in the target (absolute form, RFC 9112, 3.2.2) and in headers of proxies."""
    request = (
        f"GET {target} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: evil.example\r\n"
        "Forwarded: host=evil.example\r\nX-Forwarded-Prefix: //evil.example\r\nConnection: close\r\n\r\n"
    )
    head, _, page = (await whole(editors.url, request)).partition("\r\n\r\n")
    assert head.split()[1] in ("303", "404", "400")
    assert "evil" not in head
    assert "evil" not in page


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
async def test_no_header_or_parameter_makes_a_change_of_a_link(editors: EditorsSite, header: str):
    eddie = await editors.log_in("eddie")
    await eddie.get("/account")
    address = f"{eddie.url}/admin/logout?_method=POST&csrf={eddie.csrf}"
    answer = await eddie.http.get(address, headers={header: "POST"})
    assert answer.status == 405
    assert (await eddie.get("/account"))[0] == 200


async def test_an_address_outside_the_networks_is_refused_before_all_else(editors: EditorsSite):
    ada = await editors.log_in("ada")
    for client in OUTSIDE:
        forwarded = {"X-Forwarded-For": client}
        for path in ("/", "/login", "/welcome/x", "/account", "/logged-out"):
            answer = await ada.http.get(f"{editors.url}/admin{path}", headers=forwarded)
            assert answer.status == 403, (client, path)
        answer = await ada.http.post(f"{editors.url}/admin/login", headers=forwarded)
        assert answer.status == 403, client


async def test_a_body_that_is_too_large_is_refused_unread(editors: EditorsSite):
    ada, large = await editors.log_in("ada"), b"a=" + b"x" * MAX_BODY_BYTES
    for path in ("/login", "/account/password", "/welcome/x"):
        answer = await ada.http.post(f"{editors.url}/admin{path}", data=large, headers={"Content-Type": FORM})
        assert answer.status == 413, path
    announced = f"POST /admin/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\n"
    assert " 413 " in await raw(editors.url, f"{announced}Content-Length: 99999999999\r\n\r\n")
    fields = "&".join(["a=1"] * 2_000)
    answer = await ada.http.post(
        f"{editors.url}/admin/account/email", data=fields, headers={"Content-Type": FORM}
    )
    assert answer.status == 413


async def test_a_slow_body_is_cut_off(editors: EditorsSite, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(request_bodies, "BODY_SECONDS", 0.2)
    ada = await editors.log_in("ada")
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in ada.http.cookie_jar)
    for path in ("/login", "/account/email"):
        head = f"POST /admin{path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\nContent-Type: {FORM}"
        assert " 408 " in await raw(editors.url, f"{head}\r\nContent-Length: 100\r\n\r\ncsrf=")


async def test_a_body_that_is_no_form_is_refused(editors: EditorsSite):
    ada = await editors.log_in("ada")
    for content_type, body, status in NO_FORMS:
        answer = await ada.http.post(
            f"{editors.url}/admin/account/email", data=body, headers={"Content-Type": content_type}
        )
        assert answer.status == status, (content_type, body)


@pytest.mark.parametrize("codec", CODECS)
async def test_a_client_does_not_choose_the_codec_of_a_form(editors: EditorsSite, codec: str):
    eddie = await editors.log_in("eddie")
    await eddie.get("/account")
    values = {"csrf": eddie.csrf, "email": r"\ud800@news.example.org" + "a" * 30_000}
    parts = [f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in values.items()]
    request = (
        "POST /admin/account/email HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Cookie: {'; '.join(f'{one.key}={one.value}' for one in eddie.http.cookie_jar)}\r\n"
        f'Content-Type: multipart/form-data; charset="{codec}"; boundary=x\r\n'
        f"Content-Length: {len(''.join(parts)) + 5}\r\n\r\n{''.join(parts)}--x--"
    )
    began = time.process_time()
    answer = await raw(editors.url, request)
    refused_head = "\0" in codec  # HTTP forbids NUL in a header
    assert answer.split()[1] in ({"400"} if refused_head else {"422", "400"})
    assert time.process_time() - began < 1


async def test_an_asset_is_one_of_two_files(editors: EditorsSite):
    for name in NO_ASSETS:
        answer = await raw(editors.url, f"GET /admin/assets/0/{name} HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.split(" ")[1] == "404", name


async def test_an_action_needs_its_method(editors: EditorsSite):
    ada = await editors.log_in("ada")
    await ada.get("/account")
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "POST"):
        answer = await ada.http.request(method, f"{editors.url}/admin/access/audit", data={"csrf": ada.csrf})
        assert answer.status == 405, method
    for path in ("/logout", "/account/password", "/account/sessions/end-others", "/account/two-factor/off"):
        answer = await ada.http.get(f"{editors.url}/admin{path}", params={"csrf": ada.csrf})
        assert answer.status == 405, path
    assert [entry.action for _, entry in await entries(editors.app, None, 1)] == ["logged_in"]


async def test_a_strange_address_is_answered_without_a_fault(editors: EditorsSite):
    ada = await editors.log_in("ada")
    for path in STRANGE_PATHS:
        status, text = await ada.get(path)
        assert status in (200, 404), path
        assert "<script>" not in text, path
