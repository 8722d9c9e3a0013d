"""Access: accounts with one-time links and roles, and the audit log."""

from __future__ import annotations

import re

import pytest

from service.app.accounts.audit import record
from service.app.accounts.manage import find_account
from service.core.model import AccountRole, AuditEntry
from service.web.admin.access import audit_log
from service.web.admin.access.audit_sentences import details_of, sentence_of
from tests.builders import NOON
from tests.web.admin.conftest import EditorsSite

TEST_SENT = ("sent a test of morning to a@b.example", "")
THING_DONE = ("thing done", "1234; count: 3; held: yes")
HOSTILE = "<script>alert(1)</script>\"'{name}"


async def test_a_new_account_gets_a_link_that_is_shown_once(editors: EditorsSite):
    ada = await editors.log_in("ada")
    await ada.get("/access")
    status, text = await ada.post("/access/accounts", {"name": "zoe", "role": "editor", "email": ""})
    (link,) = re.findall(r"http://\S+/admin(/welcome/[\w-]+)", text)
    assert status == 200
    zoe = await find_account(editors.app, "zoe")
    for path in ("/access", f"/access/accounts/{zoe.id}", "/access/audit"):
        status, text = await ada.get(path)
        assert (status, "zoe" in text, link in text) == (200, True, False), path
    person = editors.nobody()
    await person.get(link)
    password = "three odd words here"
    await person.post(link, {"password": password, "again": password})
    assert "an editor" in (await person.get("/account"))[1]


async def test_what_is_wrong_with_a_new_account_is_said_beside_its_field(editors: EditorsSite):
    ada = await editors.log_in("ada")
    await ada.get("/access")
    for fields, problem in (
        ({"name": "EDDIE", "role": "editor"}, "There is an account &#39;EDDIE&#39; already"),
        ({"name": " ", "role": "editor"}, "The name of an account must have 1 to 64 visible characters"),
        ({"name": "zoe", "role": "owner"}, "There is no role &#39;owner&#39;"),
        ({"name": "zoe", "role": "editor", "email": "zoe"}, 'id="email.problem"'),
    ):
        status, text = await ada.post("/access/accounts", fields)
        assert (status, problem in text) == (422, True), fields
        assert fields["name"].strip() in text


async def test_role_link_disable_enable_and_delete(editors: EditorsSite):
    ada, app = await editors.log_in("ada"), editors.app
    eddie = await find_account(app, "eddie")
    path = f"/access/accounts/{eddie.id}"
    await ada.get(path)
    await ada.post(f"{path}/role", {"role": "viewer"})
    assert (await find_account(app, "eddie")).role is AccountRole.VIEWER
    assert "/admin/welcome/" in (await ada.post(f"{path}/link"))[1]
    await ada.post(f"{path}/disable")
    assert not (await find_account(app, "eddie")).is_active
    status, text = await ada.post(f"{path}/link")
    assert (status, "enable the account first" in text) == (422, True)
    await ada.post(f"{path}/enable")
    assert (await find_account(app, "eddie")).is_active
    assert "Delete the account eddie?" in (await ada.get(f"{path}/delete"))[1]
    assert "The account is deleted." in (await ada.post(f"{path}/delete"))[1]
    assert (await ada.get(path))[0] == 404
    _, log = await ada.get("/access/audit")
    for sentence in (
        "made eddie viewer",
        "made a one-time link for eddie",
        "disabled the account eddie",
        "enabled the account eddie",
        "deleted the account eddie",
    ):
        assert sentence in log


async def test_the_audit_log_is_paged_by_number(editors: EditorsSite, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audit_log, "ENTRIES_PER_PAGE", 3)
    ada = await editors.log_in("ada")
    for number in range(6):
        await record(editors.app, None, "thing_done", f"thing-{number}", number=number)
    seen, path = [], "/access/audit"
    while path:
        _, text = await ada.get(path)
        seen.append(re.findall(r"<small>(thing-\d)", text))
        following = re.search(r'href="/admin([^"]+)" rel="next"', text)
        path = following[1].replace("&amp;", "&") if following else ""
    assert seen == [["thing-5", "thing-4", "thing-3"], ["thing-2", "thing-1", "thing-0"], []]


async def test_hostile_names_and_details_are_text(editors: EditorsSite):
    ada = await editors.log_in("ada")
    await ada.get("/access")
    _, text = await ada.post("/access/accounts", {"name": HOSTILE, "role": "viewer"})
    await record(editors.app, None, "thing_done", HOSTILE, note=HOSTILE, list=[HOSTILE], map={"a": 1})
    made = await find_account(editors.app, HOSTILE)
    pages = [text] + [
        (await ada.get(path))[1] for path in ("/access", "/access/audit", f"/access/accounts/{made.id}")
    ]
    for text in pages:
        assert "alert(1)" in text
        assert "<script>alert" not in text


def test_the_sentence_of_an_entry_and_what_it_leaves_out():
    for action, subject, details, expected in (
        ("account_role_changed", "id", {"name": "ben", "role": "viewer"}, ("made ben viewer", "")),
        ("test_sent", "morning", {"newsletter": "morning", "to": "a@b.example"}, TEST_SENT),
        ("issue_paused", "1234", {"newsletter": "morning"}, ("issue paused", "1234; newsletter: morning")),
        ("thing_done", "1234", {"count": 3, "note": "", "held": True, "late": False}, THING_DONE),
        ("account_created", "id", {}, ("account created", "")),
        ("feeds_imported", "", {"count": 1}, ("imported 1 feed from an OPML list", "")),
        ("feeds_imported", "", {"count": 11}, ("imported 11 feeds from an OPML list", "")),
    ):
        entry = AuditEntry(NOON, "id", "ada", action, subject, details)
        assert (sentence_of(entry), details_of(entry)) == expected
