"""Progress of a manual send: its deliveries by state, the rate, and when it will be done."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from service.core.model import DeliveryState, ManualSend
from service.store.sends import IssueMarks, ManualSendStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

RATE_PERIOD = timedelta(minutes=1)  # over which the rate is measured
LEAST_PERIOD = timedelta(seconds=2)  # below it, a rate says nothing
MAX_MEASURED = 200  # sends whose rate is measured at once

Measurement = tuple[datetime, int]
"""A time, and the number of deliveries that had ended by then."""


class SendPhase(StrEnum):
    """What a recorded send does. DONE: no delivery waits. CANCELLED: none will be attempted any more."""

    SENDING = "sending"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class SendProgress:
    """Numbers of deliveries. `queued` wait for their first attempt or are in transfer.

    `per_minute` is the present rate, and `remaining` the time that the rest takes at it; None if not known.
    """

    phase: SendPhase
    total: int = 0
    queued: int = 0
    sent: int = 0
    refused: int = 0
    deferred: int = 0
    uncertain: int = 0
    suppressed: int = 0
    cancelled: int = 0
    per_minute: int | None = None
    remaining: timedelta | None = None

    @property
    def ended(self) -> int:
        """The number of deliveries that are neither queued nor deferred."""
        return self.total - self.queued - self.deferred


class RateMeter:
    """The measurements of the last minute, by send (id)."""

    def __init__(self) -> None:
        self._measured: dict[str, deque[Measurement]] = {}

    def measure(self, send_id: str, at: datetime, ended: int) -> float | None:
        """Add a measurement; return the deliveries that ended in a second lately, None if not known yet."""
        if send_id not in self._measured and len(self._measured) >= MAX_MEASURED:
            self._measured.pop(next(iter(self._measured)))
        measurements = self._measured.setdefault(send_id, deque())
        measurements.append((at, ended))
        while measurements[0][0] < at - RATE_PERIOD:
            measurements.popleft()
        return rate_of(measurements)


def rate_of(measurements: Sequence[Measurement]) -> float | None:
    """Return the deliveries a second between the first and the last measurement; None in too short a time."""
    (first_at, first), (last_at, last) = measurements[0], measurements[-1]
    period = last_at - first_at
    return None if period < LEAST_PERIOD else (last - first) / period.total_seconds()


_METER = RateMeter()


async def send_progress(app: Application, send: ManualSend) -> SendProgress:
    """Return the progress of a send now."""
    states = await app.queries.delivery_counts(send.issues)
    marks = await ManualSendStore(app.database).issue_marks(send.issues)
    queued = states[DeliveryState.PLANNED] + states[DeliveryState.ATTEMPTING]
    deferred = states[DeliveryState.DEFERRED]
    phase = _phase(marks, queued + deferred)
    rate = remaining = None
    if phase is SendPhase.SENDING:
        rate = _METER.measure(send.id, app.clock(), states.total() - queued - deferred)
        remaining = timedelta(seconds=round(queued / rate)) if rate and queued else None
    return SendProgress(
        phase,
        states.total(),
        queued,
        states[DeliveryState.SENT],
        states[DeliveryState.REFUSED],
        deferred,
        states[DeliveryState.UNCERTAIN],
        states[DeliveryState.SUPPRESSED],
        states[DeliveryState.CANCELLED],
        None if rate is None else round(rate * 60),
        remaining,
    )


def _phase(marks: IssueMarks, waiting: int) -> SendPhase:
    if marks.issues and marks.cancelled == marks.issues:
        return SendPhase.CANCELLED
    if not waiting:
        return SendPhase.DONE
    return SendPhase.PAUSED if marks.paused > marks.cancelled else SendPhase.SENDING
