"""Watching a delivery: a bar while it goes on, and Ctrl-C to pause it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from signal import SIGINT, SIGTERM
from typing import TYPE_CHECKING

import typer

from service.app.foreground_delivery import deliver_issues
from service.cli.ui import context as session
from service.cli.ui.output import SHORT_ID_CHARACTERS, local_time, print_message, progress, quantity
from service.core.model import DeliveryState
from service.runtime.signals import stopped_by

if TYPE_CHECKING:
    import asyncio

    from service.app.factories.application import Application
    from service.app.foreground_delivery import DeliveryProgress
    from service.app.manual_send import ResumeResult

MAX_NAMED_ISSUES = 8
EXIT_INTERRUPTED = 130


@contextmanager
def stop_event(resume_command: str) -> Iterator[asyncio.Event]:
    """Give an event that Ctrl-C sets; a second Ctrl-C ends the block at once. `goes_on` names the command."""

    def on_signal(_signal: str) -> None:
        print_message("Stopping: what is with the mail server is waited for. Ctrl-C again stops at once.")

    try:
        with stopped_by(SIGINT, SIGTERM, on_signal=on_signal) as stopping:
            yield stopping
    except KeyboardInterrupt:
        print_message(
            f"Nothing is lost: what was under way is looked into a minute from now. {resume_command} goes on."
        )
        raise


async def deliver_with_progress(house: Application, issue_ids: Sequence[str]) -> DeliveryProgress:
    """Deliver these issues and return where they stand; Ctrl-C pauses them and says what goes on.

    Raises typer.Exit when it was stopped.
    """
    goes_on = _resume_command(issue_ids)
    with stop_event(goes_on) as stopping, progress("Sending", rate=True) as report:
        done = await deliver_issues(house, issue_ids, stopping=stopping, progress=report)
    for problem in done.problems:
        print_message(problem)
    if done.paused:
        sent = f"{done.states[DeliveryState.SENT]:,} of {done.states.total():,} sent"
        print_message(f"Paused: {sent}, {done.waiting:,} wait. {goes_on} goes on.")
        if stopping.is_set():
            raise typer.Exit(EXIT_INTERRUPTED)
    if done.will_be_retried(resend=house.settings.mail.on_uncertain == "resend"):
        print_message(
            "What is not sent waits in the outbox; caveat deliver, or a running service, tries again."
        )
    return done


def print_lifted_pauses(resumed: ResumeResult) -> None:
    """Say which pauses were lifted."""
    if resumed.sending_pause is not None:
        since = local_time(resumed.sending_pause.since)
        print_message(
            f"All sending was paused since {since}, because {resumed.sending_pause.reason}. "
            f"This pause is lifted."
        )
    for issue_id, waiting in resumed.deliveries.items():
        what = quantity(waiting, "delivery", "deliveries") + (" goes on" if waiting == 1 else " go on")
        print_message(f"Issue {issue_id[:SHORT_ID_CHARACTERS]}: {what}.")
    if not resumed.deliveries:
        nothing = (
            "No issue is paused" if resumed.sending_pause else "Neither an issue nor all sending is paused"
        )
        print_message(f"{nothing}; caveat deliver sends what waits.")


def _resume_command(issue_ids: Sequence[str]) -> str:
    """Return the command that goes on with these issues, as it must be typed here."""
    which = (
        [issue_id[:SHORT_ID_CHARACTERS] for issue_id in issue_ids]
        if len(issue_ids) <= MAX_NAMED_ISSUES
        else ["--all"]
    )
    folder = str(session.options().config)
    is_usual = folder in (str(session.DEFAULT_FOLDER), os.environ.get("CAVEAT_CONFIG"))
    here = [] if is_usual else ["--config", folder]
    return shlex.join(["caveat", *here, "issue", "resume", *which])
