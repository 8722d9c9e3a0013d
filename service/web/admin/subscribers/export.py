"""The download of all subscribers, streamed."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from service.app.subscribers import export_lines
from service.web.admin.context import AdminContext
from service.web.pages import NO_STORE_HEADERS

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


async def export(context: AdminContext) -> Response:
    """Return the subscribers of a newsletter, or all, as a file; the audit log names who took it."""
    form, newsletter = context.query("form", "csv"), context.query("newsletter")
    if form not in MEDIA_TYPES:
        raise HTTPException(404)
    if newsletter and context.app.roster.newsletter(newsletter) is None:
        raise HTTPException(404, "There is no such newsletter.")
    await context.record("subscribers_exported", form=form, newsletter=newsletter or "every newsletter")
    name = f"subscribers-{context.app.clock():%Y-%m-%d}.{form}"
    headers = {**NO_STORE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    lines = export_lines(context.app, form, newsletter or None)
    return StreamingResponse(lines, headers=headers, media_type=MEDIA_TYPES[form])
