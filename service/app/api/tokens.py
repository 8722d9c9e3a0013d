"""API tokens: create, find, list and revoke; the token itself is shown once and never stored."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from service.core.errors import UnknownName, UsageError
from service.core.model import ApiScope, ApiToken, AuditEntry
from service.core.secret import Secret
from service.store.api_tokens import SqlApiTokenStore
from service.store.audit import SqlAuditStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

TOKEN = re.compile(r"caveat_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
"""A token: a mark by which scanners for leaked secrets know it, its id, and 256 random bits."""

ID_BYTES, SECRET_BYTES = 6, 32
MAX_NAME_CHARACTERS = 64
MAX_LIFETIME = timedelta(days=3_660)
USE_NOTED_EVERY = timedelta(minutes=1)
"""Shortest time between two updates of `used_at`, so that a request is not a write."""

NO_HASH = "0" * 64
"""What a token without a row is compared with, so that an unknown id takes the time of a known one."""


async def create_token(
    app: Application, name: str, scopes: Iterable[str], lifetime: timedelta | None = None
) -> tuple[ApiToken, Secret]:
    """Create a token; return it with its text, which cannot be read again.

    `lifetime` None: it does not expire. Raises UsageError for a bad name, an unknown scope, no scope, or a
    lifetime that is not positive or above MAX_LIFETIME.
    """
    shown, now = name.strip(), app.clock()
    if not shown or len(shown) > MAX_NAME_CHARACTERS or not shown.isprintable():
        raise UsageError(f"the name of a token must have 1 to {MAX_NAME_CHARACTERS} visible characters")
    allowed = frozenset(map(read_scope, scopes))
    if not allowed:
        raise UsageError(f"a token needs a scope: {', '.join(ApiScope)}")
    if lifetime is not None and not timedelta() < lifetime <= MAX_LIFETIME:
        raise UsageError(f"a token is valid for at most {MAX_LIFETIME.days:,} days, and not for less than 1")
    token_id = secrets.token_hex(ID_BYTES)
    text = f"caveat_{token_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
    token = ApiToken(token_id, shown, _hash(text), allowed, now, now + lifetime if lifetime else None)
    await SqlApiTokenStore(app.database).add(token)
    return token, Secret(text)


async def token_of(app: Application, text: str) -> ApiToken | None:
    """Return the valid token with this text and note its use; None for any other text.

    The hash is compared in constant time, so the time of a look-up says nothing about how near a guess is.
    """
    match, now = TOKEN.fullmatch(text), app.clock()
    if match is None:
        return None
    store = SqlApiTokenStore(app.database)
    token = await store.by_id(match[1])
    same = hmac.compare_digest(_hash(text), token.hash if token else NO_HASH)
    if token is None or not same or not token.is_valid(now):
        return None
    if token.used_at is None or now - token.used_at >= USE_NOTED_EVERY:
        await store.note_used(token.id, now)
    return token


async def tokens(app: Application) -> Sequence[ApiToken]:
    """Return all tokens, newest first."""
    return await SqlApiTokenStore(app.database).tokens()


async def revoke_token(app: Application, name: str) -> ApiToken:
    """Revoke a token, by its id or its name, and return it; it stops working at once.

    Raises UnknownName if there is no such token that is not revoked, and UsageError if several have the name.
    """
    store = SqlApiTokenStore(app.database)
    running = [token for token in await store.tokens() if token.revoked_at is None]
    found = [token for token in running if name in (token.id, token.name)]
    if not found:
        raise UnknownName("token", name, [token.name for token in running])
    if len(found) > 1:
        listed = ", ".join(token.id for token in found)
        raise UsageError(f"{len(found)} tokens have the name {name!r}; name one by its id: {listed}")
    await store.revoke(found[0].id, app.clock())
    return found[0]


def read_scope(text: str) -> ApiScope:
    """Return the scope of this name. Raises UnknownName."""
    try:
        return ApiScope(text.strip())
    except ValueError:
        raise UnknownName("scope", text, list(ApiScope)) from None


async def record_api(
    app: Application, token: ApiToken, action: str, subject: str = "", **details: object
) -> None:
    """Store in the audit record that a program with this token did something.

    `action` is a stable key in the past tense; `details` are JSON values without secrets.
    """
    entry = AuditEntry(app.clock(), token.id, f"API token {token.name}", action, subject, details)
    await SqlAuditStore(app.database).append(entry)


def expiry_words(token: ApiToken) -> str:
    """Return until when the token is valid, for people."""
    return "does not expire" if token.expires_at is None else f"expires {_day(token.expires_at)}"


def _day(at: datetime) -> str:
    return at.date().isoformat()


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()
