"""What `caveat subscriber suppress` and `unsuppress` do, and what `show` tells of such an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.app import subscribers as crowd
from service.cli.ui.confirm import require_confirmation
from service.cli.ui.open_app import run_in_app
from service.cli.ui.output import local_time, print_message, print_records
from service.core.model import SubscriptionStatus

if TYPE_CHECKING:
    from service.app.factories.application import Application
    from service.core.read_models import Suppression

DEFAULT_REASON = "suppressed by hand"


def suppress(address: str, reason: str) -> None:
    """Never mail the address again; one that is suppressed already keeps its first reason."""

    async def work(house: Application) -> bool:
        before = await suppression_of(house, address)
        if before is None:
            await crowd.suppress(house, address, reason.strip() or DEFAULT_REASON)
            print_message(f"{address} is not mailed any more.")
        else:
            print_message(f"{suppression_text(address, before)} already.")
        return True

    run_in_app(work)


def unsuppress(address: str, *, dry_run: bool, yes: bool) -> None:
    """Mail the address again, after a yes."""

    async def work(house: Application) -> bool:
        before = await suppression_of(house, address)
        if before is None:
            print_message(f"{address} is not suppressed.")
            return True
        if dry_run:
            print_message(f"{suppression_text(address, before)}; it would be mailed again.")
            return True
        require_confirmation(f"{suppression_text(address, before)}. Mail it again?", confirmed=yes)
        await crowd.unsuppress(house, address)
        print_message(f"{address} is mailed again.")
        for membership in await house.subscribers.memberships(email=address):
            newsletter = membership.subscription.newsletter
            if membership.subscription.status == SubscriptionStatus.UNSUBSCRIBED:
                print_message(
                    f"They unsubscribed from {newsletter}, and that stays; if they want it back: "
                    f"caveat subscriber resume {address} --newsletter {newsletter}"
                )
        return True

    run_in_app(work)


async def suppression_of(house: Application, address: str) -> Suppression | None:
    """Return why the address is not mailed, None when it is."""
    return await crowd.suppression(house, address)


async def print_suppression(house: Application, address: str, barred: Suppression | None) -> None:
    """Say what came back from the address, and that it is not mailed."""
    returned = await crowd.bounces_of(house, address)
    if returned:
        print_message("")
        rows = [
            {
                "issue": line.issue_id[:8],
                "came back": line.at,
                "kind": "hard" if line.hard else "soft",
                "reason": line.reason,
            }
            for line in returned
        ]
        print_records(rows, as_json=False)
    if barred is not None:
        print_message(f"\n{suppression_text(address, barred)}; caveat subscriber unsuppress lifts that.")


def suppression_text(address: str, barred: Suppression) -> str:
    """Return why the address is not mailed, as a sentence without its full stop."""
    return f"{address} is suppressed since {local_time(barred.since)}: {barred.reason}"
