"""Bearer tokens: authentication of the API and of /metrics (RFC 6750)."""

from __future__ import annotations

import hmac

from starlette.requests import Request


def has_bearer_token(request: Request, token: str) -> bool:
    """Return whether the request has this token, in a time that does not depend on how close it comes.

    An empty `token` matches no request.
    """
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    return same and bool(token) and scheme.lower() == "bearer"
