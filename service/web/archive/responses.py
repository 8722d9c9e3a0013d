"""Responses of the archive: caching headers, conditional requests, and bodies that are rendered once."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.core.archive_links import KEY

MAX_CACHED_BYTES = 16_000_000  # of rendered bodies in one process
MAX_KEY_CHARACTERS = 100  # of a signature; a right one has 22
PUBLIC_SECONDS = 300  # that any cache may keep a public page
_PAGE_NUMBER = re.compile("[1-9][0-9]{0,3}")
_ETAG = re.compile(r'(?:W/)?("[^"]*")')


class RenderedBodies:
    """Rendered bodies by what they were rendered from; the oldest go when they need too much memory.

    An issue does not change once it is sent, and rendering a long one takes a tenth of a second.
    """

    def __init__(self, max_bytes: int = MAX_CACHED_BYTES) -> None:
        self._max_bytes, self._bytes = max_bytes, 0
        self._bodies: OrderedDict[Hashable, bytes] = OrderedDict()

    def get(self, name: Hashable) -> bytes | None:
        """Return the body, None if it is not there."""
        if name in self._bodies:
            self._bodies.move_to_end(name)
        return self._bodies.get(name)

    def put(self, name: Hashable, body: bytes) -> bytes:
        """Store a body and return it."""
        self._bytes += len(body) - len(self._bodies.pop(name, b""))
        self._bodies[name] = body
        while self._bytes > self._max_bytes and self._bodies:
            self._bytes -= len(self._bodies.popitem(last=False)[1])
        return body


def key_of(request: Request) -> str:
    """Return the key in the URL, "" without one."""
    return request.query_params.get(KEY, "")[:MAX_KEY_CHARACTERS]


def page_number_of(request: Request) -> int:
    """Return the query parameter `page`, 1 without one. Raises HTTPException 404 for no number."""
    text = request.query_params.get("page", "1")
    if not _PAGE_NUMBER.fullmatch(text):
        raise HTTPException(404)
    return int(text)


def numbered(url: str, number: int) -> str:
    """Return the address of page `number` of what is at `url`, which may have a query."""
    if number == 1:
        return url
    return f"{url}{'&' if '?' in url else '?'}page={number}"


def cacheable(
    request: Request,
    body: bytes,
    media_type: str,
    *,
    is_public: bool,
    changed_at: datetime | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the body with its validators, or 304 without it if the client has it (RFC 9110, 13).

    Only a public page may be kept by shared caches and found by search engines.
    """
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    kept = f"public, max-age={PUBLIC_SECONDS}" if is_public else "private, no-cache"
    both = {"ETag": etag, "Cache-Control": kept, **(headers or {})}
    if is_public:
        both["X-Robots-Tag"] = "all"
    if changed_at is not None:
        both["Last-Modified"] = format_datetime(changed_at.astimezone(UTC), usegmt=True)
    if _has_it(request, etag, changed_at):
        return Response(status_code=304, headers=both)
    return Response(body, headers=both, media_type=media_type)


def _has_it(request: Request, etag: str, changed_at: datetime | None) -> bool:
    """Return whether the request says that the client has this body."""
    if (known := request.headers.get("if-none-match")) is not None:
        return known.strip() == "*" or etag in _ETAG.findall(known)
    since = _date(request.headers.get("if-modified-since", ""))
    return since is not None and changed_at is not None and changed_at.replace(microsecond=0) <= since


def _date(text: str) -> datetime | None:
    """Return the time of an HTTP date, None for anything else."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
