"""Login to the editors' pages."""

from __future__ import annotations

import html
import re

import pyotp

from service.app.accounts.manage import find_account
from service.core.secret import Secret
from service.store.accounts import SqlAccountStore
from tests.web.admin.conftest import PASSWORD, EditorsSite


async def test_a_person_with_the_password_sees_the_first_page(editors: EditorsSite):
    ada = await editors.log_in("ada")
    status, text = await ada.get("/")
    assert status == 200
    assert "Today" in text
    assert "ada" in text


async def test_a_wrong_password_is_refused(editors: EditorsSite):
    nobody = editors.nobody()
    await nobody.get("/login")
    status, text = await nobody.post("/login", {"name": "ada", "password": PASSWORD + "x"})
    assert (status, "The name or the password is wrong." in text) == (422, True)
    assert (await nobody.get("/"))[1].count('action="/admin/login"') == 1


async def test_a_login_leads_to_the_page_that_was_asked_for(editors: EditorsSite):
    """Colleagues share links, such as that of a preview with its reader and form."""
    path = "/newsletters/morning/preview?reader=ben@example.org&form=phone"
    editor = editors.nobody()
    await editor.get(path)  # the redirect to the login page
    _, form = await editor.get(path)
    wanted = html.unescape(re.search(r'name="next" value="([^"]+)"', form)[1])  # type: ignore[index]
    answer = await editor.http.post(
        f"{editors.url}/admin/login",
        data={"csrf": editor.csrf, "name": "ada", "password": PASSWORD, "next": wanted},
        allow_redirects=False,
    )
    assert answer.headers["Location"] == f"/admin{path}"

    answer = await editor.http.get(f"{editors.url}/admin/login", params={"next": "/feeds"})
    assert answer.url.path == "/admin/feeds", "who is logged in already goes there at once"


async def test_a_missing_and_a_wrong_code_are_told_apart(editors: EditorsSite):
    ada = await find_account(editors.app, "ada")
    await SqlAccountStore(editors.app.database).set_totp(ada.id, Secret(pyotp.random_base32()))
    editor, form = editors.nobody(), {"name": "ada", "password": PASSWORD, "next": "/feeds"}
    await editor.get("/login")
    _, missing = await editor.post("/login", form)
    _, wrong = await editor.post("/login", {**form, "code": "12"})
    assert "This account needs a code as well" in missing
    assert "The code is wrong" in wrong
    assert 'name="next" value="/feeds"' in wrong


async def test_logging_out_ends_the_session(editors: EditorsSite):
    ada = await editors.log_in("ada")
    await ada.get("/")
    await ada.post("/logout")
    assert 'action="/admin/login"' in (await ada.get("/"))[1]


async def test_a_form_without_the_token_of_the_session_is_refused(editors: EditorsSite):
    ada, eddie = await editors.log_in("ada"), await editors.log_in("eddie")
    await ada.get("/")
    await eddie.get("/")
    ada.csrf = eddie.csrf
    assert (await ada.post("/logout"))[0] == 403
    assert (await ada.get("/"))[0] == 200
