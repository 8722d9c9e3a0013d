"""API tokens: what a program may do by HTTP, until when, and what is known of its use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ApiScope(StrEnum):
    """A permission of an API token. `NAME:write` includes `NAME:read`."""

    NEWSLETTERS_READ = "newsletters:read"
    ISSUES_READ = "issues:read"
    ISSUES_WRITE = "issues:write"
    SENDS_READ = "sends:read"
    SENDS_WRITE = "sends:write"
    PREVIEWS_READ = "previews:read"
    SUBSCRIBERS_READ = "subscribers:read"
    SUBSCRIBERS_WRITE = "subscribers:write"
    FEEDS_READ = "feeds:read"
    FEEDS_WRITE = "feeds:write"
    ARTICLES_READ = "articles:read"
    SUMMARIZE = "summarize"

    def includes(self, other: ApiScope) -> bool:
        """Return whether a token with this scope may do what the other one permits."""
        return self is other or self.value == other.value.removesuffix("read") + "write"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token, without its secret. `hash` is the SHA-256 of the whole token, in hexadecimal digits.

    `expires_at` None: it does not expire. `used_at` is None before the first use, and exact to a minute.
    """

    id: str
    name: str
    hash: str
    scopes: frozenset[ApiScope]
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Return whether the token is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def allows(self, scope: ApiScope) -> bool:
        """Return whether the token may do what needs this scope."""
        return any(own.includes(scope) for own in self.scopes)

    def state(self, now: datetime) -> str:
        """Return `valid`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if self.is_valid(now) else "expired"
