"""Asked: what a program's request wants, read strictly; every refusal is a sentence that says what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request

from service.core.errors import UsageError
from service.core.send_request import SendRequest
from service.web.request_bodies import read_body

MAX_BODY_BYTES = 256 * 1024
MAX_ADDRESSES, MAX_KEY_CHARACTERS, MAX_ISSUES, DEFAULT_ISSUES = 1_000, 255, 100, 20
FIELDS = ("newsletter", "to", "all", "again", "dry_run")
SWITCHES = ("all", "again", "dry_run")

NUMBER = re.compile("[1-9][0-9]{0,2}")
IDENTIFIER = re.compile("[!-~]{1,100}")
"""Every id is within this; other characters, such as NUL, are no business of the database."""

STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"(?:\s*;.*)?')
"""A string as structured headers write it (RFC 9651, 3.3.3), whatever parameters follow."""

NO_KEY = (
    "Idempotency-Key is missing: give each send a key of its own, such as a UUID, so that asking again "
    "after a lost answer sends nothing twice."
)


async def read_json(request: Request) -> Mapping[str, object]:
    """Return the JSON object that a body holds. Raises HTTPException with a sentence for anything else."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send the body as application/json.", {"Accept": "application/json"})
    try:
        value = json.loads(await read_body(request, MAX_BODY_BYTES))
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body is no JSON.") from None
    if not isinstance(value, dict):
        raise HTTPException(400, 'The body must be a JSON object, such as {"newsletter": "morning"}.')
    return value


def send_request_of(asked: Mapping[str, object]) -> SendRequest:
    """Return what the object asks to be sent, without a key. Raises UsageError."""
    unknown = [name for name in asked if name not in FIELDS]
    if unknown:
        raise UsageError(f"there is no field {unknown[0]!r}; known: {', '.join(FIELDS)}")
    for switch in SWITCHES:
        if not isinstance(asked.get(switch, False), bool):
            raise UsageError(f"`{switch}` must be true or false")
    newsletter, to = asked.get("newsletter"), asked.get("to")
    if not isinstance(newsletter, str):
        raise UsageError("`newsletter` must be the id of a newsletter")
    if (to is not None) == (asked.get("all") is True):
        raise UsageError('say who gets it: either "to": ["ADDRESS", ...] or "all": true')
    return SendRequest(newsletter, None if to is None else _addresses(to), asked.get("again") is True)


def is_dry_run(asked: Mapping[str, object]) -> bool:
    """Tell whether it asks what would be sent, and for nothing to happen."""
    return asked.get("dry_run") is True


def idempotency_key(request: Request) -> str:
    """Return the request's idempotency key (draft-ietf-httpapi-idempotency-key-header).

    As the draft writes it, a string in quotes, or bare, as many programs do. Raises HTTPException 400.
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
    """Return how many issues are asked for, `USUAL_ISSUES` unless it says so. Raises UsageError."""
    text = _parameter(request, "limit")
    if text is None:
        return DEFAULT_ISSUES
    if not (NUMBER.fullmatch(text) and int(text) <= MAX_ISSUES):
        raise UsageError(f"`limit` must be a number from 1 to {MAX_ISSUES}")
    return int(text)


def newsletter_of(request: Request) -> str | None:
    """Return of which newsletter (its id) issues are asked for, None for all. Raises UsageError."""
    text = _parameter(request, "newsletter")
    if text is not None and not IDENTIFIER.fullmatch(text):
        raise UsageError("`newsletter` must be the id of a newsletter")
    return text


def _parameter(request: Request, name: str) -> str | None:
    """Return a parameter of the query. Raises UsageError for one that is given twice."""
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
