"""The import of a file: upload, dry run, the import with its progress, and the refused rows."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from service.app.background_jobs import Job
from service.app.people.imports import (
    MAX_UPLOAD_BYTES,
    ImportReport,
    WaitingFile,
    find_job,
    find_upload,
    keep_upload,
    refused_csv,
    start_import,
)
from service.core.errors import UsageError
from service.web.admin.context import AdminContext
from service.web.pages import NO_STORE_HEADERS
from service.web.server_sent_events import EventState, event_response

SHOWN_ROWS = 50  # refused rows on the page; the download has more
FIRST_WAIT_SECONDS = 1.0  # in which most dry runs end, so that the next page shows their result


async def show_import(context: AdminContext) -> Response:
    """Show the form."""
    return _form(context, "")


async def act_check(context: AdminContext) -> Response:
    """Keep the file and start its dry run."""
    given = context.uploads.get("file")
    newsletters = tuple(dict.fromkeys(context.fields.get("newsletter", [])))
    try:
        name, data = (given.name, given.data) if given else ("file", b"")
        upload = await keep_upload(context.app, name, data, newsletters)
        job = start_import(context.app, upload, dry_run=True)
    except UsageError as error:
        return _form(context, error.sentence)
    await job.wait(FIRST_WAIT_SECONDS)
    return context.redirect(f"/subscribers/import/{upload.key}")


async def show_upload(context: AdminContext) -> Response:
    """Show the dry run, or the import, of an uploaded file."""
    key = context.path("key")
    job = find_job(context.app, key, dry_run=False)
    upload = job.about if job is not None and isinstance(job.about, WaitingFile) else None
    upload = upload or await find_upload(context.app, key)
    if upload is None:
        raise HTTPException(404, "This file is not kept any more. Upload it again.")
    check = find_job(context.app, key, dry_run=True)
    if job is None and check is None:  # the service was restarted
        check = start_import(context.app, upload, dry_run=True)
        await check.wait(FIRST_WAIT_SECONDS)
    shown = job or check
    report = shown.result if shown is not None and isinstance(shown.result, ImportReport) else None
    return context.page(
        "subscribers/upload.html",
        upload=upload,
        job=shown,
        is_import=job is not None,
        report=report,
        percent=_percent(shown) if shown else 0,
        shown_rows=report.refused[:SHOWN_ROWS] if report else (),
    )


async def act_import(context: AdminContext) -> Response:
    """Start the import; a repeated request finds the one that runs."""
    key = context.path("key")
    upload = await find_upload(context.app, key)
    if upload is None:
        if find_job(context.app, key, dry_run=False) is None:
            raise HTTPException(404, "This file is not kept any more. Upload it again.")
        return context.redirect(f"/subscribers/import/{key}")
    if find_job(context.app, key, dry_run=False) is None:
        await context.record("subscribers_imported", key, file=upload.name)
    start_import(context.app, upload, dry_run=False)
    return context.redirect(f"/subscribers/import/{key}")


async def refused_rows(context: AdminContext) -> Response:
    """Return the refused rows as CSV, without a cell that a spreadsheet takes for a formula."""
    report = _latest_report(context)
    if report is None:
        raise HTTPException(404, "This list is not kept any more. Upload the file again.")
    headers = {**NO_STORE_HEADERS, "Content-Disposition": 'attachment; filename="refused-rows.csv"'}
    return StreamingResponse(
        refused_csv(report.refused), headers=headers, media_type="text/csv; charset=utf-8"
    )


async def events(context: AdminContext) -> Response:
    """Stream the progress."""
    key = context.path("key")

    async def read() -> EventState:
        job = find_job(context.app, key, dry_run=False) or find_job(context.app, key, dry_run=True)
        if job is None:
            return EventState({}, is_last=True)
        return EventState(
            {"step": job.step or "0 people", "percent": _percent(job)}, is_last=not job.is_running
        )

    return event_response(context.request, context.account.id, read)


def _latest_report(context: AdminContext) -> ImportReport | None:
    key = context.path("key")
    for dry_run in (False, True):
        job = find_job(context.app, key, dry_run=dry_run)
        if job is not None and isinstance(job.result, ImportReport):
            return job.result
    return None


def _percent(job: Job) -> int:
    return 100 * job.done // job.total if job.total else 0


def _form(context: AdminContext, problem: str) -> Response:
    return context.page(
        "subscribers/import.html",
        status=422 if problem else 200,
        problem=problem,
        newsletters=context.app.roster.newsletters,
        chosen=context.fields.get("newsletter", []),
        megabytes=MAX_UPLOAD_BYTES // 2**20,
    )
