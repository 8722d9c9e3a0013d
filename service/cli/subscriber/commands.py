"""`caveat subscriber`: the subscribers, in the configuration and in the database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from service.cli.subscriber import invitations, options
from service.cli.ui import context
from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson, Yes
from service.cli.ui.output import print_message, print_records

with lazy_imports():
    from service.app import subscribers
    from service.app.accounts import audit
    from service.app.factories import application, config_folder
    from service.cli.subscriber import edit as editing
    from service.cli.subscriber import import_file, listing, memberships, pauses, status, suppression
    from service.cli.ui import open_app

AddressArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="Email address of the subscriber.")]
NewsletterOption = Annotated[
    str | None,
    typer.Option("--newsletter", metavar="ID", help="Id of a newsletter. Default: all newsletters."),
]
TimezoneOption = Annotated[
    str | None, typer.Option("--timezone", metavar="ZONE", help="Time zone, such as Asia/Qatar.")
]
NameOption = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Name in the greeting of the mail.")
]

commands = CommandTyper(
    """Manage subscribers and their subscriptions.

    Subscribers are configured in subscribers.yaml, or imported into the database, which suits thousands. What
    a subscriber chose (unsubscribed, paused, another time) takes precedence over both.
    """,
    name="subscriber",
)


@commands.add(
    "list",
    """
    caveat subscriber list --newsletter morning --json | wc -l
    caveat subscriber list --search amina
    """,
)
def list_subscribers(
    *,
    newsletter: NewsletterOption = None,
    search: options.Search = None,
    limit: options.Limit = None,
    after: options.After = None,
    as_json: AsJson = False,
) -> None:
    """List the subscribers with their newsletters, schedules and statuses.

    With --search, --limit or --after: a page of at most 50 people, or --limit, newest first.
    """
    if search is None and limit is None and after is None:
        listing.print_everybody(newsletter, as_json=as_json)
        return
    listing.print_page(search or "", newsletter, 50 if limit is None else limit, after, as_json=as_json)


@commands.add("show", "caveat subscriber show amina@example.org")
def show(address: AddressArgument, *, as_json: AsJson = False) -> None:
    """Show a subscriber's newsletters, preferences, last deliveries, bounces and suppression."""

    async def work(app: application.Application) -> bool:
        found = await memberships.memberships_of(app, address)
        suppressed = await subscribers.suppression(app, address)
        since = {"suppressed": suppressed.reason, "since": suppressed.since} if suppressed and as_json else {}
        records = [
            memberships.membership_record(membership, preferences=True) | since for membership in found
        ]
        print_records(records, as_json=as_json)
        if not as_json:
            await memberships.print_deliveries(app, found[0].subscriber.id)
            await suppression.print_bounces(app, address)
            if suppressed:
                text = suppression.suppression_text(address, suppressed)
                print_message(f"\n{text}; caveat subscriber unsuppress ends the suppression.")
        return True

    open_app.run_in_app(work, apply_roster=True)


@commands.add(
    "add",
    """
    caveat subscriber add amina@example.org --newsletter morning --timezone Asia/Qatar
    caveat subscriber add ben@example.org --newsletter morning --schedule "weekdays 06:30"
    """,
)
def add(
    address: AddressArgument,
    newsletters: Annotated[
        list[str], typer.Option("--newsletter", metavar="ID", help="Id of a newsletter; may be repeated.")
    ],
    *,
    name: NameOption = None,
    timezone: TimezoneOption = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            "--schedule",
            metavar="TEXT",
            help='Schedule, such as "weekdays 06:30". Default: the newsletter\'s.',
        ),
    ] = None,
) -> None:
    """Add a subscriber to subscribers.yaml; a running service loads the change by itself."""
    values = {"name": name, "timezone": timezone}
    config_folder.add_subscriber(context.options().config, address, newsletters, schedule, values)
    print_message(f"Added {address} to subscribers.yaml.")


@commands.add(
    "edit",
    """
    caveat subscriber edit amina@example.org --timezone Europe/Berlin --name "Amina A."
    caveat subscriber edit amina@example.org --newsletter morning --languages en,fr --mute "horoscope, chess"
    """,
)
def edit(
    address: AddressArgument,
    *,
    name: NameOption = None,
    timezone: TimezoneOption = None,
    channel: options.Channel = None,
    newsletter: NewsletterOption = None,
    schedule: options.Schedule = None,
    topics: options.Topics = None,
    stories: options.Stories = None,
    points: options.Points = None,
    minutes: options.Minutes = None,
    language: options.Language = None,
    format: options.Format = None,  # noqa: A002 - the name of the option
    languages: options.Languages = None,
    follow: options.Follow = None,
    mute: options.Mute = None,
) -> None:
    """Change a subscriber, in subscribers.yaml or in the database, and say in which.

    Several values have commas between them; "all" means all topics or languages, "none" no words, and
    "default" what the newsletter has.
    """
    texts = {
        "schedule": schedule,
        "topics": topics,
        "stories": stories,
        "points": points,
        "minutes": minutes,
        "language": language,
        "format": format,
        "languages": languages,
        "follow": follow,
        "mute": mute,
    }
    given = {key: text for key, text in texts.items() if text is not None}
    person = {"name": name, "timezone": timezone, "channel": channel}
    editing.edit(address, person, given, newsletter)


