"""Subscribers of the API: list, add with consent, change preferences, pause, unsubscribe, erase."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from service.app import subscribers
from service.app.api.subscribers import (
    NewPerson,
    add_subscriber,
    ask_for_consent,
    change_subscription,
    memberships,
)
from service.app.people.search import SubscriberFilter, find_subscribers
from service.core.errors import UsageError
from service.core.model import ApiScope, Membership, Preferences
from service.core.validators import read_email
from service.web.api.cursors import read_cursor, write_cursor
from service.web.api.operations import ApiCall, ApiReply, Operation, not_found
from service.web.api.problems import FieldProblem, InvalidFields
from service.web.api.resources.people import (
    AcceptedSubscriber,
    NewsletterChoice,
    NewSubscriber,
    PauseRequest,
    SubscriberList,
    SubscriberQuery,
    SubscriberResource,
    SubscriptionChange,
    subscriber_resource,
)


async def list_subscribers(call: ApiCall) -> SubscriberList:
    """Return a page of the subscribers, of those that match, or the one with an address."""
    query = call.query_as(SubscriberQuery)
    if query.has_filter:
        return await _search(call, query)
    after = await read_cursor(call)
    if query.email is not None:
        found: Sequence[Membership] = await call.app.subscribers.memberships(email=read_email(query.email))
    else:
        found = await call.app.subscribers.memberships_page(after, query.limit + 1)
    people = [list(theirs) for _, theirs in groupby(found, key=lambda one: one.subscriber.id)]
    shown = people[: query.limit]
    cursor = await write_cursor(call, shown[-1][0].subscriber.id) if len(people) > query.limit else None
    return SubscriberList(items=list(map(subscriber_resource, shown)), next_cursor=cursor)


async def _search(call: ApiCall, query: SubscriberQuery) -> SubscriberList:
    """Return a page of the subscribers that match; a sign-up that is not confirmed is no subscriber."""
    if query.email is not None:
        detail = "`email` goes without other conditions; `search` finds a part of an address."
        raise InvalidFields([FieldProblem(field="email", detail=detail)])
    after = await read_cursor(call)
    wanted = SubscriberFilter(
        query.search or "", query.newsletter or "", query.status, suppressed=query.suppressed
    )
    page = await find_subscribers(call.app, wanted, after=int(after) if after else None, limit=query.limit)
    theirs: dict[str, list[Membership]] = {person.id: [] for person in page.people}
    for membership in await call.app.subscribers.memberships_of(list(theirs)):
        theirs[membership.subscriber.id].append(membership)
    cursor = await write_cursor(call, str(page.next)) if page.next is not None else None
    return SubscriberList(
        items=[subscriber_resource(found) for found in theirs.values() if found], next_cursor=cursor
    )


async def get_subscriber(call: ApiCall) -> SubscriberResource:
    """Return one subscriber."""
    return subscriber_resource(await _memberships(call))


async def create_subscriber(call: ApiCall) -> ApiReply:
    """Subscribe a person who has consented, or ask them by mail."""
    asked = call.body_as(NewSubscriber)
    person = NewPerson(
        asked.email,
        asked.name or "",
        asked.timezone,
        tuple(asked.newsletters),
        Preferences(**asked.preferences.values()),
    )
    if asked.consent == "ask":
        if asked.name or asked.preferences.model_fields_set:
            raise UsageError("with `consent` ask, the person chooses their name and preferences themselves")
        await ask_for_consent(call.app, person)
        await call.record("subscriber_asked", newsletters=asked.newsletters)
        return ApiReply(AcceptedSubscriber(subscriber=None, is_new=False), 202)
    added = await add_subscriber(call.app, person)
    if added.new:
        await call.record("subscriber_added", added.id, newsletters=asked.newsletters)
    body = subscriber_resource(await memberships(call.app, added.id))
    headers = {"Location": call.url(f"/subscribers/{added.id}")}
    return ApiReply(
        AcceptedSubscriber(subscriber=body, is_new=bool(added.new)), 201 if added.new else 200, headers
    )


async def change_subscriber(call: ApiCall) -> SubscriberResource:
    """Change preferences or status of one subscription."""
    asked, newsletter = call.body_as(SubscriptionChange), call.path("newsletter")
    if asked.paused_until is not None and asked.status != "paused":
        detail = "`paused_until` needs `status` paused."
        raise InvalidFields([FieldProblem(field="paused_until", detail=detail)])
    theirs = {one.subscription.newsletter: one for one in await _memberships(call)}
    if newsletter not in theirs:
        not_found("subscription of this subscriber")
    problems = await change_subscription(
        call.app,
        theirs[newsletter],
        asked.preferences.values(),
        asked.new_status,
        asked.paused_until,
    )
    if problems:
        raise InvalidFields([FieldProblem(field=name, detail=text) for name, text in problems.items()])
    changed = sorted(asked.preferences.model_fields_set | asked.model_fields_set - {"preferences"})
    await call.record("subscription_changed", call.path("subscriber"), newsletter=newsletter, fields=changed)
    return await get_subscriber(call)


async def pause_subscriber(call: ApiCall) -> SubscriberResource:
    """Pause one subscription, or all."""
    asked = call.body_as(PauseRequest)
    person = await _chosen(call, asked.newsletter)
    if asked.until is None:
        await subscribers.set_status(call.app, "pause", person, asked.newsletter)
    else:
        await subscribers.pause_until(call.app, person, asked.newsletter, asked.until)
    await call.record("subscriber_paused", person, newsletter=asked.newsletter)
    return await get_subscriber(call)


async def resume_subscriber(call: ApiCall) -> SubscriberResource:
    """Resume one subscription, or all paused ones."""
    return await _set_status(call, "resume", "subscriber_resumed")


async def unsubscribe_subscriber(call: ApiCall) -> SubscriberResource:
    """Unsubscribe from one newsletter, or from all and suppress the address."""
    return await _set_status(call, "unsubscribe", "subscriber_unsubscribed")


async def erase_subscriber(call: ApiCall) -> ApiReply:
    """Erase the personal data of a subscriber."""
    person = (await _memberships(call))[0].subscriber
    await subscribers.erase(call.app, person.email)
    await call.record("subscriber_erased", person.id)
    return ApiReply(None, 204)


async def _set_status(call: ApiCall, what: str, action: str) -> SubscriberResource:
    asked = call.body_as(NewsletterChoice)
    person = await _chosen(call, asked.newsletter)
    await subscribers.set_status(call.app, what, person, asked.newsletter)
    await call.record(action, person, newsletter=asked.newsletter)
    return await get_subscriber(call)


async def _chosen(call: ApiCall, newsletter: str | None) -> str:
    """Return the subscriber's id. Raises HTTPException 404, and UsageError without this subscription."""
    found = await _memberships(call)
    if newsletter is not None and newsletter not in {one.subscription.newsletter for one in found}:
        raise UsageError(f"the subscriber does not get {newsletter!r}")
    return found[0].subscriber.id


