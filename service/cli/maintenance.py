"""`caveat doctor`, `migrate`, `backup`, `restore`: looking after the house."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from service.cli.ui import context as session
from service.cli.ui.confirm import require_confirmation
from service.cli.ui.help import CommandTyper
from service.cli.ui.options import AsJson, Yes
from service.cli.ui.output import print_data, print_json, print_message, progress
from service.core.errors import UsageError

chapter = CommandTyper()


@chapter.add("doctor", "caveat doctor\ncaveat doctor --dns\ncaveat doctor --json | jq -r .said")
def doctor(
    *,
    dns: Annotated[
        bool, typer.Option("--dns", help="Ask name servers for SPF, DKIM, DMARC, MX and the site.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look whether everything is in place to gather, condense and mail.

    It reads the configuration, opens the database, logs in at the mail server and leaves again; no mail is
    sent and no feed is asked. With --dns it also checks the records that vouch for the mail, and says what to
    publish. The exit code is 1 when something is at fault.
    """
    from service.app.doctor.checks import CheckResult, CheckStatus, run_checks  # noqa: PLC0415 - not for `--help`
    from service.runtime.signals import run  # noqa: PLC0415 - as above

    loaded = session.load_config(tolerant=True)

    async def look() -> list[CheckResult]:
        found = []
        async for finding in run_checks(loaded, dns=dns):
            found.append(finding)
            if as_json:
                print_json(asdict(finding))
            else:
                print_data(f"{finding.verdict:<7}{finding.what:<15}{finding.said}")
        return found

    if any(finding.verdict is CheckStatus.FAULT for finding in run(look())):
        raise typer.Exit(1)


@chapter.add("migrate", "caveat migrate")
def migrate() -> None:
    """Bring the database to this version's shape.

    Every command does so by itself when it starts; this one does nothing else, for those who want to see it
    done before they start the service.
    """
    from service.app import maintenance as upkeep  # noqa: PLC0415 - not for `--help`
    from service.runtime.signals import run  # noqa: PLC0415 - as above

    name = run(upkeep.migrate(session.load_config(tolerant=True).settings))
    print_message(f"The database {name} is up to date.")


@chapter.add("backup", "caveat backup /var/backups/caveat-$(date +%F).db")
def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; must not be there yet.")],
) -> None:
    """Copy the database into one file, while it is in use.

    The copy holds one consistent moment. It contains addresses and the key that signs links: keep it as you
    keep the database. With PostgreSQL this calls pg_dump.
    """
    from service.app import maintenance as upkeep  # noqa: PLC0415 - not for `--help`

    if target.exists():
        raise UsageError(f"{target} is there already; name another file")
    if not target.parent.is_dir():
        raise UsageError(f"the folder {target.parent} is not there; make it first")
    settings = session.load_config(tolerant=True).settings
    with progress("Copying") as report:
        upkeep.back_up(settings, target, report)
    print_message(f"{target} holds the database ({target.stat().st_size / 2**20:.1f} MB).")


@chapter.add("restore", "caveat restore /var/backups/caveat-2026-11-24.db\ncaveat restore --resume")
def restore(
    source: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A file that caveat backup made.")
    ] = None,
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Send again after a restore that held all sending.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Put a backup back in place of the database.

    Stop the service first: nothing happens while any process uses the database. The database of before is
    kept, under a name with the date. What it knows beyond the backup is taken over: who unsubscribed, paused,
    bounced or was erased, what was sent, and the articles. So nobody is mailed twice, and nobody who left.
    Who subscribed or changed their preferences since the backup is as the backup says.

    Where the database of before is missing or damaged, nothing is sent until caveat restore --resume, because
    what was sent since the backup is not known. With PostgreSQL this calls pg_restore and psql.
    """
    from service.app import maintenance as upkeep  # noqa: PLC0415 - not for `--help`
    from service.runtime.signals import run  # noqa: PLC0415 - as above

    settings = session.load_config(tolerant=True).settings
    if source is None:
        if not resume:
            raise UsageError("name the backup: caveat restore FILE")
        lifted = run(upkeep.resume_sending(settings))
        print_message("Sending goes on." if lifted else "Sending was not held.")
        return
    require_confirmation(f"Replace the database by what {source} holds?", confirmed=yes)
    with progress("Restoring") as report:
        done = run(upkeep.restore(settings, source, progress=report))
    print_message(f"The database is what {source} holds.")
    if done.merged is not None:
        said = ", ".join(f"{name} {count}" for name, count in asdict(done.merged).items())
        print_message(f"Taken over from the database of before: {said}.")
    if done.old_database:
        print_message(
            f"The database of before is kept: {done.old_database}. Remove it when you no longer need it."
        )
    if done.hold_reason and resume:
        run(upkeep.resume_sending(settings))
    elif done.hold_reason:
        print_message(
            f"Nothing is sent for now: {done.hold_reason}. "
            f"Look who would be mailed, then: caveat restore --resume"
        )
