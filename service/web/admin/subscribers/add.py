"""The form that adds one person."""

from __future__ import annotations

from starlette.responses import Response

from service.app.people.person import add_person
from service.core.errors import UsageError
from service.core.validators import InvalidValue
from service.web.admin.context import AdminContext
from service.web.pages import zone_names

MAX_CONSENT_CHARACTERS = 500


async def show_add(context: AdminContext) -> Response:
    """Show the empty form."""
    return _page(context, "", [])


async def act_add(context: AdminContext) -> Response:
    """Subscribe the person, or show the form again with its problem."""
    newsletters = context.fields.get("newsletter", [])
    consent = context.value("consent")[:MAX_CONSENT_CHARACTERS]
    try:
        person = await add_person(
            context.app,
            context.value("email"),
            newsletters,
            name=context.value("name"),
            timezone=context.value("timezone"),
            consent=consent,
        )
    except UsageError as error:
        return _page(context, error.sentence, newsletters, is_address=isinstance(error, InvalidValue))
    await context.record("subscriber_added", person, newsletters=", ".join(newsletters), consent=consent)
    return context.redirect(f"/subscribers/{person}", done="added")


def _page(
    context: AdminContext, problem: str, newsletters: list[str], *, is_address: bool = False
) -> Response:
    return context.page(
        "subscribers/add.html",
        status=422 if problem else 200,
        problem=problem,
        is_address=is_address,
        newsletters=context.app.roster.newsletters,
        chosen=newsletters,
        typed={name: context.value(name) for name in ("email", "name", "timezone", "consent")},
        zones=zone_names(),
    )
