"""The first page: what goes out when and to how many, and what needs attention."""

from __future__ import annotations

from starlette.responses import Response

from service.web.admin.context import AdminContext


async def show(context: AdminContext) -> Response:
    """Show the page."""
    return context.page("today/today.html")
