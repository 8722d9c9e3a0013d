"""The section API: an admin makes a token, which is shown once, and revokes it."""

from __future__ import annotations

import re

from service.app.api.tokens import token_of, tokens
from tests.web.admin.conftest import EditorsSite


async def test_a_token_is_shown_once_works_and_is_revoked(editors: EditorsSite):
    ada = await editors.log_in("ada")
    await ada.get("/api")
    form = {"name": "crm <b>", "scope": ["subscribers:read", "issues:read"], "days": "30"}
    status, page = await ada.post("/api/tokens", form)
    text = re.search(r'value="(caveat_[^"]+)"', page)[1]
    assert (status, "crm &lt;b&gt;" in page, "crm <b>" in page) == (200, True, False)
    found = await token_of(editors.app, text)
    assert (found.name, sorted(found.scopes)) == ("crm <b>", ["issues:read", "subscribers:read"])
    _, listed = await ada.get("/api")
    assert text not in listed

    await ada.get(f"/api/tokens/{found.id}/revoke")
    status, page = await ada.post(f"/api/tokens/{found.id}/revoke")
    assert "does not work any more" in page
    assert await token_of(editors.app, text) is None
    assert (await ada.get(f"/api/tokens/{found.id}/revoke"))[0] == 404


async def test_a_form_without_a_scope_keeps_what_was_typed(editors: EditorsSite):
    ada = await editors.log_in("ada")
    await ada.get("/api")
    status, page = await ada.post("/api/tokens", {"name": "crm", "days": "365"})
    assert (status, 'value="crm"' in page, "A token needs a scope" in page) == (422, True, True)
    assert await tokens(editors.app) == []


async def test_an_editor_does_not_see_the_section(editors: EditorsSite):
    eddie = await editors.log_in("eddie")
    assert (await eddie.get("/api"))[0] == 403
    assert "/admin/api" not in (await eddie.get("/"))[1]
