"""Invitations: links for newsletters that are open to invited people only."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.invitations import (
    DEFAULT_DAYS,
    DEFAULT_USES,
    MAX_DAYS,
    MAX_NOTE_CHARACTERS,
    MAX_USES,
    create_invitation,
    invitable_newsletters,
    invitations,
    revoke_invitation,
    state_of,
)
from service.core.errors import UnknownName, UsageError
from service.core.model import Invitation
from service.web.admin.context import AdminContext

PATH = "/subscribers/invitations"


@dataclass(frozen=True, slots=True)
class ListedInvitation:
    """An invitation with its state and the titles of its newsletters."""

    invitation: Invitation
    state: str
    titles: str


async def show_invitations(context: AdminContext) -> Response:
    """Show the form and the invitations."""
    return await _page(context)


async def act_invite(context: AdminContext) -> Response:
    """Create an invitation and show its link, once."""
    try:
        made = await create_invitation(
            context.app,
            context.fields.get("newsletter", []),
            uses=_whole_number(context.value("uses"), "number of people"),
            days=_whole_number(context.value("days"), "number of days"),
            note=context.value("note"),
        )
    except UsageError as error:
        return await _page(context, problem=error.sentence)
    invitation = made.invitation
    await context.record(
        "invitation_created",
        invitation.id,
        newsletters=", ".join(invitation.newsletters),
        uses=invitation.max_uses,
    )
    listed = _listed(context, invitation)
    return context.page("subscribers/invited.html", listed=listed, url=made.url)


async def act_revoke(context: AdminContext) -> Response:
    """Close an invitation; one that was closed before stays closed."""
    invitation_id = context.path("invitation")
    try:
        changed = await revoke_invitation(context.app, invitation_id)
    except UnknownName:
        raise HTTPException(404, "There is no such invitation.") from None
    if changed:
        await context.record("invitation_revoked", invitation_id)
    return context.redirect(PATH, done="invitation_closed" if changed else "unchanged")


async def _page(context: AdminContext, *, problem: str = "") -> Response:
    typed = {"uses": str(DEFAULT_USES), "days": str(DEFAULT_DAYS), "note": ""}
    return context.page(
        "subscribers/invitations.html",
        status=422 if problem else 200,
        problem=problem,
        newsletters=invitable_newsletters(context.app),
        chosen=context.fields.get("newsletter", []),
        typed={name: context.value(name, default) for name, default in typed.items()},
        limits={"uses": MAX_USES, "days": MAX_DAYS, "note": MAX_NOTE_CHARACTERS},
        invitations=[_listed(context, one.invitation) for one in await invitations(context.app)],
    )


def _listed(context: AdminContext, invitation: Invitation) -> ListedInvitation:
    known = {one.id: one.title for one in context.app.roster.newsletters}
    titles = ", ".join(known.get(name, name) for name in invitation.newsletters)
    return ListedInvitation(invitation, state_of(context.app, invitation), titles)


def _whole_number(text: str, noun: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 6):
        raise UsageError(f"{text[:40]!r} is no {noun}; type a whole number")
    return int(digits)