async def _memberships(call: ApiCall) -> Sequence[Membership]:
    return await memberships(call.app, call.path("subscriber")) or not_found("subscriber")


READ, WRITE = ApiScope.SUBSCRIBERS_READ, ApiScope.SUBSCRIBERS_WRITE
ONE = "/subscribers/{subscriber}"

SUBSCRIBER_OPERATIONS = (
    Operation(
        "GET", "/subscribers", "List the subscribers", list_subscribers, READ, SubscriberList, SubscriberQuery
    ),
    Operation("GET", ONE, "Get a subscriber", get_subscriber, READ, SubscriberResource),
    Operation(
        "POST",
        "/subscribers",
        "Add a subscriber",
        create_subscriber,
        WRITE,
        AcceptedSubscriber,
        body=NewSubscriber,
        status=201,
        other_statuses=(200, 202),
        description="201: added. 200: they have these subscriptions already. 202: a mail asks them.",
    ),
    Operation(
        "PATCH",
        f"{ONE}/newsletters/{{newsletter}}",
        "Change a subscription",
        change_subscriber,
        WRITE,
        SubscriberResource,
        body=SubscriptionChange,
    ),
    Operation(
        "POST",
        f"{ONE}/pause",
        "Pause a subscriber",
        pause_subscriber,
        WRITE,
        SubscriberResource,
        body=PauseRequest,
    ),
    Operation(
        "POST",
        f"{ONE}/resume",
        "Resume a subscriber",
        resume_subscriber,
        WRITE,
        SubscriberResource,
        body=NewsletterChoice,
    ),
    Operation(
        "POST",
        f"{ONE}/unsubscribe",
        "Unsubscribe a subscriber",
        unsubscribe_subscriber,
        WRITE,
        SubscriberResource,
        body=NewsletterChoice,
        description="Without a newsletter: from all, and the address is suppressed.",
    ),
    Operation(
        "DELETE",
        ONE,
        "Erase a subscriber",
        erase_subscriber,
        WRITE,
        None,
        status=204,
        description="Deletes the personal data for good; a hash of the address stays suppressed.",
    ),
)
