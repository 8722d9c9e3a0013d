"""OPML lists: preview of an import, the import, and the export."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.config.saved import saved_config
from service.app.feed_editor.changes import add_feeds
from service.app.feed_editor.opml import keep_opml, kept_opml, plan_opml
from service.app.feeds import write_opml_feeds
from service.core.errors import CaveatError, ConfigError, UsageError
from service.web.admin.context import AdminContext
from service.web.pages import NO_STORE_HEADERS

SHOWN_FEEDS, SHOWN_LINES = 100, 30  # of the preview; the others are counted


async def show_import(context: AdminContext) -> Response:
    """Show the form."""
    return _form(context)


async def act_check(context: AdminContext) -> Response:
    """Keep the list and show what its import would do; nothing is changed."""
    given = context.uploads.get("file")
    data = given.data if given else context.value("list").encode()
    try:
        key = await keep_opml(context.app, data)
    except UsageError as error:
        return _form(context, problem=error.sentence)
    return context.redirect(f"/feeds/import/{key}")


async def show_plan(context: AdminContext) -> Response:
    """Show what an import of the kept list would do."""
    key = context.path("key")
    plan = await plan_opml(context.app, _kept(context, key))
    return context.page(
        "feeds/opml_plan.html", key=key, plan=plan, shown_feeds=SHOWN_FEEDS, shown_lines=SHOWN_LINES
    )


async def act_import(context: AdminContext) -> Response:
    """Add the new feeds of the list to feeds.yaml."""
    data = _kept(context, context.path("key"))
    try:
        plan = await plan_opml(context.app, data)
        if plan.new:
            await add_feeds(context.app, plan.new)
    except ConfigError as error:
        return _form(context, faults=error.faults)
    except CaveatError as error:
        return _form(context, problem=error.sentence)
    if not plan.new:
        return context.redirect("/feeds", done="unchanged")
    await context.record("feeds_imported", count=len(plan.new))
    return context.redirect("/feeds", done="imported")


async def export(context: AdminContext) -> Response:
    """Return the feeds as an OPML file."""
    saved = await saved_config(context.app)
    loaded = saved.loaded or saved.last_valid
    if loaded is None:
        raise HTTPException(503, "The configuration has errors, so the feeds cannot be read. See Settings.")
    name = f"feeds-{context.app.clock():%Y-%m-%d}.opml"
    headers = {**NO_STORE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    data = await asyncio.to_thread(write_opml_feeds, loaded)
    return Response(data, headers=headers, media_type="text/x-opml; charset=utf-8")


def _kept(context: AdminContext, key: str) -> bytes:
    """Return the kept list. Raises HTTPException 404 for none."""
    data = kept_opml(context.app, key)
    if data is None:
        raise HTTPException(404, "This list is not kept any more. Choose the file again.")
    return data


def _form(context: AdminContext, *, problem: str = "", faults: object = ()) -> Response:
    return context.page(
        "feeds/opml.html",
        status=422 if problem or faults else 200,
        problem=problem,
        faults=faults,
        text=context.value("list")[:20_000],
    )
