"""Delivering some issues while somebody watches: how far they are, and how they are stopped."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.app.manual_send import pause
from service.core.errors import StoreError
from service.core.model import DeliveryState
from service.core.progress import Progress, no_progress
from service.store.deliver import SqlDeliverStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

States = Counter[DeliveryState]

IN_PROGRESS = (DeliveryState.PLANNED, DeliveryState.ATTEMPTING)
OTHER_WORKER_SECONDS = 90.0
"""Seconds to wait for deliveries that another worker took: until its lease runs out, should it be gone."""
POLL_SECONDS, POLL_COST_FACTOR = 0.5, 20
"""Seconds between two looks at the books, and how many times longer than a look at least."""
ANSWER_SECONDS = 60.0
"""How long the server may take, after a stop, to answer what it was given; then it is in doubt."""


@dataclass(frozen=True, slots=True)
class DeliveryProgress:
    """Where the deliveries of some issues stand, by number; `problems` are sentences about why some wait.

    `paused`: somebody stopped them, and they wait until they are resumed.
    """

    states: States
    problems: tuple[str, ...] = ()
    paused: bool = False

    @property
    def waiting(self) -> int:
        """How many are neither sent nor given up."""
        return sum(self.states[state] for state in (*IN_PROGRESS, DeliveryState.DEFERRED))

    def will_be_retried(self, *, resend: bool) -> bool:
        """Tell whether some are, without anybody asking for it; `resend`: those in doubt as well."""
        in_doubt = self.states[DeliveryState.UNCERTAIN] if resend else 0
        return not self.paused and bool(self.waiting + in_doubt)


async def deliver_issues(
    app: Application,
    issue_ids: Sequence[str],
    *,
    stopping: asyncio.Event | None = None,
    progress: Progress = no_progress,
) -> DeliveryProgress:
    """Deliver what is due, and return where the deliveries of these issues stand then.

    Where another worker took some of them, wait for it. Once `stopping` is set, all the issues are paused,
    for every worker; what is with the server already is waited for. Cancelled after that, it ends at once,
    but not before the issues are paused.
    """
    stopping = stopping or asyncio.Event()
    watching = asyncio.create_task(_watch(app, issue_ids, progress))
    flagged = asyncio.Event()
    pausing = asyncio.create_task(_pause_at(stopping, app, issue_ids, flagged))
    try:
        problems = await _carry(app, issue_ids, stopping)
        if stopping.is_set():
            await pausing
    finally:
        if stopping.is_set():
            await flagged.wait()
        watching.cancel()
        pausing.cancel()
        # A connection is given back before anything else may end: what is cut off in that hangs for ever.
        await asyncio.gather(watching, pausing, return_exceptions=True)
    return DeliveryProgress(
        await app.overview.delivery_counts(issue_ids), problems, await _is_paused(app, issue_ids)
    )


async def make_due_again(app: Application, issue_id: str, subscribers: Sequence[str]) -> int:
    """Make these people's (ids) deliveries of an issue due again, whatever came of them; return how many."""
    records = SqlDeliverStore(app.database)
    return await records.resend(issue_id, tuple(DeliveryState), app.clock(), subscribers=subscribers)


async def _watch(app: Application, issue_ids: Sequence[str], progress: Progress) -> None:
    """Tell from the books how far all workers together are, until cancelled."""
    now = asyncio.get_running_loop().time
    while True:
        began = now()
        with suppress(StoreError):
            states = await app.overview.delivery_counts(issue_ids)
            under_way = sum(states[state] for state in IN_PROGRESS)
            progress(_trouble(states), states.total() - under_way, states.total())
        await asyncio.sleep(max(POLL_SECONDS, POLL_COST_FACTOR * (now() - began)))


async def _pause_at(
    stopping: asyncio.Event, app: Application, issue_ids: Sequence[str], flagged: asyncio.Event
) -> None:
    """Pause all the issues at a stop, and set `flagged` as soon as nobody takes up any of them."""
    await stopping.wait()
    try:
        await SqlDeliverStore(app.database).mark_paused(issue_ids, app.clock())
    finally:
        flagged.set()
    await pause(app, issue_ids)


async def _carry(app: Application, issue_ids: Sequence[str], stopping: asyncio.Event) -> tuple[str, ...]:
    """Deliver until nothing of the issues is under way, or it is no use to go on; return the problems."""
    now = asyncio.get_running_loop().time
    until = now() + OTHER_WORKER_SECONDS
    while True:
        report = await app.deliver(stopping=stopping, grace=ANSWER_SECONDS)
        while not (report.problems or stopping.is_set() or now() > until):
            states = await app.overview.delivery_counts(issue_ids)
            if not any(states[state] for state in IN_PROGRESS) or await _is_paused(app, issue_ids):
                return ()
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), POLL_SECONDS)
            if (await app.unfinished()).deliveries:
                break
        else:
            return report.problems


async def _is_paused(app: Application, issue_ids: Sequence[str]) -> bool:
    lines = [line for issue_id in issue_ids for line in await app.overview.issues_by_prefix(issue_id)]
    return any(line.paused_at and line.books.waiting for line in lines)


def _trouble(states: States) -> str:
    """Return what did not go well so far: `3 refused, 12 put off`."""
    said = {
        DeliveryState.REFUSED: "refused",
        DeliveryState.DEFERRED: "put off",
        DeliveryState.UNCERTAIN: "uncertain",
    }
    counted = [f"{states[state]:,} {word}" for state, word in said.items() if states[state]]
    return ", ".join(counted) or "0 refused"
