"""A mail inside an editors' page: a response for a sandboxed frame, with a policy of its own.

The mail's HTML comes from feeds. The frame runs no script, sends no form and opens nothing in the editor's
session; the policy belongs to this response, so the page around it keeps a strict one.
"""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

from service.web.pages import NO_STORE_HEADERS

MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

MAIL_HEADERS = {
    **NO_STORE_HEADERS,
    "Content-Security-Policy": MAIL_POLICY,
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
}


def framed_mail(html: str) -> Response:
    """Return the HTML of a mail for an iframe of an editors' page, whose links open in new tabs."""
    return HTMLResponse(html, headers=dict(MAIL_HEADERS))
