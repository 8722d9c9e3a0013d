"""`caveat subscriber`: the people who get mail; look at them, add them, change them, let them go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.ui import context as session
from service.cli.ui.help import CommandTyper
from service.cli.ui.options import AsJson, Yes
from service.cli.ui.output import print_json, print_message, print_records
from service.core import ids as identity
from service.core.errors import UsageError
from service.core.secret import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.app.factories.application import Application
    from service.core.model import Membership

AddressArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="Their email address.")]
NewsletterOption = Annotated[
    str | None, typer.Option("--newsletter", metavar="ID", help="Only this one; without it, all of theirs.")
]
TimezoneOption = Annotated[
    str | None, typer.Option("--timezone", metavar="ZONE", help="Where they live, as Asia/Qatar.")
]
NameOption = Annotated[str | None, typer.Option("--name", metavar="NAME", help="How they are greeted.")]

chapter = CommandTyper(
    """The people who get mail.

    Those that you write into subscribers.yaml stand there; thousands are better imported into the database.
    What a person chose themselves (unsubscribed, paused, another hour) wins over both.
    """,
    name="subscriber",
)


@chapter.add("list", "caveat subscriber list\ncaveat subscriber list --newsletter morning --json | wc -l")
def list_subscribers(*, newsletter: NewsletterOption = None, as_json: AsJson = False) -> None:
    """List everybody with what they get, when it is due next, and where they stand."""
    from service.app.subscribers import all_memberships  # noqa: PLC0415 - as above
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        records = []
        async for membership in all_memberships(house):
            if newsletter in (None, membership.subscription.newsletter):
                # As JSON line by line: a city of subscribers does not fit into memory as a table.
                print_json(_membership_record(membership)) if as_json else records.append(
                    _membership_record(membership)
                )
        if not as_json:
            print_records(
                records, as_json=False, empty_message="Nobody so far; caveat subscriber add ADDRESS adds one."
            )
        return True

    run_in_app(work, apply_roster=True)


@chapter.add("show", "caveat subscriber show amina@example.org")
def show(address: AddressArgument, *, as_json: AsJson = False) -> None:
    """Show what somebody gets, with which wishes, what was sent to them last, and why they are not mailed."""
    from service.cli import suppress as suppressing  # noqa: PLC0415 - not for `--help`
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - as above

    async def work(house: Application) -> bool:
        memberships = await _memberships(house, address)
        barred = await suppressing.suppression_of(house, address)
        since = {"suppressed": barred.reason, "since": barred.since} if barred and as_json else {}
        print_records([_membership_record(m, wishes=True) | since for m in memberships], as_json=as_json)
        last = await house.overview.deliveries_to(memberships[0].subscriber.id, limit=10)
        if not as_json:
            print_message("")
            records = [
                {"issue": d.issue_id[:8], "state": d.state, "at": d.at, "reply": d.reply} for d in last
            ]
            print_records(records, as_json=False, empty_message="Nothing was sent to them so far.")
            await suppressing.print_suppression(house, address, barred)
        return True

    run_in_app(work, apply_roster=True)


@chapter.add(
    "add",
    """
    caveat subscriber add amina@example.org --newsletter morning --timezone Asia/Qatar
    caveat subscriber add ben@example.org --newsletter morning --schedule "weekdays 06:30"
    """,
)
def add(
    address: AddressArgument,
    newsletters: Annotated[
        list[str], typer.Option("--newsletter", metavar="ID", help="What they get; say it again for another.")
    ],
    *,
    name: NameOption = None,
    timezone: TimezoneOption = None,
    schedule: Annotated[
        str | None, typer.Option("--schedule", metavar="TEXT", help='When they want it, as "weekdays 06:30".')
    ] = None,
) -> None:
    """Write somebody into subscribers.yaml; a running service takes them over by itself."""
    from service.settings.yaml import edit  # noqa: PLC0415 - not for `--help`

    wishes = [{"id": one, "schedule": schedule} if schedule else one for one in newsletters]
    entry = {"email": address, "name": name, "timezone": timezone, "newsletters": wishes}
    entry = {key: value for key, value in entry.items() if value}
    edit.add(session.options().config, "subscribers", [entry], os.environ)
    print_message(f"Added {address} to subscribers.yaml.")


@chapter.add("edit", 'caveat subscriber edit amina@example.org --timezone Europe/Berlin --name "Amina A."')
def change(address: AddressArgument, *, name: NameOption = None, timezone: TimezoneOption = None) -> None:
    """Change somebody's name or time zone in subscribers.yaml; the rest of the file stays as it is."""
    from service.settings.yaml import edit  # noqa: PLC0415 - not for `--help`

    changes = {key: value for key, value in {"name": name, "timezone": timezone}.items() if value is not None}
    if not changes:
        raise UsageError("say what to change: --name or --timezone")
    edit.update(session.options().config, "subscribers", address, changes, os.environ)
    print_message(f"Changed {address} in subscribers.yaml.")


