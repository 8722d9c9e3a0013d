"""Login by reverse proxy: only a trusted proxy that is connected directly may name an account."""

from __future__ import annotations

import re

import pytest

from service.app.accounts.audit import entries
from service.app.accounts.manage import disable, find_account
from tests.web.admin.conftest import PASSWORD, Editor, EditorsSite

HEADER = "X-Remote-User"
LOGIN_FORM = 'action="/admin/login"'


@pytest.fixture
def environment() -> dict[str, str]:
    """Trust this machine as a proxy that names accounts."""
    return {
        "CAVEAT_WEB__ADMIN__USER_HEADER": HEADER,
        "CAVEAT_WEB__TRUSTED_PROXIES": "127.0.0.1",
        "CAVEAT_WEB__ADMIN__NETWORKS": "127.0.0.0/8, 192.0.2.0/24",
    }


async def shown(editor: Editor, path: str, **headers: str) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await editor.http.get(f"{editor.url}/admin{path}", headers=named)
    text = await answer.text()
    if token := re.search(r'name="csrf" value="([^"]+)"', text):
        editor.csrf = token[1]
    return answer.status, text


async def sent(editor: Editor, path: str, name: str, fields: dict[str, str] | None = None) -> tuple[int, str]:
    answer = await editor.http.post(
        f"{editor.url}/admin{path}", data={"csrf": editor.csrf, **(fields or {})}, headers={HEADER: name}
    )
    return answer.status, await answer.text()


async def test_a_named_person_is_logged_in_and_their_forms_work(editors: EditorsSite):
    editor = editors.nobody()
    status, text = await shown(editor, "/account", X_Remote_User="Eddie")
    assert (status, "an editor" in text) == (200, True)
    status, text = await sent(editor, "/account/email", "eddie", {"email": "new@example.net"})
    assert (status, "The address is saved." in text) == (200, True)
    for _ in range(3):
        await shown(editor, "/", X_Remote_User="eddie")
    logins = [entry for _, entry in await entries(editors.app, None, 100) if entry.action == "logged_in"]
    assert [(entry.name, entry.details["way"]) for entry in logins] == [("eddie", "proxy")], "one session"


async def test_a_form_without_the_session_of_the_named_person_is_refused(editors: EditorsSite):
    editor = editors.nobody()
    assert (await sent(editor, "/logout", "eddie"))[0] == 403
    await shown(editor, "/account", X_Remote_User="eddie")
    assert (await sent(editor, "/account/email", "ada", {"email": "x@example.net"}))[0] == 403


async def test_the_proxy_decides_who_it_is(editors: EditorsSite):
    """Somebody else has logged in at the proxy, in a browser that still has a session."""
    editor = editors.nobody()
    await shown(editor, "/account", X_Remote_User="ada")
    assert "<strong>vera</strong>" in (await shown(editor, "/account", X_Remote_User="vera"))[1]
    assert (await shown(editor, "/access", X_Remote_User="vera"))[0] == 403
    assert LOGIN_FORM in (await shown(editor, "/account"))[1], "no session of the proxy without its header"


async def test_a_name_without_account_is_refused_with_a_sentence(editors: EditorsSite):
    status, text = await shown(editors.nobody(), "/", X_Remote_User="<b>mallory</b>")
    assert (status, "no account has this name" in text, "<b>mallory" in text) == (403, True, False)
    await disable(editors.app, await find_account(editors.app, "vera"))
    status, text = await shown(editors.nobody(), "/", X_Remote_User="vera")
    assert (status, "is disabled" in text) == (403, True)


async def test_two_names_are_refused(editors: EditorsSite):
    """A proxy that adds its header below the browser's would let anybody choose a name."""
    answer = await editors.nobody().http.get(
        f"{editors.url}/admin/", headers=[(HEADER, "ada"), (HEADER, "vera")]
    )
    assert answer.status == 403


async def test_a_name_in_utf_8_is_read(editors: EditorsSite):
    ada = await editors.log_in("ada")
    await ada.get("/access")
    await ada.post("/access/accounts", {"name": "zoë", "role": "viewer"})
    status, text = await shown(editors.nobody(), "/account", X_Remote_User="ZOË")
    assert (status, "<strong>zoë</strong>" in text) == (200, True)


async def test_logging_out_says_that_the_proxy_stays(editors: EditorsSite):
    editor = editors.nobody()
    await shown(editor, "/account", X_Remote_User="eddie")
    status, text = await sent(editor, "/logout", "eddie")
    assert (status, "log out of the proxy, too" in text) == (200, True)
    assert "caveat_session" not in {cookie.key for cookie in editor.http.cookie_jar}
    assert LOGIN_FORM in (await shown(editor, "/logged-out"))[1]


async def test_without_a_name_people_log_in_with_a_password(editors: EditorsSite):
    assert LOGIN_FORM in (await shown(editors.nobody(), "/"))[1]
    assert "Your account" in (await (await editors.log_in("eddie", PASSWORD)).get("/account"))[1]


class TestAHeaderFromElsewhere:
    """Nobody but the listed proxy may name an account."""

    @pytest.fixture
    def environment(self) -> dict[str, str]:
        """Trust another machine; this one connects."""
        return {
            "CAVEAT_WEB__ADMIN__USER_HEADER": HEADER,
            "CAVEAT_WEB__TRUSTED_PROXIES": "192.0.2.0/24",
            "CAVEAT_WEB__ADMIN__NETWORKS": "127.0.0.0/8, 192.0.2.0/24",
        }

    async def test_it_is_ignored_from_this_machine_and_behind_a_chain(self, editors: EditorsSite):
        for forwarded in ({}, {"X_Forwarded_For": "192.0.2.1"}, {"X_Forwarded_For": "192.0.2.1, 192.0.2.2"}):
            status, text = await shown(editors.nobody(), "/", X_Remote_User="ada", **forwarded)
            assert (status, LOGIN_FORM in text) == (200, True), forwarded


class TestWithoutTheSetting:
    """The header means nothing where no setting names it."""

    @pytest.fixture
    def environment(self) -> dict[str, str]:
        """Trust the proxy for addresses alone."""
        return {"CAVEAT_WEB__TRUSTED_PROXIES": "127.0.0.1"}

    async def test_it_is_ignored(self, editors: EditorsSite):
        for name in (HEADER, "Remote-User", "X-Forwarded-User"):
            answer = await editors.nobody().http.get(f"{editors.url}/admin/", headers={name: "ada"})
            assert LOGIN_FORM in await answer.text()
