"""Issues of the API: their content, their deliveries by person, pause and resume."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Literal

from pydantic import Field
from starlette.responses import Response

from service.app.archive.issue_page import one_page
from service.app.archive.mail import mail_text
from service.app.factories.templates import template_folders
from service.app.sending.pausing import pause, resume
from service.core.model import ApiScope, Books, DeliveryState
from service.core.read_models import DeliveryDetails, IssueDetails
from service.web.api.cursors import read_cursor, write_cursor
from service.web.api.operations import ApiCall, ApiInput, ApiOutput, Key, Operation, PageQuery, not_found
from service.web.api.resources.content import IssueContent, issue_content
from service.web.archive.rendering import IssueRenderer
from service.web.pages import Pages

MAX_PAGES = 100  # of an issue, of 200 stories each: more than compose ever makes


class DeliveryCounts(ApiOutput):
    """An issue's deliveries by state."""

    planned: int = Field(description="All of them.")
    waiting: int
    sent: int
    refused: int
    suppressed: int
    uncertain: int
    cancelled: int


class IssueEdition(ApiOutput):
    """The preferences that the subscribers of an issue share."""

    schedule: str
    timezone: str
    language: str
    languages: list[str]
    topics: list[str]
    follow: list[str]
    mute: list[str]
    stories: int
    points: int
    minutes: int | None
    format: str


class IssueResource(ApiOutput):
    """An issue with the counts of its deliveries."""

    id: str
    newsletter: str
    subject: str
    occurrence: str = Field(description="Local due time, or `manual:ID` for a send by hand.")
    due_at: datetime
    created_at: datetime
    paused_at: datetime | None
    cancelled_at: datetime | None
    channel: str
    edition: IssueEdition
    articles: list[str] = Field(description="Ids of its articles.")
    deliveries: DeliveryCounts
    is_finished: bool = Field(description="Whether no delivery waits any more.")


class IssueResourceList(ApiOutput):
    """Issues, newest first."""

    items: list[IssueResource]
    next_cursor: str | None = Field(description="Cursor of the next page; null on the last one.")


class IssueListQuery(PageQuery):
    """Which issues."""

    newsletter: Key | None = Field(default=None, description="Id of a newsletter. Left out: all.")


class ContentQuery(ApiInput):
    """The form of an issue."""

    form: Literal["json", "html", "text"] = Field(default="json", description="Form of the response.")


class DeliveryQuery(PageQuery):
    """Which deliveries."""

    state: DeliveryState | None = Field(default=None, description="State. Left out: all.")


class DeliveryResource(ApiOutput):
    """An issue's delivery to one subscriber, with the server's last reply."""

    id: str
    subscriber: str = Field(description="Id of the subscriber.")
    address: str
    name: str
    state: DeliveryState
    attempts: int
    changed_at: datetime
    next_attempt_at: datetime | None
    reply: str


class DeliveryResourceList(ApiOutput):
    """Deliveries in a fixed order."""

    items: list[DeliveryResource]
    next_cursor: str | None = Field(description="Cursor of the next page; null on the last one.")


async def list_issues(call: ApiCall) -> IssueResourceList:
    """Return a page of the issues."""
    query = call.query_as(IssueListQuery)
    after = await read_cursor(call)
    found = await call.app.queries.issues(query.newsletter, limit=query.limit + 1, before=after)
    shown = found[: query.limit]
    cursor = await write_cursor(call, shown[-1].id) if len(found) > query.limit else None
    return IssueResourceList(items=[_resource(issue) for issue in shown], next_cursor=cursor)


async def get_issue(call: ApiCall) -> IssueResource:
    """Return one issue."""
    return _resource(await issue_of(call))


async def get_issue_content(call: ApiCall) -> IssueContent | Response:
    """Return what the issue shows: as JSON, as its web page, or as the text of its mail."""
    query, issue = call.query_as(ContentQuery), await issue_of(call)
    if query.form == "text":
        return Response(
            (await mail_text(call.app, issue, None)).encode("utf-8", "replace"), 200, None, "text/plain"
        )
    archived = await call.app.archive.own_issue(issue.id)
    if archived is None:
        not_found("newsletter of this issue")
    parts = await call.app.archive.pages(archived, MAX_PAGES)
    if query.form == "json":
        return issue_content(parts)
    templates, custom = template_folders(call.app.settings)
    renderer = IssueRenderer(Pages(templates, call.app.settings.site, custom))
    html = await asyncio.to_thread(renderer.html, one_page(parts))
    return Response(html.encode("utf-8", "replace"), 200, None, "text/html")


