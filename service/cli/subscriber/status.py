"""`caveat subscriber pause`, `resume`, `unsubscribe` and `erase`."""

from __future__ import annotations

from service.app import subscribers
from service.app.accounts.audit import record_command
from service.app.factories.application import Application
from service.cli.subscriber.memberships import memberships_of
from service.cli.ui.input import require_confirmation
from service.cli.ui.open_app import run_in_app
from service.cli.ui.output import print_message
from service.core.errors import UsageError
from service.core.ids import subscriber_id

ALL = "every newsletter"
"""What the audit record says for a command without --newsletter."""

DONE = {"pause": "Paused", "resume": "Resumed", "unsubscribe": "Unsubscribed"}


def set_status(action: str, address: str, newsletter: str | None) -> None:
    """Pause, resume or unsubscribe the person; None is all their newsletters."""

    async def work(app: Application) -> bool:
        person = (await memberships_of(app, address, newsletter))[0].subscriber
        changed = await subscribers.set_status(app, action, person.id, newsletter)
        done = DONE[action]
        if changed:
            await record_command(app, f"subscriber_{done.lower()}", person.id, newsletter=newsletter or ALL)
        print_message(
            f"{done} {address}: {changed} changed." if changed else f"{address}: nothing to change."
        )
        return True

    run_in_app(work, apply_roster=True)


def erase(address: str, *, yes: bool) -> None:
    """Erase the person after confirmation. Raises UsageError for one of subscribers.yaml."""
    erased = subscriber_id(address)

    async def work(app: Application) -> bool:
        if app.roster.subscriber(erased):
            raise UsageError(f"{address} is in subscribers.yaml; run caveat subscriber remove first")
        require_confirmation(f"Erase {address}? This cannot be undone.", confirmed=yes)
        known = await subscribers.erase(app, address)
        if known:
            await record_command(app, "subscriber_erased")  # without an id, which is a hash of the address
        print_message(f"Erased {address}." if known else f"There was no subscriber {address}.")
        return True

    run_in_app(work)
