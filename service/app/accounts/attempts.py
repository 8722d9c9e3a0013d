"""Limits of login attempts: for an address, for a name, and for a browser that has logged in before.

A browser gets a signed cookie with its first login. It has a limit of its own instead of that of the name, so
strangers who guess the password of a name from many addresses do not lock out its owner (OWASP, "device
cookies").
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from service.app.accounts.audit import record
from service.core import tokens
from service.core.errors import UsageError
from service.core.model import Account
from service.store.accounts import folded_name
from service.store.limits import SqlAttemptStore
from service.subscribers.sign_up import attempt_limit

if TYPE_CHECKING:
    from service.app.factories.application import Application

CLIENT_LIMIT = 30, timedelta(minutes=15)  # login attempts from one client address
NAME_LIMIT = 100, timedelta(hours=1)  # login attempts for one name, from everywhere
PAIR_LIMIT = 10, timedelta(minutes=15)
"""Login attempts for one name from one address. It is the lowest limit, so that a stranger who guesses
passwords locks out themselves before they lock out the owner of the name."""

BROWSER_LIMIT = 10, timedelta(minutes=15)  # login attempts in one known browser
PASSWORD_LIMIT = 10, timedelta(minutes=15)
"""Questions for the password in sessions of one account: somebody may sit down at an open browser."""

NOTED_LIMIT = 1, timedelta(minutes=15)
"""Audit entries about an address that is over a limit, so that a flood does not fill the disk."""

BROWSER_PURPOSE = "known-browser"


async def new_browser_token(app: Application, account: Account) -> str:
    """Return the token of a browser in which the account has logged in."""
    key = await app.subscribers.signing_key()
    return tokens.sign(key, BROWSER_PURPOSE, account.id, secrets.token_urlsafe(12))


async def is_login_allowed(
    app: Application, name: str, account: Account | None, *, client: str, browser: str
) -> bool:
    """Return whether this login may be tried, and count it.

    `browser` is the token of the browser, "" for none. An unknown name (`account` None) is counted as a
    known one.
    """
    key, folded = await app.subscribers.signing_key(), folded_name(name)
    claims = tokens.read(key, BROWSER_PURPOSE, browser) if browser else None
    is_known = claims is not None and account is not None and claims[0] == account.id
    limited = [
        attempt_limit(key, "login", f"{folded}\n{client}", PAIR_LIMIT),
        attempt_limit(key, "login-client", client, CLIENT_LIMIT),
        attempt_limit(key, "login-browser", browser, BROWSER_LIMIT)
        if is_known
        else attempt_limit(key, "login-name", folded, NAME_LIMIT),
    ]
    store = SqlAttemptStore(app.database)
    if await store.allows(limited, app.clock()):
        return True
    if await store.allows([attempt_limit(key, "login-noted", client, NOTED_LIMIT)], app.clock()):
        await record(app, None, "login_limited", account.id if account else "", client=client)
    return False


async def count_password_question(app: Application, account: Account) -> None:
    """Count a question for the password in a session. Raises UsageError above the limit."""
    key = await app.subscribers.signing_key()
    limit = attempt_limit(key, "password", account.id, PASSWORD_LIMIT)
    if not await SqlAttemptStore(app.database).allows([limit], app.clock()):
        raise UsageError("there were too many attempts; wait a quarter of an hour")
