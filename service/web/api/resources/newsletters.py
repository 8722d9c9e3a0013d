"""Newsletters of the API, and previews of their next issue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field
from starlette.responses import Response

from service.app import preview
from service.core.errors import UsageError
from service.core.model import ApiScope, Newsletter
from service.core.validators import read_email
from service.web.api.operations import ApiCall, ApiInput, ApiOutput, Line, Operation
from service.web.api.resources.content import IssueContent, issue_content

HTML, TEXT = "text/html", "text/plain"
FURTHEST = timedelta(days=366)  # from now: the time of a preview
SANDBOX = {"Content-Security-Policy": "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"}
"""Policy of a mail that a browser shows: it runs nothing and loads nothing."""


class NewsletterResource(ApiOutput):
    """A newsletter, with the defaults of its subscribers' preferences."""

    id: str
    title: str
    schedule: str = Field(description="When it is due, such as `daily 07:00`.")
    timezone: str
    language: str
    languages: list[str] = Field(description="Languages of its articles; empty: all.")
    topics: list[str] = Field(description="Topics of its articles; empty: all.")
    follow: list[str]
    mute: list[str]
    stories: int = Field(description="Maximum number of stories with key points.")
    points: int
    minutes: int | None = Field(description="Maximum reading time of an issue.")
    format: str
    theme: str
    archive: str = Field(description="Who may read its issues on the web: public, signed or none.")
    is_reviewed: bool = Field(description="Whether an issue waits for an editor before it is due.")


class NewsletterList(ApiOutput):
    """All newsletters, in the order of the configuration."""

    items: list[NewsletterResource]


class PreviewQuery(ApiInput):
    """What is previewed."""

    form: Literal["json", "html", "text"] = Field(default="json", description="Form of the response.")
    reader: Line | None = Field(
        default=None,
        description="Address of a subscriber, whose edition is shown. Needs `subscribers:read` too.",
    )
    at: AwareDatetime | None = Field(
        default=None, description="Time of the issue, with its zone. Default: now."
    )
    theme: Line | None = Field(default=None, description="Another theme than that of the newsletter.")


async def list_newsletters(call: ApiCall) -> NewsletterList:
    """Return all newsletters."""
    return NewsletterList(items=[_resource(one) for one in call.app.roster.newsletters])


async def get_newsletter(call: ApiCall) -> NewsletterResource:
    """Return one newsletter."""
    return _resource(call.newsletter(call.path("newsletter")))


async def preview_newsletter(call: ApiCall) -> IssueContent | Response:
    """Return the issue that the newsletter's own edition, or a subscriber, would get; record nothing."""
    query, newsletter = call.query_as(PreviewQuery), call.newsletter(call.path("newsletter"))
    if query.reader is not None:
        call.require(ApiScope.SUBSCRIBERS_READ)
    address = None if query.reader is None else read_email(query.reader)
    at = read_moment(query.at, call.app.clock())
    reader = await preview.preview_reader(call.app, newsletter, address, at=at)
    found = await preview.next_issue(call.app, reader, at=at, theme=query.theme)
    if query.form == "json":
        page = await call.app.archive.page_of_preview(newsletter, found.issue, found.digest, reader.edition)
        return issue_content([page])
    rendered = await preview.personalized(call.app, found.issue, reader.subscriber)
    if query.form == "html" and rendered.html:
        return Response(rendered.html.encode("utf-8", "replace"), 200, SANDBOX, HTML)
    return Response(rendered.text.encode("utf-8", "replace"), 200, None, TEXT)


def read_moment(at: datetime | None, now: datetime) -> datetime:
    """Return the time in UTC, without one `now`. Raises UsageError for one more than a year away."""
    if at is None:
        return now
    if abs(at - now) > FURTHEST:
        raise UsageError("`at` must be a time at most a year from now")
    return at.astimezone(UTC)


def _resource(newsletter: Newsletter) -> NewsletterResource:
    return NewsletterResource(
        id=newsletter.id,
        title=newsletter.title,
        schedule=newsletter.schedule,
        timezone=newsletter.timezone,
        language=newsletter.language,
        languages=list(newsletter.languages),
        topics=list(newsletter.topics),
        follow=list(newsletter.follow),
        mute=list(newsletter.mute),
        stories=newsletter.stories,
        points=newsletter.points,
        minutes=newsletter.minutes,
        format=newsletter.format,
        theme=newsletter.theme,
        archive=newsletter.archive,
        is_reviewed=newsletter.review is not None,
    )


NEWSLETTER_OPERATIONS = (
    Operation(
        "GET",
        "/newsletters",
        "List the newsletters",
        list_newsletters,
        ApiScope.NEWSLETTERS_READ,
        NewsletterList,
    ),
    Operation(
        "GET",
        "/newsletters/{newsletter}",
        "Get a newsletter",
        get_newsletter,
        ApiScope.NEWSLETTERS_READ,
        NewsletterResource,
    ),
    Operation(
        "GET",
        "/newsletters/{newsletter}/preview",
        "Preview the next issue",
        preview_newsletter,
        ApiScope.PREVIEWS_READ,
        IssueContent,
        query=PreviewQuery,
        description="The issue that its own edition, or a subscriber, would get; nothing is recorded.",
        media=(HTML, TEXT),
        cost=10,
    ),
)
