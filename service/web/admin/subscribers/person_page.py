"""One subscriber: memberships, preferences, and what they got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.people.person import (
    Person,
    change_person,
    change_preferences,
    history_of,
    person_of,
)
from service.core.errors import UsageError
from service.core.model import Membership
from service.web.admin.context import AdminContext
from service.web.admin.subscribers.preference_fields import FORMATS, preference_fields, typed_texts
from service.web.pages import zone_names

WAYS = {
    "form": "by the sign-up form",
    "invitation": "by an invitation",
    "preferences": "on their preferences page",
    "file": "in subscribers.yaml",
    "import": "in an imported file",
    "editor": "added by an editor",
    "api": "added by a program",
}
"""How a subscription came about."""


async def show_person(context: AdminContext) -> Response:
    """Show the subscriber."""
    return await person_page(context, await required_person(context))


async def act_person(context: AdminContext) -> Response:
    """Change name and time zone."""
    person = await required_person(context)
    try:
        await change_person(context.app, person, context.value("name"), context.value("timezone"))
    except UsageError as error:
        return await person_page(context, person, problem=error.sentence)
    await context.record("subscriber_changed", person.subscriber.id, fields="name, timezone")
    return context.redirect(f"/subscribers/{person.subscriber.id}", done="saved")


async def act_preferences(context: AdminContext) -> Response:
    """Store the preferences for one newsletter, or show the form again with its problems."""
    person = await required_person(context)
    newsletter = context.value("newsletter")
    texts, unclear = typed_texts(context.fields)
    try:
        problems = await change_preferences(context.app, person, newsletter, texts, dry_run=bool(unclear))
    except UsageError as error:
        return await person_page(context, person, problem=error.sentence)
    problems = {**problems, **unclear}
    if problems:
        return await person_page(context, person, edited=newsletter, texts=texts, problems=problems)
    await context.record("subscriber_preferences", person.subscriber.id, newsletter=newsletter)
    return context.redirect(f"/subscribers/{person.subscriber.id}", done="saved")


async def required_person(context: AdminContext) -> Person:
    """Return the subscriber of the path. Raises HTTPException 404."""
    person = await person_of(context.app, context.path("person"))
    if person is None:
        raise HTTPException(404, "There is no such subscriber. They may have been erased.")
    return person


async def person_page(
    context: AdminContext,
    person: Person,
    *,
    problem: str = "",
    edited: str = "",
    texts: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response:
    """Return the page; `edited` is the newsletter (id) whose form has been typed, with these problems."""
    forms = [
        (
            membership,
            preference_fields(
                membership,
                _known(context, membership),
                texts if texts and membership.subscription.newsletter == edited else None,
                (problems or {}) if membership.subscription.newsletter == edited else {},
            ),
        )
        for membership in person.memberships
    ]
    before = context.query("before")
    deliveries, has_older = await history_of(context.app, person.subscriber.id, before or None)
    return context.page(
        "subscribers/person.html",
        status=422 if problem or problems else 200,
        person=person,
        problem=problem,
        edited=edited,
        forms=forms,
        in_file=_newsletters_of_file(person),
        titles={one.id: one.title for one in context.app.roster.newsletters},
        deliveries=deliveries,
        before=before,
        older=deliveries[-1].issue_id if has_older else "",
        language_name=context.pages.local.language_name,
        ways=WAYS,
        zones=zone_names(),
    )


def _known(context: AdminContext, membership: Membership) -> dict[str, Sequence[str]]:
    """Return the values to choose from, by preference, as the subscriber's own page offers them."""
    app, edition = context.app, membership.edition
    newsletter = app.roster.newsletter(membership.subscription.newsletter)
    languages = app.self_service.languages(newsletter) if newsletter else ()
    return {
        "topics": (*app.self_service.topics, *edition.topics),
        "languages": (*languages, *edition.languages),
        "language": (*context.pages.mail_languages, edition.language),
        "format": FORMATS,
    }


def _newsletters_of_file(person: Person) -> set[str]:
    return {name for name, _ in person.entry.newsletters} if person.entry else set()
