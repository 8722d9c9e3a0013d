"""Login to the editors' pages."""

from __future__ import annotations

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
