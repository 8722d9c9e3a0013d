"""Invitations: links by which invited people subscribe to newsletters that are closed to others."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from service.core.errors import UnknownName, UsageError
from service.core.model import Invitation, Newsletter
from service.store.invitations import SqlInvitationStore
from service.subscribers.links import invitation_url
from service.subscribers.sign_up import BY_INVITATION, open_newsletters

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_USES, MAX_DAYS = 10_000, 366
MAX_NOTE_CHARACTERS = 200
DEFAULT_USES, DEFAULT_DAYS = 1, 30
ID_BYTES = 8  # the link is signed, so the id need not be hard to guess


@dataclass(frozen=True, slots=True)
class InvitationLink:
    """An invitation and its link."""

    invitation: Invitation
    url: str


async def create_invitation(
    app: Application,
    newsletters: Sequence[str],
    *,
    uses: int = DEFAULT_USES,
    days: int = DEFAULT_DAYS,
    note: str = "",
) -> InvitationLink:
    """Store an invitation for newsletters (ids), and return it with its link.

    Up to `uses` people can subscribe by it within `days` days. `note` says who it is for. Raises UsageError
    for a number out of range, and for a newsletter that nobody may subscribe to on the web.
    """
    _require_range(uses, MAX_USES, "uses")
    _require_range(days, MAX_DAYS, "days")
    if not newsletters:
        raise UsageError("an invitation needs a newsletter; name one")
    for name in newsletters:
        _require_invitable(app, name)
    now = app.clock()
    invitation = Invitation(
        id=secrets.token_hex(ID_BYTES),
        newsletters=tuple(dict.fromkeys(newsletters)),
        created_at=now,
        expires_at=now + timedelta(days=days),
        max_uses=uses,
        note=" ".join(note.split())[:MAX_NOTE_CHARACTERS],
    )
    await SqlInvitationStore(app.database).add(invitation)
    return await _with_link(app, invitation)


async def invitations(app: Application) -> Sequence[InvitationLink]:
    """Return all invitations with their links, newest first."""
    return [await _with_link(app, one) for one in await SqlInvitationStore(app.database).all()]


async def revoke_invitation(app: Application, invitation_id: str) -> bool:
    """Close an invitation (id) at once; return False if it was revoked before. Raises UnknownName."""
    store = SqlInvitationStore(app.database)
    if await store.find(invitation_id) is None:
        raise UnknownName("invitation", invitation_id, [one.id for one in await store.all()])
    return await store.revoke(invitation_id, app.clock())


def state_of(app: Application, invitation: Invitation) -> str:
    """Return `open`, `revoked`, `used up` or `expired`."""
    if invitation.is_open(app.clock()):
        return "open"
    if invitation.revoked_at is not None:
        return "revoked"
    return "used up" if invitation.uses >= invitation.max_uses else "expired"


def invitable_newsletters(app: Application) -> Sequence[Newsletter]:
    """Return the newsletters that an invitation can be for: those by invitation, and the open ones."""
    is_open = open_newsletters(app.roster, app.settings.web.sign_up)
    return [one for one in app.roster.newsletters if one.sign_up == BY_INVITATION or one in is_open]


def _require_invitable(app: Application, name: str) -> None:
    newsletter = app.roster.newsletter(name)
    if newsletter is None:
        raise UnknownName("newsletter", name, [one.id for one in app.roster.newsletters])
    if newsletter not in invitable_newsletters(app):
        raise UsageError(
            f"the newsletter {name!r} is closed to sign-up; set `sign_up: invitation` in newsletters.yaml"
        )


def _require_range(number: int, limit: int, noun: str) -> None:
    if not 1 <= number <= limit:
        raise UsageError(f"{number} {noun} are not possible; choose from 1 to {limit}")


async def _with_link(app: Application, invitation: Invitation) -> InvitationLink:
    key = await app.subscribers.signing_key()
    return InvitationLink(invitation, invitation_url(key, app.settings.site.url, invitation.id))
