"""`caveat subscriber invite`: links for newsletters that are open to invited people only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.open_app import run_in_app
from service.cli.ui.options import AsJson
from service.cli.ui.output import local_time, print_data, print_message, print_records

with lazy_imports():
    from service.app import invitations
    from service.app.accounts import audit
    from service.app.factories.application import Application

EXAMPLES = """
    caveat subscriber invite --newsletter morning
    caveat subscriber invite --newsletter morning --uses 50 --days 14 --note "conference"
    caveat subscriber invite --list
    caveat subscriber invite --revoke 5f2c9a0b1d3e4f60
    """


def invite(
    *,
    newsletters: Annotated[
        list[str] | None,
        typer.Option("--newsletter", metavar="ID", help="Id of a newsletter; may be repeated."),
    ] = None,
    uses: Annotated[int, typer.Option("--uses", metavar="N", help="Maximum number of people.")] = 1,
    days: Annotated[int, typer.Option("--days", metavar="N", help="Days until the link expires.")] = 30,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="For whom the link is.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="List the invitations.")] = False,
    revoked: Annotated[
        str | None, typer.Option("--revoke", metavar="ID", help="Close an invitation at once.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print a link by which people can subscribe to a newsletter that is open by invitation only."""
    if listed:
        list_invitations(as_json=as_json)
    elif revoked is not None:
        revoke(revoked)
    else:
        create(newsletters or [], uses, days, note)


def create(newsletters: Sequence[str], uses: int, days: int, note: str) -> None:
    """Create an invitation and print its link."""

    async def work(app: Application) -> bool:
        made = await invitations.create_invitation(app, newsletters, uses=uses, days=days, note=note)
        found = made.invitation
        await audit.record_command(
            app, "invitation_created", found.id, newsletters=", ".join(found.newsletters), uses=uses
        )
        print_data(made.url)
        until = local_time(found.expires_at)
        print_message(f"Up to {found.max_uses} people can subscribe by it until {until} (id {found.id}).")
        return True

    run_in_app(work)


def list_invitations(*, as_json: bool) -> None:
    """List the invitations, newest first."""

    async def work(app: Application) -> bool:
        records = [
            {
                "id": one.invitation.id,
                "newsletters": ", ".join(one.invitation.newsletters),
                "state": invitations.state_of(app, one.invitation),
                "uses": f"{one.invitation.uses} of {one.invitation.max_uses}",
                "expires": local_time(one.invitation.expires_at),
                "note": one.invitation.note,
                **({"link": one.url} if as_json else {}),
            }
            for one in await invitations.invitations(app)
        ]
        print_records(records, as_json=as_json, empty_message="There is no invitation yet.")
        return True

    run_in_app(work)


def revoke(invitation_id: str) -> None:
    """Revoke an invitation."""

    async def work(app: Application) -> bool:
        changed = await invitations.revoke_invitation(app, invitation_id)
        await audit.record_command(app, "invitation_revoked", invitation_id)
        print_message(
            f"The invitation {invitation_id} is closed."
            if changed
            else f"The invitation {invitation_id} was closed before."
        )
        return True

    run_in_app(work)
