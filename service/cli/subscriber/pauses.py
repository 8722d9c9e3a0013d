"""`caveat subscriber pause --until`: a pause that ends by itself."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from service.app import subscribers
from service.app.accounts.audit import record_command
from service.app.factories import application
from service.cli.subscriber.memberships import memberships_of
from service.cli.subscriber.status import ALL
from service.cli.ui import open_app
from service.cli.ui.output import print_message
from service.core.errors import UsageError


def pause_until(address: str, newsletter: str | None, until: str) -> None:
    """Pause until a day such as 2026-08-15, and print when the next issues come. Raises UsageError."""
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise UsageError(f"--until {until!r} is no date; write it like 2026-08-15") from None

    async def work(app: application.Application) -> bool:
        person = (await memberships_of(app, address, newsletter))[0].subscriber
        changed = await subscribers.pause_until(app, person.id, newsletter, day)
        if changed:
            about = {"newsletter": newsletter or ALL, "until": day.isoformat()}
            await record_command(app, "subscriber_paused", person.id, **about)
        print_message(
            f"Paused {address} until {day}: {changed} changed."
            if changed
            else f"{address}: nothing to change."
        )
        for membership in await memberships_of(app, address, newsletter):
            if membership.subscription.paused_until is not None:
                zone = ZoneInfo(membership.edition.timezone)
                due = membership.subscription.next_due_at.astimezone(zone)
                print_message(
                    f"Next issue of {membership.subscription.newsletter}: {due:%Y-%m-%d %H:%M} {zone}"
                )
        return True

    open_app.run_in_app(work, apply_roster=True)
