"""Invitations: links that let a limited number of people sign up for a limited time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, select, update

from service.core.model import Invitation
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.schema import invitations


@dataclass(frozen=True, slots=True)
class SqlInvitationStore:
    """Stores invitations in the table of that name."""

    database: Database

    async def add(self, invitation: Invitation) -> None:
        """Store a new invitation."""
        row = {
            "id": invitation.id,
            "newsletters": list(invitation.newsletters),
            "created_at": invitation.created_at,
            "expires_at": invitation.expires_at,
            "max_uses": invitation.max_uses,
            "uses": invitation.uses,
            "note": invitation.note,
        }
        async with self.database.write() as connection:
            await connection.execute(invitations.insert().values(row))

    async def all(self) -> Sequence[Invitation]:
        """Return the invitations, newest first."""
        query = select(invitations).order_by(invitations.c.created_at.desc(), invitations.c.id)
        async with self.database.read() as connection:
            return [_invitation_of(row) for row in (await connection.execute(query)).all()]

    async def find(self, invitation_id: str) -> Invitation | None:
        """Return the invitation with this id, or None."""
        query = select(invitations).where(invitations.c.id == invitation_id)
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _invitation_of(row)

    async def revoke(self, invitation_id: str, now: datetime) -> bool:
        """Close an invitation for good; return whether it was not revoked before."""
        is_it = (invitations.c.id == invitation_id) & invitations.c.revoked_at.is_(None)
        async with self.database.write() as connection:
            changed = await connection.execute(update(invitations).where(is_it).values(revoked_at=now))
            return bool(changed.rowcount)


async def use_invitation(connection: StoreConnection, invitation_id: str, now: datetime) -> bool:
    """Count one use in the transaction of a confirmation; return False if the invitation is not open.

    One statement checks and counts, so that simultaneous confirmations never exceed the limit.
    """
    is_open = (
        (invitations.c.id == invitation_id)
        & invitations.c.revoked_at.is_(None)
        & (invitations.c.expires_at > now)
        & (invitations.c.uses < invitations.c.max_uses)
    )
    counted = update(invitations).where(is_open).values(uses=invitations.c.uses + 1)
    return bool((await connection.execute(counted)).rowcount)


def _invitation_of(row: Row[tuple[object, ...]]) -> Invitation:
    values = row._asdict()
    return Invitation(**{**values, "newsletters": tuple(values["newsletters"])})
