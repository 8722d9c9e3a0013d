"""API requests: bodies, parameters and headers, parsed strictly; an error says what to send instead."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request

from service.core.errors import UsageError
from service.core.send_request import SendRequest
from service.web.request_bodies import read_body

MAX_BODY_BYTES = 256 * 1024  # enough for MAX_ADDRESSES of usual length
MAX_ADDRESSES = 1_000  # in one send; `all` has no limit
MAX_KEY_CHARACTERS = 255  # of an idempotency key, as most APIs allow
MAX_ISSUES = 100  # in one list
DEFAULT_ISSUES = 20  # in a list without `limit`
FIELDS = ("newsletter", "to", "all", "again", "dry_run")
SWITCHES = ("all", "again", "dry_run")

NUMBER = re.compile("[1-9][0-9]{0,2}")
IDENTIFIER = re.compile("[!-~]{1,100}")
"""Characters of an id; the database is never asked for others, such as NUL."""

STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"(?:\s*;.*)?')
"""A string in a structured header (RFC 9651, 3.3.3), with any parameters behind it."""

NO_KEY = (
    "Idempotency-Key is missing: give each send a key of its own, such as a UUID, so that asking again "
    "after a lost answer sends nothing twice."
)


async def read_json(request: Request) -> Mapping[str, object]:
    """Return the JSON object in the body. Raises HTTPException with a sentence for anything else."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send the body as application/json.", {"Accept": "application/json"})
    try:
        value = json.loads(await read_body(request, MAX_BODY_BYTES))
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body is not JSON.") from None
    if not isinstance(value, dict):
        raise HTTPException(400, 'The body must be a JSON object, such as {"newsletter": "morning"}.')
    return value


def send_request_of(body: Mapping[str, object]) -> SendRequest:
    """Return the send request in the body, without its key. Raises UsageError."""
    unknown = [name for name in body if name not in FIELDS]
    if unknown:
        raise UsageError(f"there is no field {unknown[0]!r}; known: {', '.join(FIELDS)}")
    for switch in SWITCHES:
        if not isinstance(body.get(switch, False), bool):
            raise UsageError(f"`{switch}` must be true or false")
    newsletter, to = body.get("newsletter"), body.get("to")
    if not isinstance(newsletter, str):
        raise UsageError("`newsletter` must be the id of a newsletter")
    if (to is not None) == (body.get("all") is True):
        raise UsageError('say who gets it: either "to": ["ADDRESS", ...] or "all": true')
    return SendRequest(newsletter, None if to is None else _addresses(to), body.get("again") is True)


def is_dry_run(body: Mapping[str, object]) -> bool:
    """Return whether the body asks for a dry run."""
    return body.get("dry_run") is True


def idempotency_key(request: Request) -> str:
    """Return the request's idempotency key (draft-ietf-httpapi-idempotency-key-header).

    It may be a quoted string, as in the draft, or bare, as many clients send it. Raises HTTPException 400.
    """
    given = request.headers.getlist("idempotency-key")
    if not given:
        raise HTTPException(400, NO_KEY)
    text = given[0].strip()
    quoted = STRING.fullmatch(text)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    bare = text.isascii() and text.isprintable() and not set(text) & set(' ",;')
    if len(given) > 1 or not 0 < len(key) <= MAX_KEY_CHARACTERS or not (quoted or bare):
        raise HTTPException(
            400, f"Idempotency-Key must be one string of 1 to {MAX_KEY_CHARACTERS} characters."
        )
    return key


def limit_of(request: Request) -> int:
    """Return the parameter `limit`, the maximum number of issues. Raises UsageError."""
    text = _parameter(request, "limit")
    if text is None:
        return DEFAULT_ISSUES
    if not (NUMBER.fullmatch(text) and int(text) <= MAX_ISSUES):
        raise UsageError(f"`limit` must be a number from 1 to {MAX_ISSUES}")
    return int(text)


def newsletter_of(request: Request) -> str | None:
    """Return the parameter `newsletter` (an id), None for all newsletters. Raises UsageError."""
    text = _parameter(request, "newsletter")
    if text is not None and not IDENTIFIER.fullmatch(text):
        raise UsageError("`newsletter` must be the id of a newsletter")
    return text


def _parameter(request: Request, name: str) -> str | None:
    """Return a query parameter, None without it. Raises UsageError for a repeated one."""
    given = request.query_params.getlist(name)
    if len(given) > 1:
        raise UsageError(f"`{name}` is given {len(given)} times")
    return given[0] if given else None


def _addresses(to: object) -> tuple[str, ...]:
    if not (isinstance(to, list) and to and all(isinstance(address, str) for address in to)):
        raise UsageError("`to` must be a list of addresses")
    if len(to) > MAX_ADDRESSES:
        raise UsageError(f'name {MAX_ADDRESSES:,} readers at most, or say "all": true')
    return tuple(to)
