"""Sends of the API: plan one once under its key, and follow its deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from service.app.api.lists import RecordedSend, recorded_send
from service.app.sending.manual_send import dry_run, send
from service.core.errors import CaveatError, UsageError
from service.core.model import ApiScope, Books
from service.core.send_request import SendRequest
from service.web.api.operations import ApiCall, ApiInput, ApiOutput, ApiReply, Key, Line, Operation, not_found
from service.web.api.resources.issues import DeliveryCounts, delivery_counts
from service.web.api.unversioned_requests import MAX_ADDRESSES, MAX_BODY_BYTES, idempotency_key
from service.web.server_sent_events import EventState, event_response


class NewSend(ApiInput):
    """A newsletter to send now: to the addresses in `to`, or to all its subscribers."""

    newsletter: Key = Field(description="Id of the newsletter.")
    to: Annotated[list[Line], Field(min_length=1, max_length=MAX_ADDRESSES)] | None = Field(
        default=None, description="Addresses of subscribers. Either this or `all`."
    )
    all: bool = Field(default=False, description="true: all subscribers of the newsletter.")
    again: bool = Field(
        default=False, description="true: what each subscriber got last once more, with what is new."
    )


class LeftOut(ApiOutput):
    """A requested address without a delivery, and the reason."""

    address: str
    reason: str


class SendResource(ApiOutput):
    """A send with the counts of its deliveries."""

    id: str
    created_at: datetime
    issues: list[str] = Field(description="Ids of its issues: one for each edition among the subscribers.")
    nothing_new: int = Field(description="Subscribers without a new article.")
    left_out: list[LeftOut] = Field(description="Only in the response to the request itself.")
    problems: list[str]
    deliveries: DeliveryCounts
    is_finished: bool = Field(description="Whether no delivery waits any more.")


class SendPreviewIssue(ApiOutput):
    """An issue that a send would make."""

    subject: str
    subscribers: int
    stories: int


class SendPreview(ApiOutput):
    """What a send would plan; nothing was recorded."""

    issues: list[SendPreviewIssue]
    deliveries: int
    nothing_new: int
    left_out: list[LeftOut]
    problems: list[str]


async def create_send(call: ApiCall) -> ApiReply:
    """Plan a send once for its key; a repeated request gets the send that was planned first."""
    wanted = replace(_wanted(call), key=idempotency_key(call.request))
    result = await send(call.app, wanted)
    planned = result.planned
    if planned.problems and not planned.deliveries:
        raise CaveatError(" ".join(planned.problems))
    if result.is_new:
        await call.record(
            "send_planned", planned.id, newsletter=wanted.newsletter, deliveries=planned.deliveries
        )
    progress = await recorded_send(call.app, planned.id) or RecordedSend(planned, Books(due=0))
    body = _resource(progress, _left_out(wanted, planned.left_out))
    headers = {"Location": call.url(f"/sends/{planned.id}")}
    return ApiReply(body, 202 if planned.issues else 200, headers)


async def preview_send(call: ApiCall) -> SendPreview:
    """Return what a send would plan; record nothing."""
    wanted = _wanted(call)
    found = await dry_run(call.app, wanted)
    planned = found.report.planned
    return SendPreview(
        issues=[
            SendPreviewIssue(
                subject=one.issue.rendered.subject, subscribers=one.subscribers, stories=one.stories
            )
            for one in planned
        ],
        deliveries=sum(one.subscribers for one in planned),
        nothing_new=found.report.nothing_new,
        left_out=_left_out(wanted, found.recipients.left_out),
        problems=list(found.report.problems),
    )


async def get_send(call: ApiCall) -> SendResource:
    """Return a send with the counts of its deliveries."""
    found = await recorded_send(call.app, call.path("send"))
    return _resource(found or not_found("send"), [])


async def follow_send(call: ApiCall) -> Response:
    """Return the counts of a send's deliveries as server-sent events, until it is finished."""
    send_id = call.path("send")
    if await recorded_send(call.app, send_id) is None:
        not_found("send")

    async def read() -> EventState:
        found = await recorded_send(call.app, send_id)
        if found is None:
            return EventState({}, is_last=True)
        shown = _resource(found, [])
        return EventState(shown.model_dump(mode="json"), is_last=shown.is_finished)

    return event_response(call.request, f"token {call.token.id}", read)


def _wanted(call: ApiCall) -> SendRequest:
    """Return the send request in the body, without its key. Raises UsageError."""
    asked = call.body_as(NewSend)
    if (asked.to is not None) == asked.all:
        raise UsageError('say who gets it: either "to": ["ADDRESS", ...] or "all": true')
    return SendRequest(asked.newsletter, None if asked.to is None else tuple(asked.to), asked.again)


def _left_out(wanted: SendRequest, reasons: Mapping[str, str]) -> list[LeftOut]:
    return [LeftOut(address=address, reason=why) for address, why in wanted.left_out(reasons)]


def _resource(found: RecordedSend, left_out: list[LeftOut]) -> SendResource:
    return SendResource(
        id=found.send.id,
        created_at=found.send.at,
        issues=list(found.send.issues),
        nothing_new=found.send.nothing_new,
        left_out=left_out,
        problems=list(found.send.problems),
        deliveries=delivery_counts(found.books),
        is_finished=found.books.waiting == 0,
    )


SEND_OPERATIONS = (
    Operation(
        "POST",
        "/sends",
        "Send a newsletter now",
        create_send,
        ApiScope.SENDS_WRITE,
        SendResource,
        body=NewSend,
        status=202,
        other_statuses=(200,),
        description="Planned once for its key; a worker sends it. 200: there was nothing to send.",
        needs_key=True,
        max_bytes=MAX_BODY_BYTES,
        cost=5,
    ),
    Operation(
        "POST",
        "/sends/preview",
        "Preview a send",
        preview_send,
        ApiScope.SENDS_READ,
        SendPreview,
        body=NewSend,
        description="What a send would plan: nothing is recorded.",
        max_bytes=MAX_BODY_BYTES,
        cost=10,
    ),
    Operation("GET", "/sends/{send}", "Get a send", get_send, ApiScope.SENDS_READ, SendResource),
    Operation(
        "GET",
        "/sends/{send}/events",
        "Follow a send",
        follow_send,
        ApiScope.SENDS_READ,
        None,
        description="Server-sent events: the send as JSON whenever it changes; the last event is `done`.",
        media=("text/event-stream",),
    ),
)
