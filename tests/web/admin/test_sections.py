"""Rules that hold for every route of every section: session, role, CSRF token, headers, size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import aiohttp
import pytest

from service.core.model import AccountRole
from service.web.admin.account import ACCOUNT
from service.web.admin.application import SECTIONS
from service.web.admin.sections import AdminRoute, Section
from tests.web.admin.conftest import Editor, EditorsSite

MAX_PAGE_BYTES = 100_000  # over the wire, with style sheet and script
LOADED_FROM_ELSEWHERE = re.compile(r'<(?:img|script|link|iframe|source)[^>]+(?:src|href)="(?:https?:)?//')
ALL_SECTIONS = (*SECTIONS, ACCOUNT)
HEADERS = {
    "Content-Security-Policy": "frame-ancestors",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "",
    "Referrer-Policy": "",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}
"""Headers of each response, each with a part of its value."""


def routes(method: str, sections: tuple[Section, ...] = ALL_SECTIONS) -> Iterator[tuple[AdminRoute, str]]:
    """Yield the routes of a method, each with its path; parameters are ids that do not exist."""
    for section in sections:
        for route in section.routes:
            if route.method == method:
                yield route, re.sub(r"\{[^}]*\}", "0" * 24, route.path)


async def answer_of(editor: Editor, method: str, path: str, **options: object) -> aiohttp.ClientResponse:
    """Return the response without its body, which a stream of events does not end."""
    answer = await editor.http.request(
        method,
        f"{editor.url}/admin{path}",
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(20),
        **options,  # type: ignore[arg-type]
    )
    answer.close()
    return answer


def test_each_change_needs_the_role_of_an_editor_or_admin():
    """What everybody may do in their own account is the exception."""
    open_to_viewers = [
        route.path
        for section in SECTIONS
        for route in section.routes
        if route.method != "GET" and AccountRole.VIEWER.includes(route.role)
    ]
    assert not open_to_viewers


def test_no_method_but_get_and_post_is_used_and_no_route_is_there_twice():
    declared = [(route.method, route.path) for section in ALL_SECTIONS for route in section.routes]
    assert {method for method, _ in declared} <= {"GET", "POST"}
    assert len(declared) == len(set(declared))


async def test_nothing_answers_without_a_session(editors: EditorsSite):
    nobody = editors.nobody()
    await nobody.get("/login")
    for _, path in routes("GET"):
        for method in ("GET", "HEAD"):
            answer = await answer_of(nobody, method, path)
            wanted = "" if path == "/" else f"?{urlencode({'next': path})}"
            assert (answer.status, answer.headers.get("Location")) == (303, f"/admin/login{wanted}"), path
    for _, path in routes("POST"):
        answer = await answer_of(nobody, "POST", path, data={"csrf": nobody.csrf})
        assert (answer.status, answer.headers.get("Location")) == (403, None), path


async def test_each_change_needs_the_token_of_the_session(editors: EditorsSite):
    ada, eddie = await editors.log_in("ada"), await editors.log_in("eddie")
    await ada.get("/account")
    await eddie.get("/account")
    own, foreign = ada.csrf, eddie.csrf
    cross_site = {"Sec-Fetch-Site": "cross-site"}
    for _, path in routes("POST"):
        for token, headers in ((None, {}), ("", {}), (foreign, {}), (own, cross_site)):
            fields = {} if token is None else {"csrf": token}
            answer = await answer_of(ada, "POST", path, data=fields or b"", headers=headers | FORM)
            assert answer.status == 403, (path, token, headers)
    assert (await ada.get("/account"))[0] == 200, "a refused form has ended the session"


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("name", ["vera", "eddie"])
async def test_a_role_opens_what_it_includes_and_nothing_else(editors: EditorsSite, name: str):
    person = await editors.log_in(name)
    await person.get("/account")
    role = {"vera": AccountRole.VIEWER, "eddie": AccountRole.EDITOR}[name]
    for section in SECTIONS:
        for method in ("GET", "POST"):
            for route, path in routes(method, (section,)):
                needed = max(route.role, section.role, key=list(AccountRole).index)
                fields = {"csrf": person.csrf} if method == "POST" else None
                answer = await answer_of(person, method, path, data=fields)
                if role.includes(needed):
                    assert answer.status not in (403, 500), (method, path)
                else:
                    assert answer.status == 403, (method, path)


async def test_each_response_has_the_security_headers(editors: EditorsSite):
    ada, nobody = await editors.log_in("ada"), editors.nobody()
    outside = ["/login", "/welcome/unknown", "/no-such-page", "/assets/0/style.css", "/assets/0/none"]
    inside = [path for _, path in routes("GET")]
    for editor, path in [*((nobody, path) for path in outside), *((ada, path) for path in inside)]:
        answer = await answer_of(editor, "GET", path)
        assert answer.status < 500, path
        for header, part in HEADERS.items():
            assert part in answer.headers[header], (path, header)
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'unsafe" not in policy, path
        assert "*" not in policy, path
        if not path.startswith("/assets/"):
            assert "no-store" in answer.headers["Cache-Control"], path


async def test_the_pages_are_small_and_load_nothing_from_elsewhere(editors: EditorsSite):
    ada = await editors.log_in("ada")
    _, first = await ada.get("/")
    assets = re.findall(r'(?:href|src)="/admin(/assets/[^"]+)"', first)
    assert len(assets) == 2
    shared = sum([len((await ada.get(path))[1].encode()) for path in assets])
    for route, path in routes("GET"):
        if "{" in route.path:
            continue
        status, text = await ada.get(path)
        assert status == 200, path
        assert shared + len(text.encode()) < MAX_PAGE_BYTES, path
        assert not LOADED_FROM_ELSEWHERE.search(text), path
        assert not re.search(r"<[^>]+\s(?:style|on[a-z]+)=", text), path
