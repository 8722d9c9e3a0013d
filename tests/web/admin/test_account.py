"""The own account: password, authenticator app, sessions, address."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest

from service.app.accounts import attempts
from service.app.accounts.audit import entries
from service.app.accounts.manage import find_account
from tests.web.admin.conftest import PASSWORD, Editor, EditorsSite

NEW_PASSWORD = "other words nobody joins"


async def actions(editors: EditorsSite) -> list[str]:
    return [entry.action for _, entry in await entries(editors.app, None, 100)]


async def test_a_new_password_replaces_the_old_one_and_ends_the_other_sessions(editors: EditorsSite):
    eddie, elsewhere = await editors.log_in("eddie"), await editors.log_in("eddie")
    await eddie.get("/account")
    fields = {"old": PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    status, text = await eddie.post("/account/password", fields)
    assert (status, "The new password is saved" in text) == (200, True)
    assert 'action="/admin/login"' in (await elsewhere.get("/account"))[1]
    assert 'action="/admin/login"' in (await (await editors.log_in("eddie")).get("/account"))[1]
    assert "Your account" in (await (await editors.log_in("eddie", NEW_PASSWORD)).get("/account"))[1]
    assert "password_changed" in await actions(editors)


async def test_a_password_is_changed_only_with_the_old_one_and_for_a_good_one(editors: EditorsSite):
    eddie = await editors.log_in("eddie")
    await eddie.get("/account")
    for old, new, again, problem in (
        (NEW_PASSWORD, NEW_PASSWORD, NEW_PASSWORD, "This is not your password"),
        (PASSWORD, NEW_PASSWORD, NEW_PASSWORD + "x", "The two new passwords are not the same."),
        (PASSWORD, "short", "short", "The password must have at least 12 characters"),
    ):
        fields = {"old": old, "password": new, "again": again}
        status, text = await eddie.post("/account/password", fields)
        assert (status, problem in text) == (422, True)
        assert old not in text
    assert "password_changed" not in await actions(editors)


async def test_the_password_of_an_open_browser_cannot_be_guessed(
    editors: EditorsSite, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(attempts, "PASSWORD_LIMIT", (2, attempts.PASSWORD_LIMIT[1]))
    eddie = await editors.log_in("eddie")
    await eddie.get("/account")
    fields = {"old": "x", "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    for _ in range(2):
        await eddie.post("/account/password", fields)
    status, text = await eddie.post("/account/password", {**fields, "old": PASSWORD})
    assert (status, "There were too many attempts" in text) == (422, True)


async def enrol(editor: Editor, editors: EditorsSite) -> pyotp.TOTP:
    """Set up an authenticator app by the page; return the app."""
    _, text = await editor.get("/account/two-factor")
    shown, token = (
        re.search(r"<code>([A-Z2-7 ]+)</code>", text),
        re.search(r'name="enrolment" value="(.+?)"', text),
    )
    assert shown
    assert token
    assert 'src="data:image/svg+xml' in text
    app = pyotp.TOTP(shown[1].replace(" ", ""))
    wrong = await editor.post("/account/two-factor", {"enrolment": token[1], "code": "000000"})
    assert (wrong[0], shown[1] in wrong[1]) == (422, True), "the same secret is shown again"
    code = app.at(editors.clock.at)
    assert (
        "code of your authenticator app"
        in (await editor.post("/account/two-factor", {"enrolment": token[1], "code": code}))[1]
    )
    return app


async def test_an_authenticator_app_is_set_up_used_and_given_up(editors: EditorsSite):
    eddie = await editors.log_in("eddie")
    app = await enrol(eddie, editors)
    form = {"name": "eddie", "password": PASSWORD, "code": app.at(editors.clock.at)}
    again = editors.nobody()
    await again.get("/login")
    assert (await again.post("/login", form))[0] == 422, "the code that proved the app was used"
    editors.clock.at += timedelta(seconds=30)
    assert (await again.post("/login", {**form, "code": app.at(editors.clock.at)}))[0] == 200
    assert "/account/two-factor" in str(
        (await eddie.http.get(f"{eddie.url}/admin/account/two-factor")).history
    )
    assert (await eddie.post("/account/two-factor/off", {"password": "x"}))[0] == 422
    assert (await find_account(editors.app, "eddie")).totp is not None
    await eddie.post("/account/two-factor/off", {"password": PASSWORD})
    assert (await find_account(editors.app, "eddie")).totp is None
    assert {"two_factor_on", "two_factor_off"} <= set(await actions(editors))
    stored = repr(await entries(editors.app, None, 100))
    assert app.secret not in stored


async def test_sessions_are_listed_and_ended(editors: EditorsSite):
    here, there = await editors.log_in("vera"), await editors.log_in("vera")
    _, text = await here.get("/account")
    assert text.count("End this session") == 1
    (session,) = re.findall(r'name="session" value="([0-9a-f]{64})"', text)
    await here.post("/account/sessions/end", {"session": session})
    assert 'action="/admin/login"' in (await there.get("/account"))[1]
    await editors.log_in("vera")
    await editors.log_in("vera")
    await here.get("/account")
    _, text = await here.post("/account/sessions/end-others")
    assert ("Your other sessions are ended." in text, "End this session" in text) == (True, False)


async def test_the_address_of_test_mails(editors: EditorsSite):
    vera = await editors.log_in("vera")
    await vera.get("/account")
    status, text = await vera.post("/account/email", {"email": "vera at example"})
    assert (status, "vera at example" in text, 'aria-invalid="true"' in text) == (422, True, True)
    await vera.post("/account/email", {"email": "Vera@Example.NET"})
    assert (await find_account(editors.app, "vera")).email == "Vera@example.net"
    await vera.post("/account/email", {"email": ""})
    assert (await find_account(editors.app, "vera")).email == ""
