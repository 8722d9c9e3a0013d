"""Cursors of lists: opaque, signed, and valid for the list and filters that they came from."""

from __future__ import annotations

from service.core import tokens
from service.web.api.operations import ApiCall
from service.web.api.problems import FieldProblem, InvalidFields

PURPOSE = "api-cursor"
PAGE_FIELDS = {"cursor", "limit"}


async def write_cursor(call: ApiCall, place: str) -> str:
    """Return the cursor for the page behind `place`, the id or number of the last item of this page."""
    key = await call.app.subscribers.signing_key()
    return tokens.sign(key, PURPOSE, call.operation.id, _filters(call), place)


async def read_cursor(call: ApiCall) -> str | None:
    """Return the place that the request's cursor names; None without a cursor.

    Raises InvalidFields for a cursor that this list did not give, or gave with other filters.
    """
    text = getattr(call.query, "cursor", None)
    if text is None:
        return None
    claims = tokens.read(await call.app.subscribers.signing_key(), PURPOSE, text)
    if claims is None or claims[:-1] != (call.operation.id, _filters(call)):
        detail = "`cursor` is not `next_cursor` of this list with these parameters."
        raise InvalidFields([FieldProblem(field="cursor", detail=detail)])
    return claims[-1]


def _filters(call: ApiCall) -> str:
    return call.query.model_dump_json(exclude=PAGE_FIELDS)
