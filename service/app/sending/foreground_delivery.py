"""Foreground delivery: delivers some issues in a command, with progress, until done or stopped."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.app.sending.pausing import pause
from service.core.errors import StoreError
from service.core.model import DeliveryState
from service.core.progress import Progress, no_progress
from service.store.deliver import SqlDeliverStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

States = Counter[DeliveryState]

IN_PROGRESS = (DeliveryState.PLANNED, DeliveryState.ATTEMPTING)
OTHER_WORKER_SECONDS = 90.0
"""How long to wait for deliveries that another worker has leased: the lease of a dead worker ends then."""

POLL_SECONDS = 0.5
"""Minimum time between two reads of the delivery counts."""

POLL_COST_FACTOR = 20
"""The pause between two reads is at least this many times as long as a read, to bound the load."""

ANSWER_SECONDS = 60.0
"""How long the mail server may take to answer after a stop; then the delivery is uncertain."""


@dataclass(frozen=True, slots=True)
class DeliveryProgress:
    """Number of deliveries of some issues by state. `problems` are sentences about why some wait.

    `paused` deliveries wait until the issue is resumed.
    """

    states: States
    problems: tuple[str, ...] = ()
    paused: bool = False

    @property
    def waiting(self) -> int:
        """Number of deliveries that are neither sent nor failed for good."""
        return sum(self.states[state] for state in (*IN_PROGRESS, DeliveryState.DEFERRED))

    def will_be_retried(self, *, resend: bool) -> bool:
        """Return whether a worker will retry some of them; with `resend` also the uncertain ones."""
        uncertain = self.states[DeliveryState.UNCERTAIN] if resend else 0
        return not self.paused and bool(self.waiting + uncertain)


async def deliver_issues(
    app: Application,
    issue_ids: Sequence[str],
    *,
    stopping: asyncio.Event | None = None,
    progress: Progress = no_progress,
) -> DeliveryProgress:
    """Deliver what is due, and return the progress of these issues.

    Deliveries that another worker has leased are waited for. Once `stopping` is set, the issues are paused
    for all workers, and answers of the mail server to messages in flight are waited for. A cancellation
    after that ends at once, but not before the issues are paused.
    """
    stopping = stopping or asyncio.Event()
    reporting = asyncio.create_task(_report_progress(app, issue_ids, progress))
    marked = asyncio.Event()
    pausing = asyncio.create_task(_pause_when_stopped(stopping, app, issue_ids, marked))
    try:
        problems = await _deliver(app, issue_ids, stopping)
        if stopping.is_set():
            await pausing
    finally:
        if stopping.is_set():
            await marked.wait()
        reporting.cancel()
        pausing.cancel()
        # Wait until their connections are returned: a connection that is cancelled meanwhile hangs for ever.
        await asyncio.gather(reporting, pausing, return_exceptions=True)
    return DeliveryProgress(
        await app.queries.delivery_counts(issue_ids), problems, await _is_paused(app, issue_ids)
    )


async def _report_progress(app: Application, issue_ids: Sequence[str], progress: Progress) -> None:
    """Report the progress of all workers together, from the delivery counts, until cancelled."""
    now = asyncio.get_running_loop().time
    while True:
        began = now()
        with suppress(StoreError):
            states = await app.queries.delivery_counts(issue_ids)
            in_progress = sum(states[state] for state in IN_PROGRESS)
            progress(_failures(states), states.total() - in_progress, states.total())
        await asyncio.sleep(max(POLL_SECONDS, POLL_COST_FACTOR * (now() - began)))


async def _pause_when_stopped(
    stopping: asyncio.Event, app: Application, issue_ids: Sequence[str], marked: asyncio.Event
) -> None:
    """Pause the issues at a stop, and set `marked` as soon as no worker leases their deliveries."""
    await stopping.wait()
    try:
        await SqlDeliverStore(app.database).mark_paused(issue_ids, app.clock())
    finally:
        marked.set()
    await pause(app, issue_ids)


async def _deliver(app: Application, issue_ids: Sequence[str], stopping: asyncio.Event) -> tuple[str, ...]:
    """Deliver until no delivery of the issues is in progress, or a problem stops it; return the problems."""
    now = asyncio.get_running_loop().time
    until = now() + OTHER_WORKER_SECONDS
    while True:
        report = await app.deliver(stopping=stopping, grace=ANSWER_SECONDS)
        while not (report.problems or stopping.is_set() or now() > until):
            states = await app.queries.delivery_counts(issue_ids)
            if not any(states[state] for state in IN_PROGRESS) or await _is_paused(app, issue_ids):
                return ()
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), POLL_SECONDS)
            if (await app.pending_work()).deliveries:
                break
        else:
            return report.problems


async def _is_paused(app: Application, issue_ids: Sequence[str]) -> bool:
    issues = [issue for issue_id in issue_ids for issue in await app.queries.issues_by_prefix(issue_id)]
    return any(issue.paused_at and issue.books.waiting for issue in issues)


def _failures(states: States) -> str:
    """Return the failures so far, for the progress bar: `3 refused, 12 put off`."""
    words = {
        DeliveryState.REFUSED: "refused",
        DeliveryState.DEFERRED: "put off",
        DeliveryState.UNCERTAIN: "uncertain",
    }
    counted = [f"{states[state]:,} {word}" for state, word in words.items() if states[state]]
    return ", ".join(counted) or "0 refused"
