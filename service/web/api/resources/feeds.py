"""Feeds of the API: their health; add one by its address, and remove one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from service.app.api.feeds import add_feed, remove_feed
from service.app.feeds import health_record
from service.core.model import ApiScope
from service.core.read_models import FeedDetails
from service.web.api.operations import ApiCall, ApiInput, ApiOutput, ApiReply, Line, Operation, not_found


class FeedResource(ApiOutput):
    """A feed with its health. Time spans are seconds; null while too little is known."""

    id: str
    url: str
    name: str
    topics: list[str]
    language: str | None
    is_active: bool = Field(description="Whether feeds.yaml names it and does not mute it.")
    gone_at: datetime | None = Field(description="When its publisher ended it (HTTP 410).")
    articles: int
    last_article_at: datetime | None
    last_success_at: datetime | None
    next_poll_at: datetime | None
    failures: int = Field(description="Failed polls in a row.")
    last_error: str | None
    is_healthy: bool
    problems: list[str] = Field(description="Sentences, most serious first.")
    per_day: float | None = Field(description="Items on a usual day.")
    usual_gap: float | None
    silent_for: float | None
    days: list[int] = Field(description="Items on each of the last 14 days, today last.")


class FeedResourceList(ApiOutput):
    """All feeds, the configured ones first."""

    items: list[FeedResource]


class NewFeed(ApiInput):
    """A feed to add."""

    url: Annotated[Line, Field(max_length=500)] = Field(
        description="Address of a feed, or of any page of its site."
    )
    name: Annotated[Line, Field(max_length=200)] | None = Field(
        default=None, description="Name of the publisher. Left out: the feed's title."
    )
    topics: Annotated[list[Line], Field(max_length=20)] = Field(default=[], description="Topics.")
    language: Line | None = Field(default=None, description="Language. Left out: detected.")


class AcceptedFeed(ApiOutput):
    """A feed that was added to feeds.yaml; the service polls it as soon as it has loaded the file."""

    id: str
    url: str
    name: str
    warnings: list[str] = Field(description="What keeps newsletters from taking its articles.")


async def list_feeds(call: ApiCall) -> FeedResourceList:
    """Return all feeds."""
    return FeedResourceList(items=[_resource(call, one) for one in await call.app.queries.feeds()])


async def get_feed(call: ApiCall) -> FeedResource:
    """Return one feed."""
    wanted = call.path("feed")
    found = [one for one in await call.app.queries.feeds() if one.state.feed.id == wanted]
    return _resource(call, found[0] if found else not_found("feed"))


async def create_feed(call: ApiCall) -> ApiReply:
    """Add a feed to feeds.yaml."""
    asked = call.body_as(NewFeed)
    added = await add_feed(call.app, asked.url, asked.name, asked.topics, asked.language)
    await call.record("feed_added", added.id, url=added.url)
    body = AcceptedFeed(id=added.id, url=added.url, name=added.name, warnings=list(added.warnings))
    return ApiReply(body, 201, {"Location": call.url(f"/feeds/{added.id}")})


async def delete_feed(call: ApiCall) -> ApiReply:
    """Remove a feed from feeds.yaml."""
    wanted = call.path("feed")
    if not await remove_feed(call.app, wanted):
        not_found("configured feed")
    await call.record("feed_removed", wanted)
    return ApiReply(None, 204)


def _resource(call: ApiCall, details: FeedDetails) -> FeedResource:
    feed, health = details.state.feed, health_record(details, call.app.clock(), short=False)
    return FeedResource(
        id=feed.id,
        url=feed.url,
        name=feed.name,
        topics=list(feed.topics),
        language=feed.language,
        is_active=details.active,
        gone_at=details.gone_at,
        articles=details.articles,
        last_article_at=details.last_article_at,
        last_success_at=health["last_success_at"],
        next_poll_at=health["next_look_at"],
        failures=health["failures"],
        last_error=health["last_error"],
        is_healthy=health["well"],
        problems=list(health["flags"]),
        per_day=health["per_day"],
        usual_gap=health["usual_gap"],
        silent_for=health["silent_for"],
        days=list(health["days"]),
    )


FEED_OPERATIONS = (
    Operation("GET", "/feeds", "List the feeds", list_feeds, ApiScope.FEEDS_READ, FeedResourceList),
    Operation("GET", "/feeds/{feed}", "Get a feed", get_feed, ApiScope.FEEDS_READ, FeedResource),
    Operation(
        "POST",
        "/feeds",
        "Add a feed",
        create_feed,
        ApiScope.FEEDS_WRITE,
        AcceptedFeed,
        body=NewFeed,
        status=201,
        description="Its address is requested first, within the limits of `fetch`.",
        cost=10,
    ),
    Operation(
        "DELETE",
        "/feeds/{feed}",
        "Remove a feed",
        delete_feed,
        ApiScope.FEEDS_WRITE,
        None,
        status=204,
        description="From feeds.yaml; its articles stay.",
    ),
)
