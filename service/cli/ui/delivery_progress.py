"""A delivery in the foreground: a progress bar, and Ctrl-C to pause."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from signal import SIGINT, SIGTERM

import typer

from service.app.factories.application import Application
from service.app.sending.foreground_delivery import DeliveryProgress, deliver_issues
from service.app.sending.pausing import ResumeResult
from service.cli.ui import context
from service.cli.ui.output import SHORT_ID_CHARACTERS, local_time, print_message, progress, quantity
from service.core.model import DeliveryState
from service.runtime.event_loop import stopped_by

MAX_NAMED_ISSUES = 8  # in the command that resumes them; for more it is `--all`
EXIT_INTERRUPTED = 130


@contextmanager
def stop_event(resume_command: str) -> Iterator[asyncio.Event]:
    """Yield an event that Ctrl-C sets; a second Ctrl-C raises KeyboardInterrupt.

    `resume_command` is shown as the way to continue.
    """

    def on_signal(_signal: str) -> None:
        print_message("Stopping after the mails in transfer. Ctrl-C again stops at once.")

    try:
        with stopped_by(SIGINT, SIGTERM, on_signal=on_signal) as stopping:
            yield stopping
    except KeyboardInterrupt:
        print_message(
            "Nothing is lost: mails that were in transfer are checked in one minute. "
            f"To continue: {resume_command}"
        )
        raise


async def deliver_with_progress(app: Application, issue_ids: Sequence[str]) -> DeliveryProgress:
    """Deliver these issues and return the states of their deliveries; Ctrl-C pauses them.

    Raises typer.Exit after Ctrl-C.
    """
    command = _resume_command(issue_ids)
    with stop_event(command) as stopping, progress("Sending", rate=True) as report:
        done = await deliver_issues(app, issue_ids, stopping=stopping, progress=report)
    for problem in done.problems:
        print_message(problem)
    if done.paused:
        sent = f"{done.states[DeliveryState.SENT]:,} of {done.states.total():,} sent"
        print_message(f"Paused: {sent}, {done.waiting:,} waiting. To continue: {command}")
        if stopping.is_set():
            raise typer.Exit(EXIT_INTERRUPTED)
    if done.will_be_retried(resend=app.settings.mail.on_uncertain == "resend"):
        print_message(
            "The mails that were not sent wait in the outbox. A running service, or caveat deliver, "
            "will send them."
        )
    return done


def print_lifted_pauses(resumed: ResumeResult) -> None:
    """Print which pauses were ended."""
    pause = resumed.sending_pause
    if pause is not None:
        since = local_time(pause.since)
        print_message(f"The pause of all sending since {since} has ended; its reason was: {pause.reason}.")
    for issue_id, waiting in resumed.deliveries.items():
        released = quantity(waiting, "delivery", "deliveries")
        print_message(f"Issue {issue_id[:SHORT_ID_CHARACTERS]}: {released} released.")
    if not resumed.deliveries:
        nothing = "No issue is paused" if pause else "Neither an issue nor all sending is paused"
        print_message(f"{nothing}; caveat deliver sends the deliveries that are due.")


def _resume_command(issue_ids: Sequence[str]) -> str:
    """Return the command that resumes these issues, as it must be typed in this shell."""
    names = [issue_id[:SHORT_ID_CHARACTERS] for issue_id in issue_ids]
    folder = str(context.options().config)
    is_default = folder in (str(context.DEFAULT_FOLDER), os.environ.get("CAVEAT_CONFIG"))
    config = [] if is_default else ["--config", folder]
    which = names if len(names) <= MAX_NAMED_ISSUES else ["--all"]
    return shlex.join(["caveat", *config, "issue", "resume", *which])
