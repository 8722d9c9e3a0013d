"""Sends that a page or program starts and then follows: each is a background job, once for its key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from service.app.background_jobs import Job
from service.app.issues import cancel, issue_named
from service.app.sending.manual_send import Recipients, send
from service.app.sending.pausing import pause, resume
from service.core.errors import CaveatError, IdempotencyKeyReused, UsageError
from service.core.model import ManualSend
from service.core.progress import Progress
from service.core.read_models import CancelCounts
from service.core.send_request import REPEAT_WINDOW, SendRequest
from service.store.sends import ManualSendStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

GROWTH = 1.1  # factor by which the recipients may have grown since they were counted
MIN_GROWTH = 5  # subscribers who may have come in any case
MAX_PREVIEWED = 50_000  # deliveries of a send whose cancellation is previewed: about 4 s
ACTIONS = ("pause", "resume", "cancel")


@dataclass(frozen=True, slots=True)
class StartedSend:
    """A send that was started: the `send_id` of its page, and whether this request started it."""

    send_id: str
    is_new: bool


async def start_send(app: Application, request: SendRequest, *, counted: int) -> StartedSend:
    """Start a send that was counted and confirmed, or find the one that it repeats.

    The request has an idempotency key. An equal request with another key within a minute is the same
    send: two tabs, or two people. Raises IdempotencyKeyReused if the key belongs to another request.
    """
    if not request.key:
        raise UsageError("a send that is started here needs an idempotency key")
    store, planned = ManualSendStore(app.database), request.as_send(app.clock())
    equal = replace(request, key="").as_send(app.clock())
    if recorded := await store.with_id(planned.id):
        if recorded.request != request.request_hash:
            raise IdempotencyKeyReused
        return StartedSend(recorded.id, is_new=False)
    if recent := await store.find(equal, REPEAT_WINDOW) or _planned_now(app, request):
        return StartedSend(recent.id, is_new=False)
    earlier = app.jobs.find(job_key(planned.id))
    if earlier is not None and not earlier.problem and earlier.about != request:
        raise IdempotencyKeyReused

    async def work(progress: Progress) -> ManualSend:
        def confirm(recipients: Recipients) -> None:
            _require_counted(recipients.count, counted)

        recorded = (await send(app, request, confirm=confirm, progress=progress)).planned
        if recorded.problems and not recorded.issues:
            raise CaveatError(" ".join(recorded.problems))  # nothing was recorded, so it can be repeated
        return recorded

    job = app.jobs.start(job_key(planned.id), app, work, about=request)
    return StartedSend(planned.id, is_new=job is not earlier)


def _planned_now(app: Application, request: SendRequest) -> ManualSend | None:
    """Return the equal send that this process is planning."""
    for job in app.jobs.running():
        if isinstance(job.about, SendRequest) and job.about.request_hash == request.request_hash:
            return job.about.as_send(app.clock())
    return None


async def find_send(app: Application, send_id: str) -> ManualSend | None:
    """Return the recorded send with this id."""
    return await ManualSendStore(app.database).with_id(send_id)


async def send_of_key(app: Application, key: str) -> ManualSend | None:
    """Return the recorded send with this idempotency key."""
    return await find_send(app, SendRequest("", None, key=key).as_send(app.clock()).id)


async def left_out_addresses(app: Application, planned: ManualSend, limit: int) -> list[tuple[str, str]]:
    """Return the first named addresses that a send left out, each with the reason."""
    found = []
    for subscriber_id, reason in list(planned.left_out.items())[:limit]:
        memberships = await app.subscribers.memberships(subscriber_id=subscriber_id)
        address = memberships[0].subscriber.email if memberships else "a person who was erased"
        found.append((address, reason))
    return found


def job_key(send_id: str) -> str:
    """Return the key of the job that plans a send."""
    return f"send {send_id}"


def job_of(app: Application, send_id: str) -> Job | None:
    """Return the job that plans, or planned, the send in this process."""
    return app.jobs.find(job_key(send_id))


def start_pause(app: Application, planned: ManualSend) -> Job:
    """Pause the deliveries of a send until it is resumed."""

    async def work(_progress: Progress) -> None:
        await pause(app, planned.issues)

    return _start_action(app, planned, "pause", work)


def start_resume(app: Application, planned: ManualSend) -> Job:
    """Resume a send, and end the pause of all sending, if there is one."""

    async def work(_progress: Progress) -> int:
        return sum((await resume(app, planned.issues)).deliveries.values())

    return _start_action(app, planned, "resume", work)


def start_cancel(app: Application, planned: ManualSend) -> Job:
    """Cancel the deliveries of a send that wait; one that was cancelled before is cancelled again."""

    async def work(progress: Progress) -> CancelCounts:
        await pause(app, planned.issues)
        counts = CancelCounts()
        for done, issue in enumerate(planned.issues):
            progress("Cancelling", done, len(planned.issues))
            counts += await cancel(app, await issue_named(app, issue))
        return counts

    return _start_action(app, planned, "cancel", work)


async def preview_cancel(app: Application, planned: ManualSend) -> CancelCounts | None:
    """Return what cancelling a send would do now; None for a send so large that this takes too long."""
    if planned.deliveries > MAX_PREVIEWED:
        return None
    counts = CancelCounts()
    for issue in planned.issues:
        counts += await cancel(app, await issue_named(app, issue), dry_run=True)
    return counts


def running_action(app: Application, send_id: str) -> Job | None:
    """Return the job that pauses, resumes or cancels the send now."""
    jobs = (app.jobs.find(f"{name} {send_id}") for name in ACTIONS)
    return next((job for job in jobs if job is not None and job.is_running), None)


def _start_action(
    app: Application, planned: ManualSend, name: str, work: Callable[[Progress], Awaitable[Any]]
) -> Job:
    """Start an action on a send as a job, after the one that runs: a million rows take many seconds."""
    earlier = running_action(app, planned.id)

    async def in_turn(progress: Progress) -> object:
        if earlier is not None:
            await earlier.ended.wait()
        return await work(progress)

    key = f"{name} {planned.id}"
    app.jobs.forget(key)
    return app.jobs.start(key, app, in_turn)


def _require_counted(recipients: int, counted: int) -> None:
    """Raise UsageError if clearly more people would get it than were counted and confirmed."""
    if recipients > max(counted * GROWTH, counted + MIN_GROWTH):
        raise UsageError(
            f"{counted:,} subscribers were counted, and now there are {recipients:,}; check it again"
        )
