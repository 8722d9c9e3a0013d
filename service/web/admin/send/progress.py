"""The page of a send: its progress, pause, resume, and cancel after a preview of what that does."""

from __future__ import annotations

import re
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.background_jobs import Job
from service.app.sending.progress import SendPhase, SendProgress, send_progress
from service.app.sending.started_sends import (
    find_send,
    job_of,
    left_out_addresses,
    preview_cancel,
    running_action,
    start_cancel,
    start_pause,
    start_resume,
)
from service.core.model import ManualSend
from service.web.admin.context import AdminContext
from service.web.server_sent_events import EventState, SharedReads, event_response

PLANNING = "planning"
"""Phase of a send whose issues are still composed."""

WAIT_SECONDS = 2.0  # for a pause or cancellation before the page is shown
CHEAP_SECONDS = 0.2  # a send whose numbers are read faster shows them as they are now
_ID = re.compile(r"[0-9a-f]{8,64}")
NO_SEND = (
    "There is no send of this id. If it was just started, the service was restarted before anything was "
    "recorded: then nothing was sent, and it can be started again."
)
MAX_LISTED = 50  # issues, problems and left out addresses on the page

_progress: SharedReads[str, SendProgress] = SharedReads()


async def show(context: AdminContext) -> Response:
    """Show the send: what is composed, queued, sent, refused; or why it could not be made."""
    send_id = _send_id(context)
    planned = await find_send(context.app, send_id)
    if planned is None:
        job = job_of(context.app, send_id)
        if job is None:
            raise HTTPException(404, NO_SEND)
        return context.page("send/planning.html", job=job, send_id=send_id, about=job.about)
    progress = await _progress.get(
        send_id, lambda: send_progress(context.app, planned), cheap_seconds=CHEAP_SECONDS
    )
    queries = context.app.queries
    issues = [one for issue in planned.issues[:MAX_LISTED] for one in await queries.issues_by_prefix(issue)]
    return context.page(
        "send/send.html",
        send=planned,
        progress=progress,
        values=_values(progress),
        issues=issues,
        newsletter=_title(context, issues[0].newsletter) if issues else "",
        acting=running_action(context.app, planned.id) is not None,
        left_out=await left_out_addresses(context.app, planned, MAX_LISTED),
        follows=progress.phase in (SendPhase.SENDING, SendPhase.PAUSED),
    )


async def events(context: AdminContext) -> Response:
    """Stream the progress; the stream ends when the phase is no longer that of the page."""
    send_id, shown, app = _send_id(context), context.query("phase"), context.app
    if job_of(app, send_id) is None and await find_send(app, send_id) is None:
        raise HTTPException(404, NO_SEND)

    async def read() -> EventState:
        job = job_of(app, send_id)
        if job is not None and job.is_running:
            values = {"step": job.step, "done": job.done, "total": job.total}
            return EventState(values, is_last=shown != PLANNING)
        planned = await find_send(app, send_id)
        if planned is None or shown == PLANNING:
            return EventState({}, is_last=True)
        progress = await _progress.get(send_id, lambda: send_progress(app, planned))
        return EventState(_values(progress), is_last=progress.phase != shown)

    return event_response(context.request, context.account.id, read)


async def pause(context: AdminContext) -> Response:
    """Pause the send."""
    planned = await _send(context)
    return await _act(context, planned, start_pause(context.app, planned), "paused")


async def resume(context: AdminContext) -> Response:
    """Resume the send."""
    planned = await _send(context)
    return await _act(context, planned, start_resume(context.app, planned), "resumed")


async def ask_cancel(context: AdminContext) -> Response:
    """Show what cancelling would do, with a button that does it."""
    planned = await _send(context)
    counts = await preview_cancel(context.app, planned)
    waiting = 0
    if counts is None:
        progress = await _progress.get(planned.id, lambda: send_progress(context.app, planned))
        waiting = progress.queued + progress.deferred
    number = waiting if counts is None else counts.cancelled
    return context.page("send/cancel.html", send=planned, counts=counts, number=number)


async def cancel(context: AdminContext) -> Response:
    """Cancel the deliveries that wait."""
    planned = await _send(context)
    return await _act(context, planned, start_cancel(context.app, planned), "cancelled")


async def _act(context: AdminContext, planned: ManualSend, job: Job, done: str) -> Response:
    """Record what was started, wait for it a little, and show the page of the send."""
    issues = await context.app.queries.issues_by_prefix(planned.issues[0]) if planned.issues else ()
    newsletter = issues[0].newsletter if issues else ""
    await context.record(f"send_{done}", planned.id, newsletter=newsletter)
    await job.wait(WAIT_SECONDS)
    _progress.forget(planned.id)
    return context.redirect(f"/send/{planned.id}", done=done)


async def _send(context: AdminContext) -> ManualSend:
    """Return the send of the path. Raises HTTPException 404."""
    found = await find_send(context.app, _send_id(context))
    if found is None:
        raise HTTPException(404, NO_SEND)
    return found


def _send_id(context: AdminContext) -> str:
    send_id = context.path("send")
    if not _ID.fullmatch(send_id):
        raise HTTPException(404, NO_SEND)
    return send_id


def _title(context: AdminContext, newsletter: str) -> str:
    found = context.app.roster.newsletter(newsletter)
    return found.title if found else newsletter


def _values(progress: SendProgress) -> dict[str, object]:
    """Return what the page and its events show, by the names of the page's fields."""
    names = ("total", "queued", "sent", "refused", "deferred", "uncertain", "suppressed", "cancelled")
    return {
        "phase": progress.phase.value,
        **{name: getattr(progress, name) for name in names},
        "ended": progress.ended,
        "rate": "not measured yet" if progress.per_minute is None else f"{progress.per_minute:,} a minute",
        "remaining": _duration(progress.remaining),
    }


def _duration(length: timedelta | None) -> str:
    """Return a duration in words, rounded up: `about 3 min`."""
    if length is None:
        return "not known yet"
    seconds = int(length.total_seconds())
    if seconds < 90:
        return f"about {max(seconds, 1)} s"
    minutes = -(-seconds // 60)
    return f"about {minutes} min" if minutes < 120 else f"about {-(-minutes // 60)} h"
