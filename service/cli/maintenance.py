"""`caveat doctor`, `migrate`, `backup`, `restore`: checks and care of the installation."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from service.cli.ui import context
from service.cli.ui.commands import CommandTyper
from service.cli.ui.input import require_confirmation
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson, Yes
from service.cli.ui.output import print_data, print_json, print_message, progress
from service.core.errors import UsageError

with lazy_imports():
    from service.app import maintenance
    from service.app.doctor import checks
    from service.cli import operator_mail
    from service.runtime import event_loop

commands = CommandTyper()


@commands.add(
    "doctor", "caveat doctor\ncaveat doctor --dns\ncaveat doctor --json | jq -r .said\ncaveat doctor --mail"
)
def doctor(
    *,
    dns: Annotated[
        bool, typer.Option("--dns", help="DNS checks, too: SPF, DKIM, DMARC, MX and the site.")
    ] = False,
    mail: Annotated[
        bool,
        typer.Option("--mail", help="Show the operator's mail and send it, after a question; no checks."),
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Check the configuration, the database and the mail server.

    It opens the database and logs in to the mail server, but polls no feed and sends no mail. With --dns it
    also checks the DNS records that mail servers verify, and shows the records to publish. If any check
    fails, the exit code is 1.

    With --mail it shows the mail that the operator would get now, and sends it as a test.
    """
    if mail:
        operator_mail.run_operator_test(confirmed=yes)
        return
    loaded = context.load_for_database()

    async def run_checks() -> bool:
        all_passed = True
        async for result in checks.run_checks(loaded, dns=dns):
            all_passed = all_passed and result.verdict is not checks.CheckStatus.FAULT
            if as_json:
                print_json(asdict(result))
            else:
                print_data(f"{result.verdict:<7}{result.what:<15}{result.said}")
        return all_passed

    if not event_loop.run(run_checks()):
        raise typer.Exit(1)


@commands.add("migrate", "caveat migrate")
def migrate() -> None:
    """Migrate the database to this version.

    Every command migrates the database when it opens it; this one does nothing else.
    """
    name = event_loop.run(maintenance.migrate(context.load_for_database().settings))
    print_message(f"The database {name} is up to date.")


@commands.add("backup", "caveat backup /var/backups/caveat-$(date +%F).db")
def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="File to create.")],
) -> None:
    """Copy the database into one file while it is in use.

    The copy is consistent. It contains email addresses and the key that signs links: protect it like the
    database. For PostgreSQL this runs pg_dump.
    """
    if target.exists():
        raise UsageError(f"{target} exists already; name another file")
    if not target.parent.is_dir():
        raise UsageError(f"the folder {target.parent} does not exist; create it first")
    settings = context.load_for_database().settings
    with progress("Copying") as report:
        event_loop.run(maintenance.back_up(settings, target, report))
    print_message(f"{target} contains the database ({target.stat().st_size / 2**20:.1f} MB).")


@commands.add("restore", "caveat restore /var/backups/caveat-2026-11-24.db\ncaveat restore --resume")
def restore(
    source: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="File that caveat backup created.")
    ] = None,
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="End the hold on sending that a restore can begin.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Restore a backup of the database.

    Stop the service first: the restore fails while a process uses the database. The old database is kept
    under a name with the date. Its newer records are merged into the backup: who unsubscribed, paused,
    bounced or was erased, what was sent, and the articles. So no mail is sent twice, and none to a subscriber
    who left. New subscriptions and changed preferences since the backup are not merged.

    If the old database is missing or damaged, it is unknown what was sent since the backup, and sending is
    held until caveat restore --resume. For PostgreSQL this runs pg_restore and psql.
    """
    settings = context.load_for_database().settings
    if source is None:
        if not resume:
            raise UsageError("name the backup: caveat restore FILE")
        ended = event_loop.run(maintenance.resume_sending(settings))
        print_message("Sending continues." if ended else "Sending was not held.")
        return
    require_confirmation(f"Replace the database with {source}?", confirmed=yes)
    with progress("Restoring") as report:
        done = event_loop.run(maintenance.restore(settings, source, progress=report))
    print_message(f"The database is restored from {source}.")
    if done.merged is not None:
        counts = ", ".join(f"{name} {count}" for name, count in asdict(done.merged).items())
        print_message(f"Merged from the old database: {counts}.")
    if done.old_database:
        print_message(f"The old database is kept: {done.old_database}. Delete it when you do not need it.")
    if done.hold_reason and resume:
        event_loop.run(maintenance.resume_sending(settings))
    elif done.hold_reason:
        print_message(
            f"Sending is held: {done.hold_reason}. "
            "Check with caveat plan who would be mailed, then run: caveat restore --resume"
        )
