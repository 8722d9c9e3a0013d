"""Login, sessions and logout of accounts.

A session is a random token in a cookie; the database has only its hash, so a copy of the database opens
nothing. It ends after SESSION_IDLE without a request, and after SESSION_LIFETIME in any case.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from service.app.accounts.audit import record
from service.app.accounts.one_time_codes import code_step
from service.app.accounts.passwords import hash_password, is_password, needs_new_hash
from service.core.model import Account, AdminSession
from service.core.secret import Secret
from service.store.accounts import SqlAccountStore, folded_name
from service.store.limits import SqlAttemptStore
from service.subscribers.sign_up import attempt_limit

if TYPE_CHECKING:
    from service.app.factories.application import Application

SESSION_IDLE = timedelta(hours=12)
"""Time without a request after which a session ends: a working day."""

SESSION_LIFETIME = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=1)
"""Time between two writes of a session's last request, so that a page does not write each time."""

CLIENT_LIMIT = 30, timedelta(minutes=15)  # login attempts from one client address
ACCOUNT_LIMIT = 100, timedelta(hours=1)  # login attempts for one name, from everywhere
PAIR_LIMIT = 10, timedelta(minutes=15)
"""Login attempts for one name from one address. It is the lowest limit, so that a stranger who guesses
passwords locks out themselves before they lock out the owner of the name."""

MAX_AGENT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with its account, as a request has it. `token` is "" except directly after the login."""

    session: AdminSession
    account: Account
    token: str = ""


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """Why a login failed: `limit` (too many attempts), `code` (a one-time code is needed) or `wrong`."""

    reason: str


async def log_in(
    app: Application, name: str, password: Secret, code: str, *, client: str, agent: str
) -> SignedIn | LoginRefused:
    """Start a session for a correct name, password and, where the account has one, one-time code.

    `client` is the client's address. Every attempt counts towards the limits, also a successful one.
    """
    if not await _is_allowed(app, name, client):
        await record(app, None, "login_limited", folded_name(name), client=client)
        return LoginRefused("limit")
    store = SqlAccountStore(app.database)
    account = await store.by_name(name)
    if not await is_password(account.password if account else None, password) or account is None:
        await record(app, account, "login_failed", folded_name(name), client=client)
        return LoginRefused("wrong")
    if not account.is_active:
        return LoginRefused("wrong")
    if account.totp is not None:
        if not code:
            return LoginRefused("code")
        step = code_step(account.totp, code, app.clock())
        if step is None or not await store.use_totp_step(account.id, step):
            await record(app, account, "login_failed", account.id, client=client, reason="code")
            return LoginRefused("code")
    if account.password is not None and needs_new_hash(account.password):
        await store.set_password(account.id, await hash_password(password))
    return await start_session(app, account, client=client, agent=agent)


async def start_session(app: Application, account: Account, *, client: str, agent: str) -> SignedIn:
    """Start a session for an account that has proved who it is."""
    token, now = secrets.token_urlsafe(32), app.clock()
    session = AdminSession(session_id(token), account.id, now, now, client, agent[:MAX_AGENT_CHARACTERS])
    await SqlAccountStore(app.database).start_session(session)
    await record(app, account, "login", account.id, client=client)
    return SignedIn(session, account, token)


async def find_session(app: Application, token: str) -> SignedIn | None:
    """Return the running session of a token and note its use; None for any other string."""
    store, now = SqlAccountStore(app.database), app.clock()
    found = await store.session(session_id(token)) if token else None
    if found is None:
        return None
    session, account = found
    if not is_running(session, app) or not account.is_active:
        return None
    if now - session.seen_at >= SEEN_EVERY:
        await store.note_seen(session.id, now)
    return SignedIn(session, account)


def is_running(session: AdminSession, app: Application) -> bool:
    """Return whether a session has not ended by itself."""
    now = app.clock()
    return now < session.seen_at + SESSION_IDLE and now < session.created_at + SESSION_LIFETIME


async def log_out(app: Application, signed_in: SignedIn) -> None:
    """End a session."""
    await SqlAccountStore(app.database).end_session(signed_in.session.id)
    await record(app, signed_in.account, "logout", signed_in.account.id)


def session_id(token: str) -> str:
    """Return the id of the session that a token opens. Of 256 random bits a plain hash tells nothing."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


async def _is_allowed(app: Application, name: str, client: str) -> bool:
    key, folded = await app.subscribers.signing_key(), folded_name(name)
    limited = [
        attempt_limit(key, "login", f"{folded}\n{client}", PAIR_LIMIT),
        attempt_limit(key, "login-client", client, CLIENT_LIMIT),
        attempt_limit(key, "login-name", folded, ACCOUNT_LIMIT),
    ]
    return await SqlAttemptStore(app.database).allows(limited, app.clock())
