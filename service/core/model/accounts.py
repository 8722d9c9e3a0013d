"""Accounts: the people who may open the editors' pages, their sessions, and the record of what they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from service.core.secret import Secret


class AccountRole(StrEnum):
    """What an account may do: a viewer reads, an editor changes and sends, an admin manages accounts too."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"

    def includes(self, other: AccountRole) -> bool:
        """Return whether this role may do everything that the other may."""
        ranked = list(AccountRole)
        return ranked.index(self) >= ranked.index(other)


@dataclass(frozen=True, slots=True)
class Account:
    """A person with access. `name` is what they log in with.

    `password` is an Argon2 hash, None until they have chosen one; `totp` is the secret of their
    authenticator app (RFC 6238), None without one. `email` is where a test mail to them goes; "" for none.
    """

    id: str
    name: str
    role: AccountRole
    created_at: datetime
    email: str = ""
    password: Secret | None = None
    totp: Secret | None = None
    disabled_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether the account may log in and use its sessions."""
        return self.disabled_at is None


@dataclass(frozen=True, slots=True)
class AdminSession:
    """A login in one browser. `id` is the hash of the token in its cookie; `client` is its address."""

    id: str
    account: str
    created_at: datetime
    seen_at: datetime
    client: str
    agent: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change that a person made.

    `name` is the account's name at that time, or `command line`; `action` a stable key such as
    `issue_cancelled`; `subject` the id of what was changed.
    """

    at: datetime
    account: str
    name: str
    action: str
    subject: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
