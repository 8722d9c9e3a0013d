"""Secrets that people type or get are in no log, in no audit entry and in no byte of the database."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
import structlog

from service.app.accounts.audit import entries
from service.app.accounts.manage import create_account
from tests.web.admin.conftest import EditorsSite

TYPED = "seven lamps above nine rivers"
MISTYPED = "seven lamps below nine rivers"


def database_bytes(url: str) -> bytes:
    """Return the bytes of the database's files, with its log."""
    path = Path(url.removeprefix("sqlite:///"))
    return b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*") if one.is_file())


async def test_no_secret_is_logged_or_stored(
    editors: EditorsSite, sqlite_url: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs:
        link = (await create_account(editors.app, "zoe", "admin")).url.rpartition("/")[2]
        zoe = editors.nobody()
        await zoe.get(f"/welcome/{link}")
        await zoe.post(f"/welcome/{link}", {"password": TYPED, "again": TYPED})
        _, page = await zoe.get("/api")
        _, page = await zoe.post("/api/tokens", {"name": "program", "scope": ["feeds:read"], "days": "30"})
        [token] = re.findall(r"caveat_[0-9a-f]{12}_[\w-]{43}", page)
        guesser = editors.nobody()
        await guesser.get("/login")
        assert (await guesser.post("/login", {"name": "zoe", "password": MISTYPED}))[0] == 422
    cookies = [one.value for one in zoe.http.cookie_jar if one.key in ("caveat_session", "caveat_browser")]
    assert len(cookies) == 2
    audited = repr(await entries(editors.app, None, 100))
    assert "zoe" in audited
    stored = database_bytes(sqlite_url)
    assert b"zoe" in stored
    for secret in (link, TYPED, MISTYPED, token, *cookies, zoe.csrf, guesser.csrf):
        assert secret not in f"{logs}{caplog.text}"
        assert secret not in audited
        assert secret.encode() not in stored
