"""Bodies: what a form sends, read within limits of size, time and number."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MAX_BODY_BYTES, MAX_FIELDS, BODY_SECONDS = 64 * 1024, 1000, 15.0
FORM = "application/x-www-form-urlencoded"

Fields = dict[str, list[str]]
"""A form's values by the names of its fields."""


async def read_body(request: Request, largest: int = MAX_BODY_BYTES) -> bytes:
    """Return the body, of `largest` bytes at most.

    Raises HTTPException 413 for a larger one, 408 for a slow one, 400 for a torn one.
    """
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > largest:
        raise HTTPException(413)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > largest:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)


async def read_form(request: Request) -> Fields:
    """Return the fields of a form. Raises HTTPException 415 for another kind of body, else as read_body."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise HTTPException(415)
    return fields_of(await read_body(request))


def fields_of(body: bytes) -> Fields:
    """Return the fields that a URL-encoded body holds; NUL and broken characters come out as U+FFFD."""
    try:
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise HTTPException(413) from None
    fields: Fields = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value.replace("\0", "\ufffd").strip())
    return fields
