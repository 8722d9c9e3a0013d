"""A new newsletter: the empty form, and its entry in newsletters.yaml."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from service.app.newsletters.editing import (
    FileChanged,
    drafted_addition,
    read_newsletters_file,
    require_unchanged,
    theme_names,
)
from service.app.newsletters.fields import newsletter_fields
from service.app.newsletters.values import problems_of, yaml_values
from service.core.errors import ConfigError
from service.web.admin.context import AdminContext
from service.web.admin.newsletters.form import HASH, NewsletterSettingsForm, form_page, typed_form
from service.web.admin.newsletters.saving import Change, save_change

NEW = "New newsletter"


async def show_new(context: AdminContext) -> Response:
    """Show the form with the time zone of the pages, and nothing else."""
    try:
        file = await read_newsletters_file(context.app)
    except ConfigError as error:
        return context.page("newsletters/broken.html", status=422, faults=error.faults)
    typed = {**dict.fromkeys(newsletter_fields(), ""), "timezone": context.pages.timezone}
    return await form_page(context, NewsletterSettingsForm("", NEW, file.hash, typed))


async def add(context: AdminContext) -> Response:
    """Check the typed values and add the newsletter to the file."""
    file, typed = await read_newsletters_file(context.app), typed_form(context)
    form = NewsletterSettingsForm("", NEW, context.value(HASH), typed)
    values = yaml_values(typed)
    problems = problems_of(values, themes=await theme_names(context.app))
    if any(str(one.get("id", "")).casefold() == typed["id"].casefold() for one in file.entries):
        problems["id"] = f"There is a newsletter with the id {typed['id']!r} already."
    if problems:
        return await form_page(context, replace(form, problems=problems), status=422)
    try:
        require_unchanged(file, form.file_hash)
        draft = drafted_addition(file, values)
        change = Change("newsletter_added", values["id"], values["title"], draft, "/newsletters", "added")
        return await save_change(context, change)
    except FileChanged as changed:
        # Of a new newsletter only the id can collide with what somebody else saved, and it was checked.
        return await form_page(context, replace(form, file_hash=changed.file.hash), status=409, is_newer=True)
    except ConfigError as error:
        return await form_page(context, replace(form, faults=error.faults), status=422)
