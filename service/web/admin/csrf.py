"""CSRF protection: a token in each form that only a page of the same session can contain.

By the OWASP cheat sheet's signed double-submit pattern, bound to the session.
"""

from __future__ import annotations

from starlette.requests import Request

from service.core import tokens

FIELD = "csrf"
PURPOSE = "csrf"
FOREIGN = frozenset({"cross-site", "same-site"})
"""Values of Sec-Fetch-Site (Fetch Metadata) of a request that another site's page made."""


def csrf_token(key: bytes, session_id: str) -> str:
    """Return the token for the forms of a session."""
    return tokens.signature(key, PURPOSE, session_id)


def is_own_request(request: Request, key: bytes, session_id: str, given: str) -> bool:
    """Return whether a form comes from a page of this session."""
    if request.headers.get("sec-fetch-site", "") in FOREIGN:
        return False
    return tokens.is_signature(key, PURPOSE, session_id, given)
