"""The form of a newsletter: fields with their typed values, problems, and what to choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.responses import Response

from service.app.newsletters.editing import FileChanged, theme_names
from service.app.newsletters.fields import field_groups, newsletter_fields
from service.app.newsletters.values import typed_values
from service.core.errors import Fault
from service.core.model import AccountRole
from service.web.admin.context import AdminContext
from service.web.pages import zone_names

HASH = "file"
"""Form field with the hash of the file from which the page was made."""

CONFIRMED = "confirmed"
"""Form field that the page with the consequences adds."""


@dataclass(frozen=True, slots=True)
class NewsletterSettingsForm:
    """The form as it is shown. `id` is "" for a new newsletter; `file_hash` names the file that it is of.

    `typed` is the text of every field, `problems` a sentence for some. `others` are the values that the file
    got from somebody else since then. `readers` forbid another id.
    """

    id: str
    title: str
    file_hash: str
    typed: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict)
    faults: Sequence[Fault] = ()
    others: Sequence[tuple[str, str, str]] = ()
    readers: int = 0


def typed_form(context: AdminContext) -> dict[str, str]:
    """Return the typed text of every field."""
    return typed_values(context.fields)


async def form_page(
    context: AdminContext,
    form: NewsletterSettingsForm,
    *,
    status: int = 200,
    **values: Any,  # noqa: ANN401 - what the template shows beside the form
) -> Response:
    """Return the page with the form."""
    roster = context.app.roster
    topics = {topic for feed in roster.feeds for topic in feed.possible_topics}
    languages = {feed.language for feed in roster.feeds if feed.language}
    return context.page(
        "newsletters/edit.html",
        status=status,
        form=form,
        groups=field_groups(),
        known={"topics": sorted(topics), "languages": sorted(languages)},
        themes=await theme_names(context.app),
        zones=zone_names(),
        may_edit=context.account.role.includes(AccountRole.EDITOR),
        hash_field=HASH,
        **values,
    )


def with_others(
    form: NewsletterSettingsForm, changed: FileChanged, now: Mapping[str, str]
) -> NewsletterSettingsForm:
    """Return the form with the values that the file has now beside those that were typed."""
    fields = newsletter_fields()
    others = [
        (fields[key].label, now[key], text)
        for key, text in form.typed.items()
        if sorted(now[key].split("\n")) != sorted(text.split("\n"))  # a form sends lists in its own order
    ]
    return replace(form, file_hash=changed.file.hash, others=others)
