"""Request bodies: read within limits of size, time and number of fields."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MAX_BODY_BYTES = 64 * 1024  # of a form; the preferences form of a hundred newsletters is smaller
MAX_FIELDS = 1_000  # of a form
BODY_SECONDS = 15.0  # to receive a body; a slower client occupies a connection
FORM = "application/x-www-form-urlencoded"

Fields = dict[str, list[str]]
"""Values of a form by field name."""


async def read_body(request: Request, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Return the body, of `max_bytes` at most.

    Raises HTTPException 413 for a larger body, 408 for a slow one, 400 for a broken connection.
    """
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > max_bytes:
        raise HTTPException(413)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)


async def read_form(request: Request) -> Fields:
    """Return the fields of a form. Raises HTTPException as `read_body` does, and 415 for another type."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise HTTPException(415)
    return fields_of(await read_body(request))


def fields_of(body: bytes) -> Fields:
    """Return the fields of a URL-encoded body; NUL and invalid UTF-8 become U+FFFD."""
    try:
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise HTTPException(413) from None
    fields: Fields = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value.replace("\0", "\ufffd").strip())
    return fields