@commands.add("remove", "caveat subscriber remove amina@example.org")
def remove(address: AddressArgument) -> None:
    """Remove a subscriber from subscribers.yaml; adding them again restores their subscriptions."""
    config_folder.remove_subscriber(context.options().config, address)
    print_message(f"Removed {address} from subscribers.yaml.")


@commands.add(
    "pause",
    """
    caveat subscriber pause amina@example.org --newsletter morning
    caveat subscriber pause amina@example.org --until 2026-08-15
    """,
)
def pause(
    address: AddressArgument,
    *,
    newsletter: NewsletterOption = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DATE", help="First day with an issue again, such as 2026-08-15."),
    ] = None,
) -> None:
    """Pause a subscriber's newsletters, as their preferences page does.

    With --until, the pause ends by itself: the first issue comes at the first due time from that day on, in
    the subscriber's time zone, with the best of what came meanwhile.
    """
    if until is None:
        status.set_status("pause", address, newsletter)
        return
    pauses.pause_until(address, newsletter, until)


@commands.add("resume", "caveat subscriber resume amina@example.org")
def resume(address: AddressArgument, *, newsletter: NewsletterOption = None) -> None:
    """Resume a subscriber's paused newsletters.

    With --newsletter this also undoes their unsubscribe. Articles from the time of the pause are sent only if
    it had a date (pause --until).
    """
    status.set_status("resume", address, newsletter)


@commands.add("unsubscribe", "caveat subscriber unsubscribe amina@example.org")
def unsubscribe(address: AddressArgument, *, newsletter: NewsletterOption = None) -> None:
    """Unsubscribe a subscriber, as their unsubscribe link does; no file or import undoes it."""
    status.set_status("unsubscribe", address, newsletter)


@commands.add(
    "suppress",
    """
    caveat subscriber suppress amina@example.org
    caveat subscriber suppress amina@example.org --reason "wrote to us on paper"
    """,
)
def suppress(
    address: AddressArgument,
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Reason, for your records.")] = "",
) -> None:
    """Suppress an address: it is never mailed again, whatever a file or an import contains.

    Any address can be suppressed; only a hash of it is stored. Hard bounces and complaints suppress an
    address, too.
    """
    suppression.suppress(address, reason)


@commands.add(
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
        bool, typer.Option("--dry-run", help="Show the suppression without ending it.")
    ] = False,
    yes: Yes = False,
) -> None:
    """End the suppression of an address, because it works again or was suppressed by mistake.

    Newsletters that the subscriber unsubscribed from stay unsubscribed. The count of bounces starts at 0.
    """
    suppression.unsuppress(address, dry_run=dry_run, yes=yes)


@commands.add("erase", "caveat subscriber erase amina@example.org")
def erase(address: AddressArgument, *, yes: Yes = False) -> None:
    """Erase a subscriber: address, name, preferences and everything sent to them.

    A hash of the address stays, so that no import mails them again. Remove them from subscribers.yaml first.
    """
    status.erase(address, yes=yes)


@commands.add(
    "import",
    """
    caveat subscriber import people.csv --dry-run
    caveat subscriber import people.jsonl --newsletter morning
    """,
)
def import_subscribers(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSONL file; - reads standard input.")],
    newsletters: Annotated[
        list[str] | None,
        typer.Option(
            "--newsletter", metavar="ID", help="Newsletter of rows that name none; may be repeated."
        ),
    ] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the result without changing anything.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Import subscribers from a file into the database.

    The columns (or keys) are email, name, timezone, newsletters (ids separated by spaces), schedule,
    languages (separated by spaces), follow and mute (words and phrases separated by semicolons) and minutes.
    A row that cannot be imported is reported with its line number and the reason; the exit code is then 1.
    Subscribers who unsubscribed stay unsubscribed. The import can be repeated after an interruption.
    """
    import_file.run_import(file, newsletters or (), dry_run=dry_run, yes=yes)


@commands.add("export", "caveat subscriber export > people.csv\ncaveat subscriber export --form jsonl")
def export(
    *,
    newsletter: NewsletterOption = None,
    form: Annotated[
        str, typer.Option("--form", metavar="FORM", show_default=True, help="Format: csv or jsonl.")
    ] = "csv",
) -> None:
    """Print the subscribers as a file for import or for a spreadsheet.

    No cell of it is executed as a formula by a spreadsheet.
    """

    async def work(app: application.Application) -> bool:
        about = {"form": form, "newsletter": newsletter or status.ALL}
        await audit.record_command(app, "subscribers_exported", **about)
        async for line in subscribers.export_lines(app, form, newsletter):
            sys.stdout.write(line)
        return True

    open_app.run_in_app(work, apply_roster=True)


commands.add("invite", invitations.EXAMPLES)(invitations.invite)
