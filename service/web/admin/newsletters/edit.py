"""One newsletter: its form, the check of typed values, the consequences, and saving."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.config.saved import saved_config
from service.app.newsletters.editing import (
    FileChanged,
    NewslettersFile,
    drafted_change,
    read_newsletters_file,
    require_unchanged,
    theme_names,
)
from service.app.newsletters.overview import newsletters_overview
from service.app.newsletters.values import problems_of, typed_of, yaml_values
from service.core.errors import ConfigError
from service.core.schedules.words import schedule_words
from service.web.admin.context import AdminContext
from service.web.admin.newsletters.form import (
    HASH,
    NewsletterSettingsForm,
    form_page,
    typed_form,
    with_others,
)
from service.web.admin.newsletters.saving import Change, save_change

FIXED_ID = "The id stays while somebody gets the newsletter: their subscriptions belong to it."


async def show_newsletter(context: AdminContext) -> Response:
    """Show the form with the values of the file."""
    try:
        file = await read_newsletters_file(context.app)
    except ConfigError as error:
        return context.page("newsletters/broken.html", status=422, faults=error.faults)
    form = await _stored(context, file)
    return await form_page(context, form, **await _facts(context, form.id))


async def save(context: AdminContext) -> Response:
    """Check the typed values, show what they would do to readers, and save them."""
    file = await read_newsletters_file(context.app)
    stored = await _stored(context, file)
    typed = {**typed_form(context)}
    form = replace(stored, typed=typed, file_hash=context.value(HASH))
    facts = await _facts(context, form.id)
    values = yaml_values(typed)
    problems = problems_of(values, themes=await theme_names(context.app))
    if typed["id"] != form.id and stored.readers:
        problems["id"] = FIXED_ID
    elif typed["id"] != form.id and file.entry(typed["id"]):
        problems["id"] = f"There is a newsletter with the id {typed['id']!r} already."
    if problems:
        return await form_page(context, replace(form, problems=problems), status=422, **facts)
    try:
        require_unchanged(file, form.file_hash)
        draft = drafted_change(file, form.id, values)
        if not draft.changes:
            return context.redirect(f"/newsletters/{form.id}", done="unchanged")
        change = Change(
            "newsletter_changed", values["id"], values["title"], draft, f"/newsletters/{values['id']}"
        )
        return await save_change(context, change)
    except FileChanged as changed:
        now = typed_of(changed.file.entry(form.id) or {})
        return await form_page(context, with_others(form, changed, now), status=409, **facts)
    except ConfigError as error:
        return await form_page(context, replace(form, faults=error.faults), status=422, **facts)


async def _stored(context: AdminContext, file: NewslettersFile) -> NewsletterSettingsForm:
    """Return the form with the values of the file. Raises HTTPException 404 without one."""
    name = context.path("newsletter")
    entry = file.entry(name)
    if entry is None:
        raise HTTPException(404, f"There is no newsletter {name!r} in newsletters.yaml.")
    readers = next(
        (one.readers for one in await newsletters_overview(context.app) if one.newsletter.id == name), 0
    )
    return NewsletterSettingsForm(
        name, str(entry.get("title", name)), file.hash, typed_of(entry), readers=readers
    )


async def _facts(context: AdminContext, name: str) -> dict[str, Any]:
    """Return what the page says beside the form: the schedule in words, and whether the file is in force."""
    saved, in_force = await saved_config(context.app), context.app.roster.newsletter(name)
    newsletter = saved.newsletters.get(name) or in_force
    return {
        "when": schedule_words(newsletter.schedule) if newsletter else "",
        "timezone_of": newsletter.timezone if newsletter else "",
        "saved": saved,
        "held": await context.app.subscribers.roster_state.held(),
        "in_force": in_force is not None and saved.newsletters.get(name) == in_force,
        "has_preview": in_force is not None,
    }
