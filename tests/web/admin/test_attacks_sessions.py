"""Attacks on sessions: forged tokens, cookies, roles, the sessions of others, and accounts that end."""

from __future__ import annotations

import string
from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
from starlette.requests import Request

from service.app.accounts.manage import delete, disable, enable, find_account, set_role
from service.app.accounts.own_account import enrolment_of, new_enrolment
from service.app.accounts.sessions import (
    PROXY_PREFIX,
    SESSION_IDLE,
    SESSION_LIFETIME,
    find_session,
    session_id,
)
from service.app.maintenance import prune
from service.core.model import AccountRole
from service.store.accounts import SqlAccountStore
from service.web.admin.csrf import LOGIN_PURPOSE, csrf_token, is_own_request
from tests.web.admin.conftest import PASSWORD, Editor, EditorsSite


def token_of(editor: Editor, name: str = "caveat_session") -> str:
    return {cookie.key: cookie.value for cookie in editor.http.cookie_jar}[name]


def changed_in_one_character(token: str) -> list[str]:
    """Return the token with each of its characters replaced, removed, doubled, and in the other case."""
    alphabet = string.ascii_letters + string.digits + "-_.=~"
    return [
        token[:place] + new + token[place + 1 :]
        for place, old in enumerate(token)
        for new in {*alphabet, "", old * 2, old.swapcase()} - {old}
    ]


async def test_no_change_of_a_token_opens_a_session(editors: EditorsSite):
    ada = await editors.log_in("ada")
    token = token_of(ada)
    store = SqlAccountStore(editors.app.database)
    forged = [
        *changed_in_one_character(token)[::7],
        session_id(token),
        PROXY_PREFIX + token,
        token + "\0",
        "",
    ]
    assert not [text for text in forged if await find_session(editors.app, text)]
    assert await find_session(editors.app, token)
    assert await store.session(token) is None, "the database has the hash alone"


async def test_no_change_of_a_csrf_token_is_accepted(editors: EditorsSite):
    request = Request({"type": "http", "headers": []})
    key, own = await editors.app.subscribers.signing_key(), "session"
    token = csrf_token(key, own)
    assert is_own_request(request, key, own, token)
    forged = [*changed_in_one_character(token), "", token + "\0", csrf_token(key, "other")]
    forged += [csrf_token(key, own, LOGIN_PURPOSE), csrf_token(b"another key", own)]
    assert not [text for text in forged if is_own_request(request, key, own, text)]


async def test_the_secret_of_an_enrolment_cannot_be_chosen_or_moved_to_another_session(editors: EditorsSite):
    ada = await find_session(editors.app, token_of(await editors.log_in("ada")))
    eddie = await find_session(editors.app, token_of(await editors.log_in("eddie")))
    assert ada
    assert eddie
    enrolment = await new_enrolment(editors.app, ada)
    assert await enrolment_of(editors.app, ada, enrolment.token) == enrolment
    assert await enrolment_of(editors.app, eddie, enrolment.token) is None
    forged = [*changed_in_one_character(enrolment.token)[::37], "", enrolment.secret.reveal()]
    assert not [text for text in forged if await enrolment_of(editors.app, ada, text)]


@pytest.mark.parametrize("https", [False, True])
async def test_the_flags_of_the_cookies(editors: EditorsSite, https: bool):
    """Over HTTPS a browser takes the cookie for this host alone (__Host-); scripts never read it."""
    headers = {"X-Forwarded-Proto": "https"} if https else {}
    editor, prefix = editors.nobody(), "__Host-" if https else ""
    page = await editor.http.get(f"{editors.url}/admin/login", headers=headers)
    (login,) = page.headers.getall("Set-Cookie")
    cookie = SimpleCookie(login)[f"{prefix}caveat_login"]
    token = (await page.text()).partition('name="csrf" value="')[2].partition('"')[0]
    answer = await editor.http.post(
        f"{editors.url}/admin/login",
        data={"csrf": token, "name": "ada", "password": PASSWORD},
        headers={**headers, "Cookie": f"{prefix}caveat_login={cookie.value}"},
        allow_redirects=False,
    )
    given = answer.headers.getall("Set-Cookie")
    assert {one.partition("=")[0] for one in given} == {
        f"{prefix}caveat_{name}" for name in ("session", "login", "browser")
    }
    for one in [login, *given]:
        attributes = {part.strip().lower() for part in one.split(";")[1:]}
        assert {"httponly", "path=/", "samesite=lax"} <= attributes, one
        assert ("secure" in attributes) is https
        assert not [part for part in attributes if part.startswith("domain")]


