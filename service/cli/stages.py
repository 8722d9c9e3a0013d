"""`caveat gather`, `condense`, `compose`, `deliver`: one pass of a stage, with progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.ui.help import CommandTyper
from service.cli.ui.output import print_message, progress, quantity

if TYPE_CHECKING:
    from service.app.factories.application import Application

chapter = CommandTyper()


@chapter.add("gather", 'caveat gather\ncaveat gather --force\ncaveat gather "Al Jazeera"')
def gather(
    feeds: Annotated[
        list[str] | None, typer.Argument(metavar="FEED", help="Only these, by name or address; due or not.")
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Look at every feed, due or not.")] = False,
) -> None:
    """Look at the feeds that are due, and keep what is new.

    A feed that cannot be read is named with its reason and costs the others nothing; the exit code is 1.
    """
    from service.cli.ui.lookup import feed_ids  # noqa: PLC0415 - not for `--help`
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - as above

    async def work(house: Application) -> bool:
        only = feed_ids(house.roster, feeds) if feeds else None
        with progress("Looking at feeds") as report:
            done = await house.gather(only=only, force=force or bool(feeds), progress=report)
        _print_each(*done.notes, *done.failed)
        print_message(
            f"Looked at {quantity(done.polled, 'feed')}: {quantity(done.new, 'new article')}, "
            f"{done.edited} edited, {done.unchanged} without change, {len(done.failed)} failed."
        )
        return not done.failed

    run_in_app(work, apply_roster=True)


@chapter.add("condense", "caveat condense")
def condense() -> None:
    """Make key points of new articles.

    An article that cannot be condensed is tried three times, then set aside; the exit code is 1 then.
    """
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        with progress("Condensing") as report:
            done = await house.condense(progress=report)
        _print_each(*done.problems)
        print_message(
            f"Condensed {quantity(done.condensed, 'article')}; {done.failed} failed and are tried again, "
            f"{done.set_aside} set aside."
        )
        return not done.problems

    run_in_app(work)


@chapter.add("compose", "caveat compose\ncaveat plan")
def compose() -> None:
    """Make the issues that are due.

    They go into the outbox and leave with caveat deliver, or within a minute where a worker runs.
    """
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        with progress("Composing") as report:
            done = await house.compose(progress=report)
        _print_each(*done.problems)
        print_message(
            f"Made {quantity(done.issues, 'issue')} with "
            f"{quantity(done.deliveries, 'delivery', 'deliveries')}; "
            f"{done.empty} had nothing to tell, {done.late} came too late."
        )
        return not done.problems

    run_in_app(work, apply_roster=True)


@chapter.add("deliver", "caveat deliver")
def deliver() -> None:
    """Send what waits in the outbox.

    What the mail server puts off is tried again later; the exit code is 1 when something was refused or the
    server could not be reached. Nothing is lost either way.
    """
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`
    from service.cli.ui.watch_delivery import EXIT_INTERRUPTED, stop_event  # noqa: PLC0415 - as above

    async def work(house: Application) -> bool:
        with stop_event("caveat deliver") as stopping, progress("Sending", rate=True) as report:
            done = await house.deliver(stopping=stopping, progress=report)
        _print_each(*done.problems)
        print_message(
            f"{quantity(done.sent, 'mail')} sent, {done.deferred} put off, {done.refused} refused, "
            f"{done.uncertain} uncertain, {done.suppressed} suppressed."
        )
        if stopping.is_set():
            print_message("What was not sent waits in the outbox; caveat deliver goes on.")
            raise typer.Exit(EXIT_INTERRUPTED)
        return not (done.problems or done.refused)

    run_in_app(work)


def _print_each(*sentences: str) -> None:
    for sentence in sentences:
        print_message(sentence)
