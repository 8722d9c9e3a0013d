"""The list of feeds with their health, the page of one feed, and its poll and inspection on request."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.feed_editor.changes import configured_feed, gaps_of, takers
from service.app.feed_editor.overview import (
    CONDITION_WORDS,
    ORDERS,
    FeedCondition,
    FeedOverview,
    feed_overview,
    feeds_overview,
)
from service.app.feed_editor.polling import poll_now
from service.app.feed_editor.search import inspect_one
from service.core.errors import UsageError
from service.core.model import AccountRole, Feed
from service.web.admin.charts import ColumnChart, Series, column_chart
from service.web.admin.context import AdminContext

MAX_QUERY_CHARACTERS = 200
FILTERS = ("q", "show", "topic", "order")
POLL_WAIT_SECONDS = 8.0  # for the result of a poll, before the page says that it is running
SHOWN_ENTRIES = 25  # of an inspection
SHOWN_CHARACTERS = 600  # of the text of an entry
KINDS = {
    FeedCondition.FAILING: "bad",
    FeedCondition.ENDED: "bad",
    FeedCondition.WARNING: "warn",
    FeedCondition.WELL: "good",
}
"""Style of the badge of a condition."""

ORDER_WORDS = {
    "trouble": "trouble first",
    "name": "by name",
    "articles": "most articles",
    "rhythm": "busiest",
}


async def show_list(context: AdminContext) -> Response:
    """Show a page of the feeds that match, those in trouble first."""
    chosen = {name: context.query(name)[:MAX_QUERY_CHARACTERS] for name in FILTERS}
    page = await feeds_overview(
        context.app,
        text=chosen["q"],
        condition=chosen["show"],
        topic=chosen["topic"],
        order=chosen["order"],
        page=_number(context.query("page")),
    )
    return context.page(
        "feeds/list.html",
        page=page,
        chosen=chosen,
        kept={name: value for name, value in chosen.items() if value and name != "q"},
        charts_of={one.feed.id: rhythm(context, one) for one in page.feeds},
        kinds=KINDS,
        conditions=[
            (
                CONDITION_WORDS[one],
                count,
                _address({**chosen, "show": one.value}),
                chosen["show"] == one.value,
            )
            for one, count in page.counts.items()
            if count
        ],
        everything=_address({**chosen, "show": ""}),
        orders=[
            (ORDER_WORDS[name], _address({**chosen, "order": name}), (chosen["order"] or "trouble") == name)
            for name in ORDERS
        ],
        previous=_address({**chosen, "page": str(page.number - 1)}) if page.number > 1 else "",
        next=_address({**chosen, "page": str(page.number + 1)}) if page.number < page.numbers else "",
    )


def _number(text: str) -> int:
    """Return the number of a page, 1 for what is no number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 1


def _address(query: dict[str, str]) -> str:
    given = urlencode({name: value for name, value in query.items() if value})
    return "/feeds" + (f"?{given}" if given else "")


def rhythm(context: AdminContext, one: FeedOverview) -> ColumnChart:
    """Return the chart of the articles of the last days."""
    days = one.health.days
    today = context.app.clock().date()
    labels = [f"{today - timedelta(days=back):%-d %b}" for back in range(len(days) - 1, -1, -1)]
    return column_chart(labels, Series("articles", days))


async def show_feed(context: AdminContext) -> Response:
    """Show one feed: its health, what takes it, and its settings."""
    return await feed_page(context)


async def feed_page(context: AdminContext, *, status: int = 200, **values: object) -> Response:
    """Return the page of the feed of the path. Raises HTTPException 404 for none."""
    found = await feed_overview(context.app, context.path("feed"))
    if found is None:
        raise HTTPException(404, "There is no such feed. It may have been removed, or its address changed.")
    newsletters = context.app.roster.newsletters
    shown: dict[str, object] = {"inspection": None, "problem": "", **values}
    return context.page(
        "feeds/feed.html",
        status=status,
        one=found,
        kind=KINDS.get(found.condition, ""),
        chart=rhythm(context, found),
        takers=takers(found.feed, newsletters),
        gaps=gaps_of(found.feed, newsletters),
        is_configured=found.condition is not FeedCondition.REMOVED,
        may_edit=context.account.role.includes(AccountRole.EDITOR),
        shown_characters=SHOWN_CHARACTERS,
        **shown,
    )


async def act_poll(context: AdminContext) -> Response:
    """Poll the feed, and show the result if it is there soon."""
    feed = await wanted_feed(context)
    try:
        job = poll_now(context.app, feed)
    except UsageError as error:
        return await feed_page(context, status=422, problem=error.sentence)
    await context.record("feed_polled", feed.id, name=feed.name)
    is_done = await job.wait(POLL_WAIT_SECONDS)
    if job.problem:
        return await feed_page(context, status=422, problem=job.problem)
    return context.redirect(f"/feeds/{feed.id}", done="polled" if is_done else "polling")


async def act_inspect(context: AdminContext) -> Response:
    """Fetch the feed and show what each entry becomes; nothing is stored."""
    feed = await wanted_feed(context)
    try:
        found = await inspect_one(context.app, feed)
    except UsageError as error:
        return await feed_page(context, status=422, problem=error.sentence)
    return await feed_page(context, inspection=found, entries=found.entries[:SHOWN_ENTRIES])


async def wanted_feed(context: AdminContext) -> Feed:
    """Return the configured feed of the path. Raises HTTPException 404 for none."""
    feed = await configured_feed(context.app, context.path("feed"))
    if feed is None:
        raise HTTPException(404, "There is no such feed in feeds.yaml. It may have been removed.")
    return feed
