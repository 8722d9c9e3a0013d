"""Invitations on the editors' pages: made for several newsletters, shown once, listed, closed."""

from __future__ import annotations

import re

import pytest

from service.app.invitations import invitations
from tests.web.admin.conftest import Editor, EditorsSite

PATH = "/subscribers/invitations"


@pytest.fixture
def environment() -> dict[str, str]:
    """Open one newsletter to everybody; the other one stays closed."""
    return {"CAVEAT_WEB__SIGN_UP": '["morning"]'}


async def invited(editor: Editor, **changes: str | list[str]) -> tuple[int, str]:
    """Send the form with these changes; return status and page."""
    await editor.get(PATH)
    return await editor.post(PATH, {"newsletter": "morning", "uses": "3", "days": "14", **changes})


async def test_an_editor_makes_a_link_which_is_shown_once_and_closes_it(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    status, page = await invited(editor, note='<b>conference</b> "June"')
    assert status == 200
    link = re.search(r'value="(https?://[^"]+)"', page)[1]
    pages = editors.app.sign_up
    found = await pages.read_invitation_link(link.rsplit("/", 1)[1].split("?")[0])
    assert found is not None
    assert (found.newsletters, found.max_uses) == (("morning",), 3)
    _, listed = await editor.get(PATH)
    assert link not in listed
    assert "&lt;b&gt;conference&lt;/b&gt;" in listed
    assert "0 of 3" in listed
    status, closed = await editor.post(f"{PATH}/{found.id}/revoke")
    assert "does not work any more" in closed
    assert await pages.read_invitation_link(link.rsplit("/", 1)[1].split("?")[0]) is None
    await editor.post(f"{PATH}/{found.id}/revoke")
    _, log = await (await editors.log_in("ada")).get("/access/audit")
    assert "made an invitation to morning for 3 people" in log
    assert log.count("closed an invitation") == 1


async def test_an_impossible_invitation_is_not_made_and_the_form_keeps_what_was_typed(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    for changes, sentence in [
        ({"uses": "0"}, "choose from 1 to"),
        ({"uses": "²"}, "number of people"),
        ({"days": "9999999"}, "number of days"),
        ({"days": "-1"}, "number of days"),
        ({"newsletter": []}, "needs a newsletter"),
        ({"newsletter": ["evening"]}, "closed to sign-up"),
        ({"newsletter": ["nope"]}, "no newsletter"),
    ]:
        status, page = await invited(editor, note="for the guild", **changes)
        assert (status, sentence in page, "for the guild" in page) == (422, True, True), changes
    assert await invitations(editors.app) == []


async def test_a_viewer_neither_sees_nor_makes_an_invitation(editors: EditorsSite):
    viewer = await editors.log_in("vera")
    status, _ = await viewer.get(PATH)
    assert status == 403
    status, _ = await viewer.post(PATH, {"newsletter": "morning", "uses": "1", "days": "1"})
    assert status == 403
    assert await invitations(editors.app) == []


async def test_the_invitation_of_nobody_is_not_closed(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    await editor.get(PATH)
    status, _ = await editor.post(f"{PATH}/0123456789abcdef/revoke")
    assert status == 404
