"""Pause, resume, unsubscribe, suppress and erase a subscriber."""

from __future__ import annotations

from datetime import date

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app import subscribers
from service.core.errors import UsageError
from service.web.admin.context import AdminContext
from service.web.admin.subscribers.person_page import person_page, required_person

DONE = {"pause": "paused", "resume": "resumed", "unsubscribe": "unsubscribed"}
MAX_REASON_CHARACTERS = 200


async def act_status(context: AdminContext) -> Response:
    """Pause, resume or unsubscribe: one newsletter, or all with an empty one."""
    person = await required_person(context)
    action, newsletter, until = context.value("action"), context.value("newsletter"), context.value("until")
    if action not in DONE:
        raise HTTPException(400)
    if newsletter and person.membership(newsletter) is None:
        raise HTTPException(404, "They are not subscribed to that newsletter.")
    try:
        if action == "pause" and until:
            day = _day(until)
            changed = await subscribers.pause_until(
                context.app, person.subscriber.id, newsletter or None, day
            )
        else:
            changed = await subscribers.set_status(
                context.app, action, person.subscriber.id, newsletter or None
            )
    except UsageError as error:
        return await person_page(context, person, problem=error.sentence)
    details = {"newsletter": newsletter or "every newsletter"}
    await context.record(f"subscriber_{DONE[action]}", person.subscriber.id, **details)
    done = DONE[action] if changed else "unchanged"
    return context.redirect(f"/subscribers/{person.subscriber.id}", done=done)


async def act_suppress(context: AdminContext) -> Response:
    """Suppress the address."""
    person = await required_person(context)
    reason = context.value("reason")[:MAX_REASON_CHARACTERS] or "suppressed by an editor"
    await subscribers.suppress(context.app, person.subscriber.email, reason)
    await context.record("subscriber_suppressed", person.subscriber.id, reason=reason)
    return context.redirect(f"/subscribers/{person.subscriber.id}", done="suppressed")


async def act_unsuppress(context: AdminContext) -> Response:
    """End the suppression of the address."""
    person = await required_person(context)
    ended = await subscribers.unsuppress(context.app, person.subscriber.email)
    await context.record("subscriber_unsuppressed", person.subscriber.id)
    done = "unsuppressed" if ended else "unchanged"
    return context.redirect(f"/subscribers/{person.subscriber.id}", done=done)


async def show_erase(context: AdminContext) -> Response:
    """Show what an erasure deletes, and ask for the address."""
    return context.page("subscribers/erase.html", person=await required_person(context), problem="")


async def act_erase(context: AdminContext) -> Response:
    """Erase the person if the typed address is theirs."""
    person = await required_person(context)
    problem = ""
    if person.entry is not None:
        problem = "This person is in subscribers.yaml. Remove them there first."
    elif context.value("address").casefold() != person.subscriber.email.casefold():
        problem = "This is not their address."
    if problem:
        return context.page("subscribers/erase.html", status=422, person=person, problem=problem)
    await subscribers.erase(context.app, person.subscriber.email)
    await context.record("subscriber_erased")  # without an id, which is a hash of the address
    return context.redirect("/subscribers", done="erased")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text[:40]!r} is no date; write it as 2026-08-15") from None