async def test_a_cookie_without_the_prefix_is_worthless_over_https(editors: EditorsSite):
    """A page on a sibling domain, or over HTTP, can set a cookie of any name but one with __Host-."""
    ada = await editors.log_in("ada")
    answer = await ada.http.get(
        f"{editors.url}/admin/", headers={"X-Forwarded-Proto": "https"}, allow_redirects=False
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/admin/login")


async def test_a_session_ends_with_the_account_at_once(editors: EditorsSite):
    app = editors.app
    for end in (disable, delete):
        eddie = await editors.log_in("eddie")
        token = token_of(eddie)
        assert (await eddie.get("/account"))[1].count("Your account")
        await end(app, await find_account(app, "eddie"))
        assert 'action="/admin/login"' in (await eddie.get("/account"))[1]
        assert (await eddie.post("/account/email", {"email": "x@example.net"}))[0] == 403
        if end is disable:
            await enable(app, await find_account(app, "eddie"))
            assert await find_session(app, token) is None, "an enabled account has no old session"


async def test_a_lower_role_holds_from_the_next_request_on(editors: EditorsSite):
    ada = await editors.log_in("ada")
    assert (await ada.get("/access"))[0] == 200
    other = await editors.log_in("eddie")
    await set_role(editors.app, await find_account(editors.app, "eddie"), "admin")
    assert (await other.get("/access"))[0] == 200
    await set_role(editors.app, await find_account(editors.app, "ada"), "viewer")
    assert (await ada.get("/access"))[0] == 403
    assert (await ada.post("/access/accounts", {"name": "mallory", "role": "admin"}))[0] == 403


async def test_a_person_cannot_raise_their_own_role(editors: EditorsSite):
    eddie = await editors.log_in("eddie")
    own = await find_account(editors.app, "eddie")
    await eddie.get("/account")
    for path in ("/account/email", "/account/password", f"/access/accounts/{own.id}/role"):
        await eddie.post(path, {"role": "admin", "email": "eddie@example.net", "id": own.id})
    assert (await find_account(editors.app, "eddie")).role is AccountRole.EDITOR


async def test_the_last_admin_stays(editors: EditorsSite):
    ada = await editors.log_in("ada")
    own = await find_account(editors.app, "ada")
    path = f"/access/accounts/{own.id}"
    await ada.get(path)
    for action in ("disable", "delete", "role"):
        status, text = await ada.post(f"{path}/{action}", {"role": "viewer"})
        assert (status, "The only admin is ada" in text) == (422, True)
    assert (await find_account(editors.app, "ada")).is_active


async def test_the_session_of_another_person_cannot_be_ended(editors: EditorsSite):
    ada, vera = await editors.log_in("ada"), await editors.log_in("vera")
    await vera.get("/account")
    await vera.post("/account/sessions/end", {"session": session_id(token_of(ada))})
    await vera.post("/account/sessions/end-others")
    assert (await ada.get("/account"))[1].count("Your account")


async def test_a_session_ends_after_idle_hours_and_after_days_in_any_case(editors: EditorsSite):
    ada = await editors.log_in("ada")
    token, begin = token_of(ada), editors.clock.at
    editors.clock.at += SESSION_IDLE - timedelta(seconds=1)
    assert await find_session(editors.app, token)
    while editors.clock.at < begin + SESSION_LIFETIME - timedelta(hours=6):
        editors.clock.at += timedelta(hours=6)
        assert await find_session(editors.app, token), editors.clock.at - begin
    editors.clock.at = begin + SESSION_LIFETIME
    assert await find_session(editors.app, token) is None
    idle = token_of(await editors.log_in("ada"))
    editors.clock.at += SESSION_IDLE
    assert await find_session(editors.app, idle) is None


async def test_ended_sessions_are_pruned_and_running_ones_stay(editors: EditorsSite):
    store = SqlAccountStore(editors.app.database)
    old = token_of(await editors.log_in("ada"))
    editors.clock.at += SESSION_IDLE + timedelta(seconds=1)
    new = token_of(await editors.log_in("ada"))
    await prune(editors.app)
    assert await store.session(session_id(old)) is None
    assert await find_session(editors.app, new)
