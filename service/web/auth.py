"""Bearer: whether a request carries the token that opens a door (RFC 6750)."""

from __future__ import annotations

import hmac

from starlette.requests import Request


def has_bearer_token(request: Request, token: str) -> bool:
    """Tell, in a time that does not depend on how near it comes, whether the request carries the token.

    Without a token ("") nothing does.
    """
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    return same and bool(token) and scheme.lower() == "bearer"
