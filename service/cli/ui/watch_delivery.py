"""Watching a delivery: a bar while it goes on, and Ctrl-C to pause it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from signal import SIGINT, SIGTERM
from typing import TYPE_CHECKING

import typer

from service.app.foreground_delivery import deliver_these
from service.cli.ui import context as session
from service.cli.ui.output import SHORT, count, moment, progress, say
from service.core.model import DeliveryState
from service.runtime.signals import stopped_by

if TYPE_CHECKING:
    import asyncio

    from service.app.factories.application import House
    from service.app.foreground_delivery import Delivered
    from service.app.manual_send import Resumed

MOST_NAMED = 8
INTERRUPTED = 130


@contextmanager
def stoppable(goes_on: str) -> Iterator[asyncio.Event]:
    """Give an event that Ctrl-C sets; a second Ctrl-C ends the block at once. `goes_on` names the command."""

    def told(_signal: str) -> None:
        say("Stopping: what is with the mail server is waited for. Ctrl-C again stops at once.")

    try:
        with stopped_by(SIGINT, SIGTERM, told=told) as stopping:
            yield stopping
    except KeyboardInterrupt:
        say(f"Nothing is lost: what was under way is looked into a minute from now. {goes_on} goes on.")
        raise


async def deliver_watched(house: House, issue_ids: Sequence[str]) -> Delivered:
    """Deliver these issues and return where they stand; Ctrl-C pauses them and says what goes on.

    Raises typer.Exit when it was stopped.
    """
    goes_on = _going_on(issue_ids)
    with stoppable(goes_on) as stopping, progress("Sending", rate=True) as report:
        done = await deliver_these(house, issue_ids, stopping=stopping, progress=report)
    for problem in done.problems:
        say(problem)
    if done.paused:
        sent = f"{done.states[DeliveryState.SENT]:,} of {done.states.total():,} sent"
        say(f"Paused: {sent}, {done.waiting:,} wait. {goes_on} goes on.")
        if stopping.is_set():
            raise typer.Exit(INTERRUPTED)
    if done.is_tried_again(resend=house.settings.mail.on_uncertain == "resend"):
        say("What is not sent waits in the outbox; caveat deliver, or a running service, tries again.")
    return done


def say_lifted(resumed: Resumed) -> None:
    """Say which pauses were lifted."""
    if resumed.halt is not None:
        since = moment(resumed.halt.since)
        say(f"All sending was paused since {since}, because {resumed.halt.reason}. This pause is lifted.")
    for issue_id, waiting in resumed.deliveries.items():
        what = count(waiting, "delivery", "deliveries") + (" goes on" if waiting == 1 else " go on")
        say(f"Issue {issue_id[:SHORT]}: {what}.")
    if not resumed.deliveries:
        nothing = "No issue is paused" if resumed.halt else "Neither an issue nor all sending is paused"
        say(f"{nothing}; caveat deliver sends what waits.")


def _going_on(issue_ids: Sequence[str]) -> str:
    """Return the command that goes on with these issues, as it must be typed here."""
    which = [issue_id[:SHORT] for issue_id in issue_ids] if len(issue_ids) <= MOST_NAMED else ["--all"]
    folder = str(session.current().config)
    is_usual = folder in (str(session.DEFAULT_FOLDER), os.environ.get("CAVEAT_CONFIG"))
    here = [] if is_usual else ["--config", folder]
    return shlex.join(["caveat", *here, "issue", "resume", *which])
