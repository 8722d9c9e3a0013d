"""The list of articles, newest first, with search and filters as links."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.articles.search import MAX_TEXT_CHARACTERS, find_articles
from service.app.feed_editor.changes import configured_feed
from service.web.admin.context import AdminContext

FILTERS = ("q", "topic", "feed", "newsletter")
MAX_POSITION_DIGITS = 18
MAX_SHOWN_TOPICS = 6  # of an article


async def show_list(context: AdminContext) -> Response:
    """Show a page of the articles that match."""
    chosen = {name: context.query(name)[:MAX_TEXT_CHARACTERS] for name in FILTERS}
    before = _position(context.query("before"))
    found = await find_articles(context.app, chosen, before=before)
    feed = await configured_feed(context.app, chosen["feed"]) if chosen["feed"] else None
    return context.page(
        "stories/list.html",
        found=found,
        chosen=chosen,
        feed=feed,
        kept={name: value for name, value in chosen.items() if value and name != "q"},
        newsletters=[
            (one.title, _address({**chosen, "newsletter": one.id}), chosen["newsletter"] == one.id)
            for one in context.app.roster.newsletters
        ],
        everything=_address({**chosen, "newsletter": ""}),
        without_topic=_address({**chosen, "topic": ""}),
        without_feed=_address({**chosen, "feed": ""}),
        max_topics=MAX_SHOWN_TOPICS,
        first=_address(chosen) if before is not None else "",
        next=_address({**chosen, "before": str(found.next)}) if found.next is not None else "",
    )


def _position(text: str) -> int | None:
    """Return the cursor, None for none. Raises HTTPException 404 for another text."""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_POSITION_DIGITS):
        raise HTTPException(404)
    return int(text)


def _address(query: dict[str, str]) -> str:
    given = urlencode({name: value for name, value in query.items() if value})
    return "/stories" + (f"?{given}" if given else "")
