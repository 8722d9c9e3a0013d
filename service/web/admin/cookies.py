"""Cookies of the editors' pages: the session, and the login form before there is one (RFC 6265bis)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

SESSION, LOGIN, BROWSER = "caveat_session", "caveat_login", "caveat_browser"
BROWSER_SECONDS = 180 * 86_400  # for which a browser in which somebody has logged in is known
HOST_PREFIX = "__Host-"
"""A browser takes a cookie of this name only over HTTPS and for this host alone (RFC 6265bis, 4.1.3.2)."""


def is_https(request: Request, *, trusted: bool) -> bool:
    """Return whether the browser uses HTTPS; `trusted`: the request comes from a proxy that is believed."""
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return request.url.scheme == "https" or (trusted and forwarded == "https")


def read_cookie(request: Request, name: str, *, https: bool) -> str:
    """Return the value of a cookie, "" without it."""
    return request.cookies.get(_full_name(name, https=https), "")


def set_cookie(response: Response, name: str, value: str, *, https: bool, seconds: int | None = None) -> None:
    """Set a cookie for a time, with None until the browser is closed.

    Scripts and other sites' forms do not get it.
    """
    full = _full_name(name, https=https)
    response.set_cookie(full, value, seconds, path="/", secure=https, httponly=True, samesite="lax")


def delete_cookie(response: Response, name: str, *, https: bool) -> None:
    """Delete a cookie."""
    response.delete_cookie(
        _full_name(name, https=https), path="/", secure=https, httponly=True, samesite="lax"
    )


def _full_name(name: str, *, https: bool) -> str:
    return (HOST_PREFIX if https else "") + name