@chapter.add("remove", "caveat subscriber remove amina@example.org")
def remove(address: AddressArgument) -> None:
    """Take somebody out of subscribers.yaml; they get nothing more, and come back if you add them again."""
    from service.settings.yaml import edit  # noqa: PLC0415 - not for `--help`

    edit.remove(session.options().config, "subscribers", address, os.environ)
    print_message(f"Took {address} out of subscribers.yaml.")


@chapter.add("pause", "caveat subscriber pause amina@example.org --newsletter morning")
def pause(address: AddressArgument, *, newsletter: NewsletterOption = None) -> None:
    """Let somebody's newsletters rest, as if they had said so themselves."""
    _change_subscriptions("pause", address, newsletter, "Paused")


@chapter.add("resume", "caveat subscriber resume amina@example.org")
def resume(address: AddressArgument, *, newsletter: NewsletterOption = None) -> None:
    """Send somebody their paused newsletters again; --newsletter also undoes an unsubscribe of theirs.

    What was told while they were away does not come back.
    """
    _change_subscriptions("resume", address, newsletter, "Resumed")


@chapter.add("unsubscribe", "caveat subscriber unsubscribe amina@example.org")
def unsubscribe(address: AddressArgument, *, newsletter: NewsletterOption = None) -> None:
    """End somebody's newsletters, as their own unsubscribe link does; no file brings them back."""
    _change_subscriptions("unsubscribe", address, newsletter, "Unsubscribed")


@chapter.add(
    "suppress",
    """
    caveat subscriber suppress amina@example.org
    caveat subscriber suppress amina@example.org --reason "wrote to us on paper"
    """,
)
def suppress(
    address: AddressArgument,
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever asks later.")
    ] = "",
) -> None:
    """Never mail an address again, whatever a file or an import says; it need not be a subscriber's.

    Only a hash of the address is kept. Bounces and complaints do the same by themselves.
    """
    from service.cli import suppress as suppressing  # noqa: PLC0415 - not for `--help`

    suppressing.suppress(address, reason)