async def list_deliveries(call: ApiCall) -> DeliveryResourceList:
    """Return a page of an issue's deliveries."""
    query, issue = call.query_as(DeliveryQuery), await issue_of(call)
    call.require(ApiScope.SUBSCRIBERS_READ)
    after = await read_cursor(call)
    states = None if query.state is None else (query.state,)
    found = await call.app.queries.deliveries(issue.id, states=states, after=after, limit=query.limit + 1)
    shown = found[: query.limit]
    cursor = await write_cursor(call, shown[-1].id) if len(found) > query.limit else None
    return DeliveryResourceList(items=[_delivery(one) for one in shown], next_cursor=cursor)


async def pause_issue(call: ApiCall) -> IssueResource:
    """Pause an issue and return it."""
    issue = await issue_of(call)
    await pause(call.app, [issue.id])
    await call.record("issue_paused", issue.id)
    return await get_issue(call)


async def resume_issue(call: ApiCall) -> IssueResource:
    """Resume an issue and return it."""
    issue = await issue_of(call)
    await resume(call.app, [issue.id])
    await call.record("issue_resumed", issue.id)
    return await get_issue(call)


async def issue_of(call: ApiCall) -> IssueDetails:
    """Return the issue that the path names. Raises HTTPException 404."""
    wanted = call.path("issue")
    found = await call.app.queries.issues_by_prefix(wanted)
    return next((issue for issue in found if issue.id == wanted), None) or not_found("issue")


def delivery_counts(books: Books) -> DeliveryCounts:
    """Return the counts of an issue's deliveries."""
    return DeliveryCounts(
        planned=books.due,
        waiting=books.waiting,
        sent=books.sent,
        refused=books.refused,
        suppressed=books.suppressed,
        uncertain=books.uncertain,
        cancelled=books.cancelled,
    )


def _resource(issue: IssueDetails) -> IssueResource:
    edition = issue.edition
    return IssueResource(
        id=issue.id,
        newsletter=issue.newsletter,
        subject=issue.subject,
        occurrence=issue.occurrence,
        due_at=issue.due_at,
        created_at=issue.created_at,
        paused_at=issue.paused_at,
        cancelled_at=issue.cancelled_at,
        channel=issue.channel,
        edition=IssueEdition(
            schedule=edition.schedule,
            timezone=edition.timezone,
            language=edition.language,
            languages=list(edition.languages),
            topics=list(edition.topics),
            follow=list(edition.follow),
            mute=list(edition.mute),
            stories=edition.stories,
            points=edition.points,
            minutes=edition.minutes,
            format=edition.format,
        ),
        articles=list(issue.article_ids),
        deliveries=delivery_counts(issue.books),
        is_finished=issue.books.waiting == 0,
    )


def _delivery(found: DeliveryDetails) -> DeliveryResource:
    return DeliveryResource(
        id=found.id,
        subscriber=found.subscriber_id,
        address=found.address,
        name=found.name,
        state=found.state,
        attempts=found.attempts,
        changed_at=found.at,
        next_attempt_at=found.due_at,
        reply=found.reply,
    )


ISSUE_OPERATIONS = (
    Operation(
        "GET",
        "/issues",
        "List the issues",
        list_issues,
        ApiScope.ISSUES_READ,
        IssueResourceList,
        query=IssueListQuery,
    ),
    Operation("GET", "/issues/{issue}", "Get an issue", get_issue, ApiScope.ISSUES_READ, IssueResource),
    Operation(
        "GET",
        "/issues/{issue}/content",
        "Get the content of an issue",
        get_issue_content,
        ApiScope.ISSUES_READ,
        IssueContent,
        query=ContentQuery,
        media=("text/html", "text/plain"),
    ),
    Operation(
        "GET",
        "/issues/{issue}/deliveries",
        "List the deliveries of an issue",
        list_deliveries,
        ApiScope.ISSUES_READ,
        DeliveryResourceList,
        query=DeliveryQuery,
        description="Names addresses: needs the scope `subscribers:read` as well.",
    ),
    Operation(
        "POST",
        "/issues/{issue}/pause",
        "Pause an issue",
        pause_issue,
        ApiScope.ISSUES_WRITE,
        IssueResource,
        description="Its deliveries are not sent until it is resumed.",
    ),
    Operation(
        "POST",
        "/issues/{issue}/resume",
        "Resume an issue",
        resume_issue,
        ApiScope.ISSUES_WRITE,
        IssueResource,
    ),
)
