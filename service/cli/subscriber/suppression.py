"""`caveat subscriber suppress` and `unsuppress`, and the bounces of an address."""

from __future__ import annotations

from service.app import subscribers
from service.app.accounts.audit import record_command
from service.app.factories.application import Application
from service.cli.ui.input import require_confirmation
from service.cli.ui.open_app import run_in_app
from service.cli.ui.output import SHORT_ID_CHARACTERS, local_time, print_message, print_records
from service.core.ids import subscriber_id
from service.core.model import SubscriptionStatus
from service.core.read_models import Suppression

DEFAULT_REASON = "suppressed by hand"


def suppress(address: str, reason: str) -> None:
    """Suppress the address; one that is suppressed already keeps its reason."""

    async def work(app: Application) -> bool:
        earlier = await subscribers.suppression(app, address)
        if earlier is None:
            wanted = reason.strip() or DEFAULT_REASON
            await subscribers.suppress(app, address, wanted)
            await record_command(app, "subscriber_suppressed", subscriber_id(address), reason=wanted)
            print_message(f"{address} is suppressed now.")
        else:
            print_message(f"{suppression_text(address, earlier)} already.")
        return True

    run_in_app(work)


def unsuppress(address: str, *, dry_run: bool, yes: bool) -> None:
    """End the suppression of the address, after confirmation."""

    async def work(app: Application) -> bool:
        found = await subscribers.suppression(app, address)
        if found is None:
            print_message(f"{address} is not suppressed.")
            return True
        if dry_run:
            print_message(f"{suppression_text(address, found)}; it would be mailed again.")
            return True
        require_confirmation(f"{suppression_text(address, found)}. Mail it again?", confirmed=yes)
        await subscribers.unsuppress(app, address)
        await record_command(app, "subscriber_unsuppressed", subscriber_id(address))
        print_message(f"{address} is no longer suppressed.")
        for membership in await app.subscribers.memberships(email=address):
            newsletter = membership.subscription.newsletter
            if membership.subscription.status == SubscriptionStatus.UNSUBSCRIBED:
                print_message(
                    f"It stays unsubscribed from {newsletter}. To subscribe it again: "
                    f"caveat subscriber resume {address} --newsletter {newsletter}"
                )
        return True

    run_in_app(work)


async def print_bounces(app: Application, address: str) -> None:
    """Print the bounces of the address, the latest first."""
    bounces = await subscribers.bounces_of(app, address)
    if not bounces:
        return
    print_message("")
    rows = [
        {
            "issue": bounce.issue_id[:SHORT_ID_CHARACTERS],
            "came back": bounce.at,
            "kind": "hard" if bounce.hard else "soft",
            "reason": bounce.reason,
        }
        for bounce in bounces
    ]
    print_records(rows, as_json=False)


def suppression_text(address: str, suppression: Suppression) -> str:
    """Return since when and why the address is suppressed, as a sentence without a full stop."""
    return f"{address} is suppressed since {local_time(suppression.since)}: {suppression.reason}"
