"""The end of a newsletter: what it would do to its readers, its id typed to confirm, and its removal."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.newsletters.editing import (
    FileChanged,
    NewslettersFile,
    drafted_removal,
    read_newsletters_file,
    require_unchanged,
)
from service.app.newsletters.overview import newsletters_overview
from service.core.errors import ConfigError, Fault
from service.web.admin.context import AdminContext
from service.web.admin.newsletters.form import HASH
from service.web.admin.newsletters.saving import Change, save_change

TYPED = "typed"


async def show_removal(context: AdminContext) -> Response:
    """Show how many readers lose the newsletter, and the field to confirm it."""
    return await _page(context, await read_newsletters_file(context.app))


async def remove(context: AdminContext) -> Response:
    """Remove the newsletter if its id was typed and nothing refers to it."""
    file, name = await read_newsletters_file(context.app), context.path("newsletter")
    entry = file.entry(name)
    if entry is None:
        raise HTTPException(404, f"There is no newsletter {name!r} in newsletters.yaml.")
    if context.value(TYPED).strip() != name:
        return await _page(context, file, status=422, problem=f"Type the id {name} to remove the newsletter.")
    try:
        require_unchanged(file, context.value(HASH))
        draft = drafted_removal(file, name)
        change = Change(
            "newsletter_removed", name, str(entry.get("title", name)), draft, "/newsletters", "removed"
        )
        return await save_change(context, change)
    except FileChanged as changed:
        return await _page(context, changed.file, status=409, problem=f"{changed.sentence}.")
    except ConfigError as error:
        return await _page(context, file, status=422, faults=error.faults)


async def _page(
    context: AdminContext,
    file: NewslettersFile,
    *,
    status: int = 200,
    problem: str = "",
    faults: tuple[Fault, ...] = (),
) -> Response:
    name = context.path("newsletter")
    entry = file.entry(name)
    if entry is None:
        raise HTTPException(404, f"There is no newsletter {name!r} in newsletters.yaml.")
    found = next((one for one in await newsletters_overview(context.app) if one.newsletter.id == name), None)
    return context.page(
        "newsletters/remove.html",
        status=status,
        id=name,
        title=str(entry.get("title", name)),
        readers=found.readers if found else 0,
        file_hash=file.hash,
        hash_field=HASH,
        typed_field=TYPED,
        problem=problem,
        faults=faults,
    )