@chapter.add(
    "unsuppress",
    """
    caveat subscriber unsuppress amina@example.org --dry-run
    caveat subscriber unsuppress amina@example.org --yes
    """,
)
def unsuppress(
    address: AddressArgument,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say why and since when it is suppressed; change nothing.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Mail a suppressed address again: its mailbox works after all, or it was suppressed by mistake.

    What they unsubscribed from themselves stays so. Bounces are counted anew.
    """
    from service.cli import suppress as suppressing  # noqa: PLC0415 - not for `--help`

    suppressing.unsuppress(address, dry_run=dry_run, yes=yes)


@chapter.add("erase", "caveat subscriber erase amina@example.org")
def erase(address: AddressArgument, *, yes: Yes = False) -> None:
    """Forget somebody for good: their address, name, wishes and what they were sent.

    A hash of the address stays, so that no import mails them again. Take them out of subscribers.yaml first.
    """
    from service.app.subscribers import erase  # noqa: PLC0415 - as above
    from service.cli.ui.confirm import require_confirmation  # noqa: PLC0415 - not for `--help`
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - as above

    wanted = identity.subscriber_id(address)

    async def work(house: Application) -> bool:
        if any(entry.subscriber.id == wanted for entry in house.roster.subscribers):
            raise UsageError(f"{address} stands in subscribers.yaml; caveat subscriber remove takes them out")
        require_confirmation(f"Erase {address}? This cannot be undone.", confirmed=yes)
        print_message(
            f"Erased {address}." if await erase(house, address) else f"Nobody was known as {address}."
        )
        return True

    run_in_app(work)


@chapter.add(
    "import",
    """
    caveat subscriber import people.csv --dry-run
    caveat subscriber import people.jsonl --newsletter morning
    """,
)
def import_subscribers(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv or .jsonl file.")],
    usual: Annotated[
        list[str] | None,
        typer.Option("--newsletter", metavar="ID", help="For rows that name none; say it again for another."),
    ] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come of it; change nothing.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Take people over from a file into the database, by the thousand.

    Columns (or keys): email, name, timezone, newsletters (ids separated by spaces), schedule. A row that
    cannot be taken over is named by line number with its reason, and the exit code is 1; the others come in.
    Whoever unsubscribed stays so. It may be repeated after an interruption.
    """
    from service.cli.import_subscribers import run_import  # noqa: PLC0415 - not for `--help`

    run_import(file, usual or (), dry_run=dry_run, yes=yes)


@chapter.add("export", "caveat subscriber export > people.csv\ncaveat subscriber export --form jsonl")
def export(
    *,
    newsletter: NewsletterOption = None,
    form: Annotated[
        str, typer.Option("--form", metavar="FORM", show_default=True, help="csv or jsonl.")
    ] = "csv",
) -> None:
    """Print everybody as a file that an import takes, and spreadsheets open without harm."""
    import sys  # noqa: PLC0415 - beside its neighbours

    from service.app.subscribers import export_lines  # noqa: PLC0415 - as above
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        async for line in export_lines(house, form, newsletter):
            sys.stdout.write(line)
        return True

    run_in_app(work, apply_roster=True)


def _change_subscriptions(what: str, address: str, newsletter: str | None, said: str) -> None:
    from service.app.subscribers import set_status  # noqa: PLC0415 - as above
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        memberships = await _memberships(house, address)
        if newsletter and newsletter not in {m.subscription.newsletter for m in memberships}:
            raise UsageError(f"{address} does not get {newsletter!r}")
        changed = await set_status(house, what, memberships[0].subscriber.id, newsletter)
        print_message(
            f"{said} {address}: {changed} changed." if changed else f"{address}: nothing to change."
        )
        return True

    run_in_app(work, apply_roster=True)


async def _memberships(house: Application, address: str) -> Sequence[Membership]:
    found = await house.subscribers.memberships(email=address)
    if not found:
        from service.cli import suppress as suppressing  # noqa: PLC0415 - only when it is needed

        known = [entry.subscriber.email for entry in house.roster.subscribers]
        barred = await suppressing.suppression_of(house, address)
        raise UsageError(
            _unknown_subscriber(address, known)
            + (f" {suppressing.suppression_text(address, barred)}." if barred else "")
        )
    return found


def _unknown_subscriber(address: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only when it is needed

    near = get_close_matches(address, known, n=1, cutoff=0.7)
    return f"there is no subscriber {address!r}." + (f" Did you mean {near[0]}?" if near else "")


def _membership_record(membership: Membership, *, wishes: bool = False) -> dict[str, Any]:
    edition, subscription = membership.edition, membership.subscription
    record: dict[str, Any] = {
        "email": membership.subscriber.email,
        "name": membership.subscriber.name,
        "newsletter": subscription.newsletter,
        "schedule": edition.schedule,
        "timezone": edition.timezone,
        "status": membership.suppressed or subscription.status,
        "next": subscription.next_due_at,
    }
    if wishes and membership.subscriber.channel:
        record["channel"] = f"{membership.subscriber.channel}: {HIDDEN}"
    if wishes:
        record |= {
            "topics": edition.topics or ("all",),
            "stories": edition.stories,
            "points": edition.points,
            "language": edition.language,
            "format": edition.format,
        }
    return record
