"""What `caveat subscriber suppress` and `unsuppress` do, and what `show` tells of such an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.app import subscribers as crowd
from service.cli.ui.confirm import require_yes
from service.cli.ui.open_app import in_house
from service.cli.ui.output import listing, moment, say
from service.core.model import SubscriptionStatus

if TYPE_CHECKING:
    from service.app.factories.application import House
    from service.core.read_models import Barred

BY_HAND = "suppressed by hand"


def suppress(address: str, reason: str) -> None:
    """Never mail the address again; one that is suppressed already keeps its first reason."""

    async def work(house: House) -> bool:
        before = await why(house, address)
        if before is None:
            await crowd.suppress(house, address, reason.strip() or BY_HAND)
            say(f"{address} is not mailed any more.")
        else:
            say(f"{since(address, before)} already.")
        return True

    in_house(work)


def unsuppress(address: str, *, dry_run: bool, yes: bool) -> None:
    """Mail the address again, after a yes."""

    async def work(house: House) -> bool:
        before = await why(house, address)
        if before is None:
            say(f"{address} is not suppressed.")
            return True
        if dry_run:
            say(f"{since(address, before)}; it would be mailed again.")
            return True
        require_yes(f"{since(address, before)}. Mail it again?", said=yes)
        await crowd.unsuppress(house, address)
        say(f"{address} is mailed again.")
        for membership in await house.people.memberships(email=address):
            newsletter = membership.subscription.newsletter
            if membership.subscription.status == SubscriptionStatus.UNSUBSCRIBED:
                say(
                    f"They unsubscribed from {newsletter}, and that stays; if they want it back: "
                    f"caveat subscriber resume {address} --newsletter {newsletter}"
                )
        return True

    in_house(work)


async def why(house: House, address: str) -> Barred | None:
    """Return why the address is not mailed, None when it is."""
    return await crowd.barred(house, address)


async def tell(house: House, address: str, barred: Barred | None) -> None:
    """Say what came back from the address, and that it is not mailed."""
    returned = await crowd.came_back(house, address)
    if returned:
        say("")
        rows = [
            {
                "issue": line.issue_id[:8],
                "came back": line.at,
                "kind": "hard" if line.hard else "soft",
                "reason": line.reason,
            }
            for line in returned
        ]
        listing(rows, as_json=False)
    if barred is not None:
        say(f"\n{since(address, barred)}; caveat subscriber unsuppress lifts that.")


def since(address: str, barred: Barred) -> str:
    """Return why the address is not mailed, as a sentence without its full stop."""
    return f"{address} is suppressed since {moment(barred.since)}: {barred.reason}"
