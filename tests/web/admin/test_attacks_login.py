"""Attacks on the login: guessing, finding names, fixed sessions, forms of other sites, codes used twice."""

from __future__ import annotations

import asyncio
import itertools
import re
from datetime import timedelta
from urllib.parse import urlencode

import pyotp
import pytest

from service.app.accounts import attempts, passwords
from service.app.accounts.attempts import CLIENT_LIMIT, PAIR_LIMIT
from service.app.accounts.audit import entries
from service.app.accounts.manage import disable, find_account
from service.app.accounts.one_time_codes import code_step
from service.app.accounts.sessions import session_id
from service.app.accounts.sign_in import LoginRefused, log_in
from service.core.secret import Secret
from service.store.accounts import SqlAccountStore
from service.web.admin.next_page import next_page
from tests.web.admin.conftest import PASSWORD, Editor, EditorsSite

WRONG = "wrong words nobody joins"
SHIFTS = (-90, -60, -30, 0, 30, 60, 90)  # seconds
TOTP = Secret("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guess a few times instead of a hundred."""
    monkeypatch.setattr(attempts, "PAIR_LIMIT", (3, PAIR_LIMIT[1]))
    monkeypatch.setattr(attempts, "CLIENT_LIMIT", (6, CLIENT_LIMIT[1]))
    monkeypatch.setattr(attempts, "NAME_LIMIT", (5, timedelta(hours=1)))
    monkeypatch.setattr(attempts, "BROWSER_LIMIT", (4, timedelta(minutes=15)))


async def tried(
    editor: Editor, name: str, password: str, client: str = "127.0.0.1", **more: str
) -> tuple[int, str]:
    """Send the login form from an address, as a proxy on this machine names it."""
    headers = {"X-Forwarded-For": client}
    page = await editor.http.get(f"{editor.url}/admin/login", headers=headers)
    token = re.search(r'name="csrf" value="([^"]+)"', await page.text())
    assert token, "no login form"
    fields = {"csrf": token[1], "name": name, "password": password, **more}
    answer = await editor.http.post(
        f"{editor.url}/admin/login", data=fields, headers=headers, allow_redirects=False
    )
    return answer.status, await answer.text()


@pytest.fixture
def environment() -> dict[str, str]:
    """Open the pages to all addresses."""
    return {"CAVEAT_WEB__ADMIN__NETWORKS": "0.0.0.0/0, ::/0"}


async def test_guessing_is_limited_for_a_name_and_for_an_address(editors: EditorsSite):
    guesser = editors.nobody()
    tries = [await tried(guesser, "ada", f"{WRONG} {n}", "203.0.113.7") for n in range(4)]
    assert [status for status, _ in tries] == [422, 422, 422, 429]
    assert (await tried(guesser, "ada", PASSWORD, "203.0.113.7"))[0] == 429, "the right password is refused"
    others = [await tried(guesser, f"name{n}", WRONG, "203.0.113.7") for n in range(4)]
    assert [status for status, _ in others] == [422, 422, 422, 429]
    editors.clock.at += timedelta(minutes=16)
    assert (await tried(guesser, "ada", PASSWORD, "203.0.113.7"))[0] == 303


async def test_a_guesser_does_not_lock_out_the_owner(editors: EditorsSite):
    owner = editors.nobody()
    assert (await tried(owner, "ada", PASSWORD, "192.0.2.1"))[0] == 303
    guesser = editors.nobody()
    for n in range(3):
        await tried(guesser, "ada", f"{WRONG} {n}", "203.0.113.7")
    assert (await tried(editors.nobody(), "ada", PASSWORD, "192.0.2.2"))[0] == 303, "one address"
    for n in range(3):
        await tried(guesser, "ada", f"{WRONG} {n}", f"198.51.100.{n}")
    assert (await tried(editors.nobody(), "ada", PASSWORD, "192.0.2.3"))[0] == 429, "many addresses"
    owner.http.cookie_jar.clear(lambda cookie: cookie.key == "caveat_session")
    assert (await tried(owner, "ada", PASSWORD, "192.0.2.4"))[0] == 303, "the owner's own browser"


async def test_a_known_browser_has_a_limit_of_its_own_and_serves_one_account(editors: EditorsSite):
    stolen = editors.nobody()
    assert (await tried(stolen, "ada", PASSWORD, "192.0.2.1"))[0] == 303
    stolen.http.cookie_jar.clear(lambda cookie: cookie.key == "caveat_session")
    limit = attempts.BROWSER_LIMIT[0]
    tries = [(await tried(stolen, "ada", WRONG, f"198.51.100.{n}"))[0] for n in range(limit + 1)]
    assert tries == [422] * limit + [429]
    tries = [(await tried(stolen, "eddie", WRONG, f"203.0.113.{n}"))[0] for n in range(6)]
    assert tries == [422] * 5 + [429]


async def test_an_unknown_name_is_answered_as_a_known_one(editors: EditorsSite):
    await disable(editors.app, await find_account(editors.app, "vera"))
    answers = set()
    for name, client in (("ada", "192.0.2.1"), ("nobody", "192.0.2.2"), ("vera", "192.0.2.3")):
        for password in (WRONG, WRONG[:5], "x" * 300):
            status, text = await tried(editors.nobody(), name, password, client)
            answers.add((status, re.sub(r'value="[^"]*"', "", text)))
    right = await tried(editors.nobody(), "vera", PASSWORD, "192.0.2.4")
    answers.add((right[0], re.sub(r'value="[^"]*"', "", right[1])))
    assert len(answers) == 1


async def test_known_and_unknown_names_take_the_same_path(
    editors: EditorsSite, monkeypatch: pytest.MonkeyPatch
):
    """Both verify one hash: what is done is compared, because a test cannot measure time reliably."""
    verified: list[str] = []

    def counted(stored: Secret | None, given: str) -> bool:
        verified.append("nobody" if stored is None else "account")
        return verify(stored, given)

    verify = passwords._verify
    monkeypatch.setattr(passwords, "_verify", counted)
    for name in ("ada", "nobody"):
        refused = await log_in(editors.app, name, Secret(WRONG), "", client="192.0.2.1", agent="")
        assert refused == LoginRefused("wrong")
    assert verified == ["account", "nobody"]


async def test_what_was_typed_as_a_name_is_not_stored(editors: EditorsSite):
    """People type their password into the field of the name."""
    await tried(editors.nobody(), PASSWORD, WRONG)
    stored = await entries(editors.app, None, 100)
    assert stored[0][1].action == "login_failed"
    assert PASSWORD not in repr(stored)


async def test_a_flood_of_attempts_does_not_fill_the_record(editors: EditorsSite):
    for n in range(12):
        await tried(editors.nobody(), "ada", f"{WRONG} {n}")
    actions = [entry.action for _, entry in await entries(editors.app, None, 100)]
    assert (actions.count("login_failed"), actions.count("login_limited")) == (3, 1)


async def test_a_session_that_was_planted_before_the_login_is_replaced(editors: EditorsSite):
    """Session fixation: the attacker knows a token that the victim's browser sends before the login."""
    attacker = await editors.log_in("vera")
    planted = {cookie.key: cookie.value for cookie in attacker.http.cookie_jar}["caveat_session"]
    victim = editors.nobody()
    victim.http.cookie_jar.update_cookies({"caveat_session": planted})
    await victim.get("/account")
    await victim.post("/logout")
    victim.http.cookie_jar.update_cookies({"caveat_session": "x" * 43})
    assert (await tried(victim, "ada", PASSWORD))[0] == 303
    tokens = {cookie.key: cookie.value for cookie in victim.http.cookie_jar}
    assert tokens["caveat_session"] not in ("x" * 43, planted)
    attacker.http.cookie_jar.update_cookies({"caveat_session": "x" * 43})
    assert 'action="/admin/login"' in (await attacker.get("/"))[1]


async def test_two_logins_have_two_sessions(editors: EditorsSite):
    browsers = [await editors.log_in("ada") for _ in range(2)]
    tokens = {
        cookie.value
        for browser in browsers
        for cookie in browser.http.cookie_jar
        if cookie.key == "caveat_session"
    }
    assert len(tokens) == 2
    await browsers[0].get("/account")
    await browsers[0].post("/logout")
    assert (await browsers[1].get("/account"))[1].count("Your account") >= 1


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_site_cannot_log_its_visitor_in(editors: EditorsSite, site: str):
    """Login CSRF: the visitor would work in the attacker's account."""
    visitor, attacker = editors.nobody(), editors.nobody()
    await attacker.get("/login")
    fields = {"name": "vera", "password": PASSWORD}
    for token in ("", attacker.csrf):
        answer = await visitor.http.post(f"{editors.url}/admin/login", data={**fields, "csrf": token})
        assert answer.status == 403
        await visitor.get("/login")
    answer = await visitor.http.post(
        f"{editors.url}/admin/login",
        data={**fields, "csrf": visitor.csrf},
        headers={"Sec-Fetch-Site": site},
    )
    assert answer.status == 403


async def test_the_token_of_the_login_page_opens_no_session(editors: EditorsSite):
    """The login page signs the value of a cookie; it must not sign the id of a session for its forms."""
    ada, attacker = await editors.log_in("ada"), editors.nobody()
    token = {cookie.key: cookie.value for cookie in ada.http.cookie_jar}["caveat_session"]
    attacker.http.cookie_jar.update_cookies({"caveat_login": session_id(token)})
    await attacker.get("/login")
    ada.csrf = attacker.csrf
    assert (await ada.post("/logout"))[0] == 403


ELSEWHERE = (
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%2f/evil.example",
    "/%5cevil.example",
    "/issues//evil.example",
    "/../unsubscribe",
    "/issues/../../x",
    "/%2e%2e/x",
    "/./x",
    "javascript:alert(1)",
    "issues",
    "@evil.example",
    ".evil.example",
    "/issues#//evil.example",
    "/issues\r\nSet-Cookie: a=b",
    "/issues?q=\r\nSet-Cookie: a=b",
    "/issues\0",
    "/" + "a" * 2_000,
)
"""Values of `next` that are no page of the editors."""


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_a_login_cannot_be_made_to_lead_elsewhere(wanted: str):
    assert next_page(wanted) == "/"


@pytest.mark.parametrize("wanted", ELSEWHERE[:6])
async def test_a_login_leads_to_the_first_page_and_nowhere_else(editors: EditorsSite, wanted: str):
    editor, query = editors.nobody(), urlencode({"next": wanted, "return_to": wanted})
    _, form = await editor.get(f"/login?{query}")
    assert "evil.example" not in form
    answer = await editor.http.post(
        f"{editors.url}/admin/login?{query}",
        data={"csrf": editor.csrf, "name": "ada", "password": PASSWORD, "next": wanted},
        allow_redirects=False,
        headers={"X-Forwarded-Host": "evil.example"},
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/admin/")


async def test_a_code_of_the_authenticator_app_works_once(editors: EditorsSite):
    store = SqlAccountStore(editors.app.database)
    ada = await find_account(editors.app, "ada")
    await store.set_totp(ada.id, TOTP)
    code = pyotp.TOTP(TOTP.reveal()).at(editors.clock.at)
    assert (await tried(editors.nobody(), "ada", PASSWORD))[0] == 422, "no code"
    results = await asyncio.gather(
        *(tried(editors.nobody(), "ada", PASSWORD, f"127.0.0.{n}", code=code) for n in range(3))
    )
    assert sorted(status for status, _ in results) == [303, 422, 422]
    assert (await tried(editors.nobody(), "ada", PASSWORD, "127.0.0.9", code=code))[0] == 422


async def test_a_code_is_valid_for_its_own_time_and_its_neighbours(editors: EditorsSite):
    maker, now = pyotp.TOTP(TOTP.reveal()), editors.clock.at
    shifts = {seconds: code_step(TOTP, maker.at(now + timedelta(seconds=seconds)), now) for seconds in SHIFTS}
    assert [seconds for seconds, step in shifts.items() if step is not None] == [-30, 0, 30]
    right = maker.at(now)
    others = ["", " ", right[:5], right + "0", right.replace(right[0], "x", 1), "٠" * 6, f"{right}\n{right}"]
    assert not [text for text in others if code_step(TOTP, text, now)]
    for place, digit in itertools.product(range(6), "0123456789"):
        changed = right[:place] + digit + right[place + 1 :]
        near = {maker.at(now + timedelta(seconds=seconds)) for seconds in (-30, 0, 30)}
        assert (code_step(TOTP, changed, now) is not None) == (changed in near)
