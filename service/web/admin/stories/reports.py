"""Readers' reports that wait for an editor, and the download of all labels."""

from __future__ import annotations

from starlette.responses import Response, StreamingResponse

from service.app.articles.label_actions import label_name
from service.app.articles.label_export import label_lines
from service.app.articles.reader_reports import MAX_REPORTS, open_reports
from service.core.model import AccountRole
from service.web.admin.context import AdminContext
from service.web.pages import NO_STORE_HEADERS


async def show_reports(context: AdminContext) -> Response:
    """Show the latest reports, each with its sentence and two decisions."""
    reports = await open_reports(context.app)
    return context.page(
        "stories/reports.html",
        reports=reports,
        is_full=len(reports) == MAX_REPORTS,
        label_name=label_name,
        may_edit=context.account.role.includes(AccountRole.EDITOR),
    )


async def export_labels(context: AdminContext) -> Response:
    """Return all labels as JSON lines, as `caveat label export` prints them."""
    await context.record("labels_exported")
    name = f"labels-{context.app.clock():%Y-%m-%d}.jsonl"
    headers = {**NO_STORE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(label_lines(context.app), headers=headers, media_type="application/x-ndjson")
