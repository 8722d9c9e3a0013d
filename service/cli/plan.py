"""`caveat plan`: who gets what, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.ui.help import Chapter
from service.cli.ui.options import AsJson
from service.cli.ui.output import count, listing, say

if TYPE_CHECKING:
    from service.app.factories.application import House

chapter = Chapter()


@chapter.page("plan", "caveat plan\ncaveat plan --hours 168 morning\ncaveat plan --json | jq .readers")
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
    from service.app.forecast import plan_of  # noqa: PLC0415 - as above
    from service.cli.ui.lookup import newsletter_named  # noqa: PLC0415 - not for `--help`
    from service.cli.ui.open_app import in_house  # noqa: PLC0415 - as above

    async def work(house: House) -> bool:
        chosen = [newsletter_named(house.roster, newsletter)] if newsletter else house.roster.newsletters
        slots = await plan_of(house, chosen, timedelta(hours=hours))
        records = [
            {
                "at": slot.at,
                "local": f"{slot.local} {slot.edition.timezone}",
                "newsletter": slot.edition.newsletter,
                "readers": slot.readers,
                "topics": slot.edition.topics or ("all",),
                "stories": slot.edition.stories,
                "waiting": slot.waiting,
            }
            for slot in slots
        ]
        listing(records, as_json=as_json, nothing=f"Nobody is due in the next {count(hours, 'hour')}.")
        if slots and not as_json:
            say("waiting: new articles so far that fit; more may come until then.")
        return True

    in_house(work, applying=False)
