"""One subscriber: memberships, preferences, and what they got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.people.person import (
    Person,
    change_person,
    change_preferences,
    history_of,
    person_of,
)
from service.app.people.typed_preferences import MAX_TYPED_CHARACTERS, shown, typed
from service.core.errors import UsageError
from service.core.model import PREFERENCE_FIELDS, Membership
from service.web.admin.context import AdminContext
from service.web.pages import zone_names

FIELDS: Mapping[str, tuple[str, str]] = {
    "schedule": ("Schedule", "Such as daily 07:00, weekdays 06:30,18:00 or weekly mon,thu 08:00."),
    "timezone": ("Time zone", "Such as Asia/Qatar."),
    "topics": ("Topics", "With commas between them; all means every topic."),
    "stories": ("Stories with key points", "1 to 50."),
    "points": ("Key points of a story", "1 to 12."),
    "minutes": ("Minutes to read an issue", "1 to 60."),
    "language": ("Language of the mail", "Such as en."),
    "format": ("Format", "html or text."),
    "languages": ("Languages of articles", "Such as en, fr; all means every language."),
    "follow": ("Words to follow", "With commas between them; none means no words."),
    "mute": ("Words to mute", "With commas between them; none means no words."),
}
"""Label and hint of each preference."""


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


@dataclass(frozen=True, slots=True)
class PreferenceField:
    """A field of the form: the typed text, what holds now, and a problem."""

    name: str
    label: str
    hint: str
    value: str
    now: str
    problem: str


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
    texts = {name: context.value(name)[:MAX_TYPED_CHARACTERS] for name in PREFERENCE_FIELDS}
    try:
        problems = await change_preferences(context.app, person, newsletter, texts)
    except UsageError as error:
        return await person_page(context, person, problem=error.sentence)
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
            _fields(
                membership,
                texts if texts and membership.subscription.newsletter == edited else None,
                (problems or {}) if membership.subscription.newsletter == edited else {},
            ),
        )
        for membership in person.memberships
    ]
    return context.page(
        "subscribers/person.html",
        status=422 if problem or problems else 200,
        person=person,
        problem=problem,
        edited=edited,
        forms=forms,
        in_file=_newsletters_of_file(person),
        titles={one.id: one.title for one in context.app.roster.newsletters},
        deliveries=await history_of(context.app, person.subscriber.id),
        ways=WAYS,
        zones=zone_names(),
    )


def _fields(
    membership: Membership, texts: Mapping[str, str] | None, problems: Mapping[str, str]
) -> list[PreferenceField]:
    stored = typed(membership.subscription.preferences) if texts is None else texts
    return [
        PreferenceField(
            name,
            *FIELDS[name],
            stored[name],
            shown(name, _in_force(membership, name)),
            problems.get(name, ""),
        )
        for name in FIELDS
    ]


def _in_force(membership: Membership, name: str) -> Any:  # noqa: ANN401 - the type of the preference
    return getattr(membership.edition, name)


def _newsletters_of_file(person: Person) -> set[str]:
    return {name for name, _ in person.entry.newsletters} if person.entry else set()
