"""The first page: which newsletter, to whom; and the list of the last sends."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from service.app.sending.last_sends import last_sends
from service.app.sending.search import find_recipients
from service.web.admin.context import AdminContext

WAYS = ("test", "some", "all")
MAX_LISTED = 20  # sends on the page


@dataclass(frozen=True, slots=True)
class SendForm:
    """The values of the form. `key` is the idempotency key that was made with it."""

    key: str
    newsletter: str = ""
    way: str = "test"
    addresses: str = ""
    test_address: str = ""
    edition_of: str = ""
    repeat: bool = False
    search: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)


def read_form(context: AdminContext, problems: Mapping[str, str] | None = None) -> SendForm:
    """Return the values of a POST. Addresses that were found and ticked are added to the typed ones."""
    typed, ticked = context.value("addresses"), context.fields.get("found", [])
    way = context.value("way")
    return SendForm(
        key=context.value("key") or new_key(),
        newsletter=context.value("newsletter"),
        way=way if way in WAYS else "test",
        addresses="\n".join([*([typed] if typed else []), *(one for one in ticked if one not in typed)]),
        test_address=context.value("test_address"),
        edition_of=context.value("edition_of"),
        repeat=context.value("repeat") == "yes",
        search=context.value("search"),
        problems=problems or {},
    )


def new_key() -> str:
    """Return a new idempotency key."""
    return f"web-{secrets.token_urlsafe(12)}"


async def show(context: AdminContext) -> Response:
    """Show the form and the last sends."""
    newsletter, address = context.query("newsletter"), context.query("to")
    known = context.app.roster.newsletter(newsletter)
    way = "some" if address else "test"
    return await form_page(context, SendForm(new_key(), known.id if known else "", way, addresses=address))


async def search(context: AdminContext) -> Response:
    """Show the form again with the subscribers that were searched for."""
    typed = read_form(context)
    found = await find_recipients(context.app, typed.newsletter, typed.search) if typed.search else ()
    return await form_page(context, typed, found=found, searched=True)


async def form_page(context: AdminContext, form: SendForm, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - the template's values
    """Return the page with the form."""
    return context.page(
        "send/form.html",
        status=status,
        form=form,
        newsletters=context.app.roster.newsletters,
        sends=await last_sends(context.app, MAX_LISTED),
        **{"found": (), "searched": False, **values},
    )
