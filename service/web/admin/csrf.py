"""CSRF protection: a token in each form that only a page of the same session can contain.

By the OWASP cheat sheet's signed double-submit pattern, bound to the session.
"""

from __future__ import annotations

from starlette.requests import Request

from service.core import tokens

FIELD = "csrf"
PURPOSE, LOGIN_PURPOSE = "csrf", "csrf-login"
"""Purposes of the signatures: the login page signs what its cookie says, so its tokens open no session."""

FOREIGN = frozenset({"cross-site", "same-site"})
"""Values of Sec-Fetch-Site (Fetch Metadata) of a request that another site's page made."""


def csrf_token(key: bytes, session_id: str, purpose: str = PURPOSE) -> str:
    """Return the token for the forms of a session or, for LOGIN_PURPOSE, of a browser without one."""
    return tokens.signature(key, purpose, session_id)


def is_own_request(request: Request, key: bytes, session_id: str, given: str, purpose: str = PURPOSE) -> bool:
    """Return whether a form comes from a page of this session."""
    if request.headers.get("sec-fetch-site", "") in FOREIGN:
        return False
    return tokens.is_signature(key, purpose, session_id, given)
