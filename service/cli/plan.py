"""`caveat plan`: who gets what, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.ui.help import CommandTyper
from service.cli.ui.options import AsJson
from service.cli.ui.output import print_message, print_records, quantity

if TYPE_CHECKING:
    from service.app.factories.application import Application

chapter = CommandTyper()


@chapter.add("plan", "caveat plan\ncaveat plan --hours 168 morning\ncaveat plan --json | jq .readers")
def plan(
    newsletter: Annotated[
        str | None, typer.Argument(metavar="NEWSLETTER", help="Only this one; without it, all.")
    ] = None,
    *,
    hours: Annotated[
        int, typer.Option("--hours", metavar="N", min=1, max=2000, show_default=True, help="So far ahead.")
    ] = 24,
    as_json: AsJson = False,
) -> None:
    """Show who gets what, and when, in the hours to come.

    Readers who want the same, and were told the same so far, share one line: they get the same issue. An
    issue with nothing to tell is not sent, unless its newsletter says so.
    """
    from service.app.forecast import forecast  # noqa: PLC0415 - as above
    from service.cli.ui.lookup import newsletter_named  # noqa: PLC0415 - not for `--help`
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - as above

    async def work(house: Application) -> bool:
        chosen = [newsletter_named(house.roster, newsletter)] if newsletter else house.roster.newsletters
        slots = await forecast(house, chosen, timedelta(hours=hours))
        records = [
            {
                "at": slot.at,
                "local": f"{slot.local} {slot.edition.timezone}",
                "newsletter": slot.edition.newsletter,
                "readers": slot.readers,
                "topics": slot.edition.topics or ("all",),
                "stories": slot.edition.stories,
                "waiting": slot.articles,
            }
            for slot in slots
        ]
        print_records(
            records, as_json=as_json, empty_message=f"Nobody is due in the next {quantity(hours, 'hour')}."
        )
        if slots and not as_json:
            print_message("waiting: new articles so far that fit; more may come until then.")
        return True

    run_in_app(work, apply_roster=False)
