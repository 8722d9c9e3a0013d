"""Sessions of accounts: start, find and end.

A session is a random token in a cookie; the database has only its hash, so a copy of the database opens
nothing. It ends after SESSION_IDLE without a request, and after SESSION_LIFETIME in any case.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from service.app.accounts.audit import record
from service.core.model import Account, AdminSession
from service.store.accounts import SqlAccountStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

SESSION_IDLE = timedelta(hours=12)
"""Time without a request after which a session ends: a working day."""

SESSION_LIFETIME = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=1)
"""Time between two writes of a session's last request, so that a page does not write each time."""

PROXY_PREFIX = "proxy."
"""Begin of the token of a session that a reverse proxy asked for; no other token can have the same hash."""

MAX_AGENT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with its account, as a request has it. `token` is "" except directly after the login.

    `by_proxy`: the session was started for an account that a reverse proxy had named.
    """

    session: AdminSession
    account: Account
    token: str = ""
    by_proxy: bool = False


async def start_session(
    app: Application, account: Account, *, client: str, agent: str, by_proxy: bool = False
) -> SignedIn:
    """Start a session for an account that has proved who it is."""
    token, now = (PROXY_PREFIX if by_proxy else "") + secrets.token_urlsafe(32), app.clock()
    session = AdminSession(session_id(token), account.id, now, now, client, agent[:MAX_AGENT_CHARACTERS])
    await SqlAccountStore(app.database).start_session(session)
    way = "proxy" if by_proxy else "password"
    await record(app, account, "logged_in", account.id, name=account.name, client=client, way=way)
    return SignedIn(session, account, token, by_proxy)


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
    return SignedIn(session, account, by_proxy=token.startswith(PROXY_PREFIX))


async def sessions_of(app: Application, account: Account) -> Sequence[AdminSession]:
    """Return the running sessions of an account, the one used last first."""
    found = await SqlAccountStore(app.database).sessions_of(account.id)
    return [session for session in found if is_running(session, app)]


def is_running(session: AdminSession, app: Application) -> bool:
    """Return whether a session has not ended by itself."""
    now = app.clock()
    return now < session.seen_at + SESSION_IDLE and now < session.created_at + SESSION_LIFETIME


async def log_out(app: Application, signed_in: SignedIn) -> None:
    """End a session."""
    account = signed_in.account
    await SqlAccountStore(app.database).end_session(account.id, signed_in.session.id)
    await record(app, account, "logged_out", account.id, name=account.name)


def session_id(token: str) -> str:
    """Return the id of the session that a token opens. Of 256 random bits a plain hash tells nothing."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()
