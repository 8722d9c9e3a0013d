"""A config file, read-only: numbered lines with secrets hidden, and the faults beside their lines."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.config.listing import FILE_NAMES, list_file
from service.app.config.saved import saved_config
from service.core.model import AccountRole
from service.web.admin.context import AdminContext

PERSONAL_FILES = ("subscribers.yaml",)
"""Files with addresses of people, which the role viewer does not see."""


async def show_file(context: AdminContext) -> Response:
    """Show a window of a file, from the line of the query on."""
    name = context.path("file")
    if name not in FILE_NAMES:
        raise HTTPException(404)
    if name in PERSONAL_FILES and not context.account.role.includes(AccountRole.EDITOR):
        raise HTTPException(403, f"The addresses in {name} are shown to the role editor; yours is viewer.")
    typed = context.query("line")
    first = int(typed) if typed.isdecimal() and len(typed) < 9 else 1
    listing = await list_file(context.app.settings.folder, name, first)
    saved = await saved_config(context.app)
    found = (*saved.faults, *(saved.loaded.warnings if saved.loaded else ()))
    notes: dict[int, list[str]] = {}
    for fault in found:
        if fault.file == name:
            expected = f"; expected {fault.expected}" if fault.expected else ""
            notes.setdefault(fault.line, []).append(f"{fault.message}{expected}")
    return context.page("settings/file.html", listing=listing, files=FILE_NAMES, notes=notes)
