"""The settings of a feed: every key of feeds.yaml, mute and unmute, and its removal."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from service.app.feed_editor.changes import (
    WrittenFeed,
    change_feed,
    configured_feed,
    configured_feeds,
    feed_item,
    left_without_feed,
    remove_feed,
    takers,
)
from service.app.feed_editor.fields import (
    feed_changes,
    feed_fields,
    feed_problems,
    feed_values,
    typed_feed,
    typed_of_feed,
)
from service.app.feed_editor.overview import feed_overview
from service.core.errors import CaveatError, ConfigError, UsageError
from service.core.ids import feed_id
from service.core.model import AccountRole, Feed
from service.web.admin.context import AdminContext
from service.web.admin.feeds.pages import feed_page, wanted_feed

HASH = "item"
"""Form field with the hash of the values from which the form was made."""


async def show_edit(context: AdminContext) -> Response:
    """Show the form with the values of the file."""
    feed = await wanted_feed(context)
    item = await feed_item(context.app, feed)
    return _form(context, feed, item.hash, typed_of_feed(item.values))


async def act_save(context: AdminContext) -> Response:
    """Check the typed values and save those that differ."""
    feed = await wanted_feed(context)
    item, typed, seen = await feed_item(context.app, feed), typed_feed(context.fields), context.value(HASH)
    values = feed_values(typed)
    problems = feed_problems(values)
    if not problems and (moved := await _address_problem(context, feed, values["url"])):
        problems["url"] = moved
    if problems:
        return _form(context, feed, seen, typed, problems=problems)
    if seen != item.hash:
        changed = (
            "Somebody else changed this feed since you opened the page; nothing was saved. Open it again."
        )
        return _form(context, feed, seen, typed, problem=changed, status=409)
    changes = feed_changes(item.values, values)
    if not changes:
        return context.redirect(f"/feeds/{feed.id}", done="unchanged")
    try:
        await change_feed(context.app, item, changes)
    except ConfigError as error:
        return _form(context, feed, seen, typed, faults=error.faults)
    except UsageError as error:
        return _form(context, feed, seen, typed, problem=error.sentence, status=409)
    await context.record("feed_changed", feed.id, name=feed.name, keys=list(changes))
    return context.redirect(f"/feeds/{feed_id(values['url'])}", done="saved")


async def _address_problem(context: AdminContext, feed: Feed, url: str) -> str:
    """Return why the feed cannot have this address, "" if it can."""
    if url == feed.url:
        return ""
    if not url.startswith(("http://", "https://")):
        return "A file on the server can be named only in feeds.yaml itself."
    other = await configured_feed(context.app, feed_id(url))
    return f"{other.name} has this address already." if other and other.id != feed.id else ""


async def act_mute(context: AdminContext) -> Response:
    """Mute the feed, or unmute it (field `muted`: yes or no)."""
    feed, is_muted = await wanted_feed(context), context.value("muted") == "yes"
    if feed.muted != is_muted:
        try:
            item: WrittenFeed = await feed_item(context.app, feed)
            await change_feed(context.app, item, {"muted": True if is_muted else None})
        except CaveatError as error:
            return await feed_page(context, status=422, problem=error.sentence)
        await context.record("feed_muted" if is_muted else "feed_unmuted", feed.id, name=feed.name)
    return context.redirect(f"/feeds/{feed.id}", done="muted" if is_muted else "unmuted")


async def show_removal(context: AdminContext) -> Response:
    """Show what the removal of the feed means."""
    return await _removal_page(context, await wanted_feed(context))


async def act_remove(context: AdminContext) -> Response:
    """Remove the feed from feeds.yaml."""
    feed = await wanted_feed(context)
    try:
        await remove_feed(context.app, feed)
    except CaveatError as error:
        return await _removal_page(context, feed, problem=error.sentence)
    await context.record("feed_removed", feed.id, name=feed.name, url=feed.url)
    return context.redirect("/feeds", done="removed")


async def _removal_page(context: AdminContext, feed: Feed, problem: str = "") -> Response:
    newsletters = context.app.roster.newsletters
    found = await feed_overview(context.app, feed.id)
    return context.page(
        "feeds/remove.html",
        status=422 if problem else 200,
        feed=feed,
        articles=found.articles if found else 0,
        takers=takers(feed, newsletters),
        left=left_without_feed(feed, await configured_feeds(context.app), newsletters),
        problem=problem,
    )


def _form(
    context: AdminContext,
    feed: Feed,
    seen: str,
    typed: Mapping[str, str],
    *,
    problems: Mapping[str, str] | None = None,
    faults: object = (),
    problem: str = "",
    status: int = 0,
) -> Response:
    roster = context.app.roster
    topics = {topic for one in roster.newsletters for topic in one.topics}
    topics |= {topic for one in roster.feeds for topic in one.possible_topics}
    return context.page(
        "feeds/edit.html",
        status=status or (422 if problems or faults or problem else 200),
        feed=feed,
        fields=feed_fields().values(),
        typed=typed,
        problems=problems or {},
        faults=faults,
        problem=problem,
        topics=sorted(topics),
        hash_field=HASH,
        hash=seen,
        may_edit=context.account.role.includes(AccountRole.EDITOR),
    )
