"""The list of subscribers, with search and filters as links."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.people.search import STATUSES, count_subscribers, find_subscribers, subscriber_filter
from service.core.subscriber_search.search_text import MAX_TERM_CHARACTERS
from service.web.admin.context import AdminContext

MAX_NUMBER_DIGITS = 18  # of the number of a subscriber
FILTERS = ("q", "newsletter", "status", "suppressed")


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a filter, as a link."""

    label: str
    address: str
    is_chosen: bool


async def show_list(context: AdminContext) -> Response:
    """Show a page of the subscribers that match."""
    chosen = {name: context.query(name)[:MAX_TERM_CHARACTERS] for name in FILTERS}
    wanted = subscriber_filter(
        chosen["q"], chosen["newsletter"], chosen["status"], suppressed=chosen["suppressed"] == "yes"
    )
    after = _number(context.query("after"))
    page = await find_subscribers(context.app, wanted, after=after)
    newsletters = {one.id: one.title for one in context.app.roster.newsletters}
    return context.page(
        "subscribers/list.html",
        wanted=wanted,
        page=page,
        total=await count_subscribers(context.app, wanted) if after is None else None,
        titles=newsletters,
        filters=[
            ("Newsletter", _choices(chosen, "newsletter", {"": "all", **newsletters})),
            ("Status", _choices(chosen, "status", {"": "all", **{status: status for status in STATUSES}})),
            ("Mail", _choices(chosen, "suppressed", {"": "all", "yes": "suppressed"})),
        ],
        kept={name: value for name, value in chosen.items() if value and name != "q"},
        first=_address(chosen) if after is not None else "",
        next=_address({**chosen, "after": str(page.next)}) if page.next is not None else "",
    )


def _number(text: str) -> int | None:
    """Return the number of a subscriber, None for none. Raises HTTPException 404 for another text."""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_NUMBER_DIGITS):
        raise HTTPException(404)
    return int(text)


def _choices(chosen: dict[str, str], name: str, values: dict[str, str]) -> list[Choice]:
    return [
        Choice(label, _address({**chosen, name: value}), chosen[name] == value)
        for value, label in values.items()
    ]


def _address(query: dict[str, str]) -> str:
    given = urlencode({name: value for name, value in query.items() if value})
    return "/subscribers" + (f"?{given}" if given else "")
