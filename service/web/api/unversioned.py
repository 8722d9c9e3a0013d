"""The unversioned API (/api): manual sends, and the issues with their delivery counts; /api/v1 does more.

A send is planned like `caveat send` does; a deliver worker sends it. Responses are JSON, errors are problem
details (RFC 9457). Every request needs the token, which no browser sends by itself, and no response permits
access from other sites (CORS).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service.app.sending.manual_send import dry_run, send
from service.app.sending.pausing import pause, resume
from service.core.errors import CaveatError, StoreError, UsageError
from service.core.model import ManualSend
from service.core.read_models import IssueDetails, issue_as_dict
from service.core.send_request import SendRequest
from service.web.api.unversioned_requests import (
    IDENTIFIER,
    idempotency_key,
    is_dry_run,
    limit_of,
    newsletter_of,
    read_json,
    send_request_of,
)
from service.web.auth import has_bearer_token

if TYPE_CHECKING:
    from service.app.factories.application import Application

RETRY_SECONDS = "120"
"""Retry-After of a response while the database is unreachable."""

CHALLENGE = 'Bearer realm="caveat"'
DEFAULT_DETAILS = {
    401: "Send the token of the API: Authorization: Bearer TOKEN.",
    404: "There is nothing here.",
    405: "This does not go here by that method; the header Allow says which does.",
    408: "The body came too slowly.",
    413: "The body is too large.",
    500: "Something went wrong inside; the log of the service says what.",
}
"""Sentence of a problem that has none of its own, by status."""


def api_application(app: Application, token: str) -> ASGIApp:
    """Return the API as an ASGI application that requires this bearer token."""
    handlers = _ApiHandlers(app)
    routes = [
        Route("/sends", handlers.send, methods=["POST"]),
        Route("/issues", handlers.issues, methods=["GET"]),
        Route("/issues/{issue}", handlers.issue, methods=["GET"]),
        Route("/issues/{issue}/pause", handlers.pause, methods=["POST"]),
        Route("/issues/{issue}/resume", handlers.resume, methods=["POST"]),
    ]
    exception_handlers: dict[Any, Any] = {
        HTTPException: _refused,
        CaveatError: _caveat_error,
        Exception: _failed,
    }
    inner = Starlette(routes=routes, exception_handlers=exception_handlers)
    inner.router.redirect_slashes = False
    return _TokenGuard(inner, token)


class _ApiHandlers:
    """One method per route."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def send(self, request: Request) -> Response:
        """Plan a send once per idempotency key and return its issues; with `dry_run` plan nothing."""
        body = await read_json(request)
        wanted = send_request_of(body)
        if is_dry_run(body):
            return await self._dry_run(wanted)
        wanted = replace(wanted, key=idempotency_key(request))
        planned = (await send(self._app, wanted)).planned
        if planned.problems and not planned.deliveries:
            raise CaveatError(" ".join(planned.problems))
        return _send_response(request, wanted, planned)

    async def issues(self, request: Request) -> Response:
        """Return the last issues with their delivery counts, newest first."""
        found = await self._app.queries.issues(newsletter_of(request), limit=limit_of(request))
        return _json_response({"issues": [issue_as_dict(issue) for issue in found]})

    async def issue(self, request: Request) -> Response:
        """Return one issue with its delivery counts."""
        return _json_response(issue_as_dict(await self._issue(request)))

    async def pause(self, request: Request) -> Response:
        """Pause an issue and return it."""
        await pause(self._app, [(await self._issue(request)).id])
        return await self.issue(request)

    async def resume(self, request: Request) -> Response:
        """Resume an issue and return it."""
        await resume(self._app, [(await self._issue(request)).id])
        return await self.issue(request)

    async def _dry_run(self, wanted: SendRequest) -> Response:
        found = await dry_run(self._app, wanted)
        issues = [
            {
                "subject": planned.issue.rendered.subject,
                "readers": planned.subscribers,
                "stories": planned.stories,
            }
            for planned in found.report.planned
        ]
        return _json_response(
            {
                "issues": issues,
                "deliveries": sum(planned.subscribers for planned in found.report.planned),
                "nothing_new": found.report.nothing_new,
                "left_out": _left_out(wanted, found.recipients.left_out),
                "problems": list(found.report.problems),
                "dry_run": True,
            }
        )

    async def _issue(self, request: Request) -> IssueDetails:
        issue_id = request.path_params["issue"]
        found = await self._app.queries.issues_by_prefix(issue_id) if IDENTIFIER.fullmatch(issue_id) else ()
        for issue in found:
            if issue.id == issue_id:
                return issue
        raise HTTPException(404, "There is no issue of that id.")


class _TokenGuard:
    """Rejects every request without the token, whatever its path."""

    def __init__(self, inner: ASGIApp, token: str) -> None:
        self._inner, self._token = inner, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        request = Request(scope)
        if has_bearer_token(request, self._token):
            await self._inner(scope, receive, send)
            return
        invalid = ', error="invalid_token"' if "authorization" in request.headers else ""
        response = _problem(401, DEFAULT_DETAILS[401])
        response.headers["WWW-Authenticate"] = CHALLENGE + invalid
        await response(scope, receive, send)


def _send_response(request: Request, wanted: SendRequest, planned: ManualSend) -> Response:
    """Return the response to a send; a repeated request gets the same one."""
    root = request.scope["root_path"]
    issues = [{"id": issue, "url": f"{root}/issues/{issue}"} for issue in planned.issues]
    body = {
        "issues": issues,
        "deliveries": planned.deliveries,
        "nothing_new": planned.nothing_new,
        "left_out": _left_out(wanted, planned.left_out),
        "problems": list(planned.problems),
    }
    response = _json_response(body, 202 if issues else 200)
    if len(issues) == 1:
        response.headers["Location"] = issues[0]["url"]
    return response


def _left_out(wanted: SendRequest, reasons: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"address": address, "why": reason} for address, reason in wanted.left_out(reasons)]


async def _refused(_request: Request, error: HTTPException) -> Response:
    phrase = HTTPStatus(error.status_code).phrase
    has_own_detail = error.detail != phrase
    detail = error.detail if has_own_detail else DEFAULT_DETAILS.get(error.status_code, phrase)
    response = _problem(error.status_code, detail)
    response.headers.update(error.headers or {})
    return response


async def _caveat_error(_request: Request, error: CaveatError) -> Response:
    if isinstance(error, UsageError):
        return _problem(422, str(error))
    if isinstance(error, StoreError):
        response = _problem(503, "The database cannot be reached at this moment; ask again in a while.")
        response.headers["Retry-After"] = RETRY_SECONDS
        return response
    return _problem(500, str(error))


async def _failed(_request: Request, _error: Exception) -> Response:
    return _problem(500, DEFAULT_DETAILS[500])


def _problem(status: int, text: str) -> Response:
    """Return a problem details response (RFC 9457) with the text as a sentence."""
    detail = text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
    body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return _json_response(body, status, "application/problem+json")


def _json_response(body: dict[str, Any], status: int = 200, media_type: str = "application/json") -> Response:
    text = json.dumps(body, default=_json_value)
    return Response(text + "\n", status, {"Cache-Control": "no-store"}, media_type)


def _json_value(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
