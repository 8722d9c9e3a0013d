"""`caveat gather`, `condense`, `compose`, `deliver`: one pass of a stage, with progress."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.output import print_message, progress, quantity

with lazy_imports():
    from service.app.factories import application
    from service.cli.ui import delivery_progress, lookup, open_app

commands = CommandTyper()


@commands.add("gather", 'caveat gather\ncaveat gather --force\ncaveat gather "Al Jazeera"')
def gather(
    feeds: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FEED", help="Names or addresses of feeds to poll, due or not. Default: due feeds."
        ),
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Poll feeds that are not due, too.")] = False,
) -> None:
    """Poll the feeds that are due and store their new articles.

    A feed that cannot be read is reported with the reason, and the other feeds are polled; the exit code is
    then 1.
    """

    async def work(app: application.Application) -> bool:
        only = lookup.feed_ids(app.roster, feeds) if feeds else None
        with progress("Polling feeds") as report:
            done = await app.gather(only=only, force=force or bool(feeds), progress=report)
        _print_each(*done.notes, *done.failed)
        print_message(
            f"Polled {quantity(done.polled, 'feed')}: {quantity(done.new, 'new article')}, "
            f"{done.edited} edited, {done.unchanged} unchanged, {len(done.failed)} failed."
        )
        return not done.failed

    open_app.run_in_app(work, apply_roster=True, needs_files=True)


@commands.add("condense", "caveat condense")
def condense() -> None:
    """Extract the key points of new articles.

    An article that fails three times is set aside. If any article fails, the exit code is 1.
    """

    async def work(app: application.Application) -> bool:
        with progress("Condensing") as report:
            done = await app.condense(progress=report)
        _print_each(*done.problems)
        print_message(
            f"Condensed {quantity(done.condensed, 'article')}; {done.failed} failed and will be retried, "
            f"{done.set_aside} set aside."
        )
        return not done.problems

    open_app.run_in_app(work)


@commands.add("compose", "caveat compose\ncaveat plan")
def compose() -> None:
    """Compose the issues that are due.

    Their deliveries are stored in the outbox; caveat deliver or a running service sends them.
    """

    async def work(app: application.Application) -> bool:
        with progress("Composing") as report:
            done = await app.compose(progress=report)
        _print_each(*done.problems)
        deliveries = quantity(done.deliveries, "delivery", "deliveries")
        print_message(
            f"Composed {quantity(done.issues, 'issue')} with {deliveries}; "
            f"{done.empty} skipped without stories, {done.waiting} with too few, "
            f"{done.late} skipped as too late."
        )
        if done.drafts:
            drafts = quantity(len(done.drafts), "draft waits", "drafts wait")
            print_message(f"{drafts} for an editor: caveat draft list")
        return not done.problems

    open_app.run_in_app(work, apply_roster=True, needs_files=True)


@commands.add("deliver", "caveat deliver")
def deliver() -> None:
    """Send the deliveries that are due.

    A delivery that the mail server defers is retried later. If a delivery is refused or the server is
    unreachable, the exit code is 1. No delivery is lost.
    """

    async def work(app: application.Application) -> bool:
        with (
            delivery_progress.stop_event("caveat deliver") as stopping,
            progress("Sending", rate=True) as report,
        ):
            done = await app.deliver(stopping=stopping, progress=report)
        _print_each(*done.problems)
        print_message(
            f"{quantity(done.sent, 'mail')} sent, {done.deferred} deferred, {done.refused} refused, "
            f"{done.uncertain} uncertain, {done.suppressed} suppressed."
        )
        if stopping.is_set():
            print_message("The mails that were not sent wait in the outbox. To continue: caveat deliver")
            raise typer.Exit(delivery_progress.EXIT_INTERRUPTED)
        return not (done.problems or done.refused)

    open_app.run_in_app(work)


def _print_each(*messages: str) -> None:
    for message in messages:
        print_message(message)
