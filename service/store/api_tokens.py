"""Tokens of the API: rows with the hash of each token, never the token itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, select, update

from service.core.model import ApiScope, ApiToken
from service.store.database import Database
from service.store.schema import api_tokens


@dataclass(frozen=True, slots=True)
class SqlApiTokenStore:
    """The table api_tokens. Every coroutine may raise StoreError."""

    database: Database

    async def add(self, token: ApiToken) -> None:
        """Store a new token."""
        values = {
            "id": token.id,
            "name": token.name,
            "hash": token.hash,
            "scopes": sorted(token.scopes),
            "created_at": token.created_at,
            "expires_at": token.expires_at,
        }
        async with self.database.write() as connection:
            await connection.execute(api_tokens.insert().values(values))

    async def by_id(self, token_id: str) -> ApiToken | None:
        """Return the token with this id, also a revoked or expired one."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(api_tokens).where(api_tokens.c.id == token_id))).mappings()
            found = row.first()
        return _token(found) if found else None

    async def tokens(self) -> Sequence[ApiToken]:
        """Return all tokens, newest first."""
        newest = select(api_tokens).order_by(api_tokens.c.created_at.desc(), api_tokens.c.id)
        async with self.database.read() as connection:
            return [_token(row) for row in (await connection.execute(newest)).mappings()]

    async def note_used(self, token_id: str, at: datetime) -> None:
        """Store the time of the last use."""
        changing = update(api_tokens).where(api_tokens.c.id == token_id).values(used_at=at)
        async with self.database.write() as connection:
            await connection.execute(changing)

    async def revoke(self, token_id: str, at: datetime) -> bool:
        """Revoke a token; return False if it was revoked before, or is unknown."""
        valid = (api_tokens.c.id == token_id, api_tokens.c.revoked_at.is_(None))
        async with self.database.write() as connection:
            changed = await connection.execute(update(api_tokens).where(*valid).values(revoked_at=at))
            return bool(changed.rowcount)


def _token(row: RowMapping) -> ApiToken:
    known = {scope.value for scope in ApiScope}
    return ApiToken(
        id=row["id"],
        name=row["name"],
        hash=row["hash"],
        scopes=frozenset(ApiScope(scope) for scope in row["scopes"] if scope in known),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
        revoked_at=row["revoked_at"],
    )
