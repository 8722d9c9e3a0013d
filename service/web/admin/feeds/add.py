"""A new feed: search by address, choose one of those found, and its entry in feeds.yaml."""

from __future__ import annotations

from starlette.responses import Response

from service.app.feed_editor.changes import add_feeds, configured_feed
from service.app.feed_editor.fields import feed_problems, feed_values, typed_feed
from service.app.feed_editor.search import search_feeds, web_address
from service.core.errors import CaveatError, ConfigError
from service.core.ids import feed_id
from service.web.admin.context import AdminContext

SHOWN_ENTRIES = 5  # of each feed that was found


async def show_add(context: AdminContext) -> Response:
    """Show the field for an address."""
    return _page(context)


async def act_find(context: AdminContext) -> Response:
    """Request the address and show the feeds there with their latest entries."""
    address = context.value("address")
    try:
        found = await search_feeds(context.app, address)
    except CaveatError as error:
        return _page(context, status=422, address=address, problem=error.sentence)
    return _page(context, address=address, found=found)


async def act_add(context: AdminContext) -> Response:
    """Add the chosen feed with its name, topics, language and weight."""
    values = feed_values(typed_feed(context.fields))
    address = str(values.get("url", ""))
    problems = feed_problems(values)
    try:
        web_address(address)
        if problems:
            key, sentence = next(iter(problems.items()))
            return _page(context, status=422, address=address, problem=f"{key.capitalize()}: {sentence}")
        known = await configured_feed(context.app, feed_id(address))
        if known is not None:
            problem = f"{known.name} is configured already, with the address {known.url}."
            return _page(context, status=422, address=address, problem=problem)
        await add_feeds(context.app, [values])
    except ConfigError as error:
        return _page(context, status=422, address=address, faults=error.faults)
    except CaveatError as error:
        return _page(context, status=422, address=address, problem=error.sentence)
    await context.record("feed_added", feed_id(address), url=address)
    return context.redirect(f"/feeds/{feed_id(address)}", done="added")


def _page(context: AdminContext, *, status: int = 200, **values: object) -> Response:
    newsletters = context.app.roster.newsletters
    topics = {topic for one in newsletters for topic in one.topics}
    topics |= {topic for feed in context.app.roster.feeds for topic in feed.possible_topics}
    shown: dict[str, object] = {"address": "", "problem": "", "found": (), "faults": (), **values}
    return context.page(
        "feeds/add.html",
        status=status,
        topics=sorted(topics),
        newsletters=newsletters,
        takes_all=[one.title for one in newsletters if not one.topics],
        takers={topic: [one.title for one in newsletters if topic in one.topics] for topic in topics},
        shown_entries=SHOWN_ENTRIES,
        **shown,
    )
