"""The API: what a program asks of the house; it sends by hand as `caveat send` does.

It plans and answers; whoever works off the outbox delivers. Each answer is JSON, and what went wrong is a
problem (RFC 9457) told in a sentence. Nothing of it is there without a token, and nothing is open to other
sites: no answer allows them (CORS), and no browser sends the token by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service.core.errors import CaveatError, StoreError, UsageError
from service.core.model import ManualSend
from service.core.read_models import IssueDetails, issue_as_dict
from service.core.send_request import SendRequest
from service.web.api_ports import Sends
from service.web.api_requests import (
    IDENTIFIER,
    idempotency_key,
    is_dry_run,
    limit_of,
    newsletter_of,
    read_json,
    send_request_of,
)
from service.web.auth import has_bearer_token

RETRY_SECONDS = "120"
CHALLENGE = 'Bearer realm="caveat"'
DEFAULT_DETAILS = {
    401: "Send the token of the API: Authorization: Bearer TOKEN.",
    404: "There is nothing here.",
    405: "This does not go here by that method; the header Allow says which does.",
    408: "The body came too slowly.",
    413: "The body is too large.",
    500: "Something went wrong inside; the log of the service says what.",
}


def api_application(sends: Sends, token: str) -> ASGIApp:
    """Return the API as an ASGI application, open to whoever carries the token."""
    api = _ApiHandlers(sends)
    routes = [
        Route("/sends", api.send, methods=["POST"]),
        Route("/issues", api.issues, methods=["GET"]),
        Route("/issues/{issue}", api.issue, methods=["GET"]),
        Route("/issues/{issue}/pause", api.pause, methods=["POST"]),
        Route("/issues/{issue}/resume", api.resume, methods=["POST"]),
    ]
    handlers: dict[Any, Any] = {HTTPException: _refused, CaveatError: _told, Exception: _failed}
    inner = Starlette(routes=routes, exception_handlers=handlers)
    inner.router.redirect_slashes = False
    return _TokenGuard(inner, token)


class _ApiHandlers:
    """One method for each thing that can be asked."""

    def __init__(self, sends: Sends) -> None:
        self._sends = sends

    async def send(self, request: Request) -> Response:
        """Plan a send once for its key; say which issues came of it, or with `dry_run` what would."""
        asked = await read_json(request)
        wanted = send_request_of(asked)
        if is_dry_run(asked):
            return await self._try(wanted)
        wanted = replace(wanted, key=idempotency_key(request))
        sent = await self._sends.send(wanted)
        if sent.problems and not sent.deliveries:
            raise CaveatError(" ".join(sent.problems))
        return _sent(request, wanted, sent)

    async def issues(self, request: Request) -> Response:
        """List the last issues with their books, newest first."""
        found = await self._sends.issues(newsletter_of(request), limit_of(request))
        return _answer({"issues": [issue_as_dict(line) for line in found]})

    async def issue(self, request: Request) -> Response:
        """Show an issue with its books."""
        return _answer(issue_as_dict(await self._issue(request)))

    async def pause(self, request: Request) -> Response:
        """Stop sending an issue until it is resumed."""
        found = await self._issue(request)
        await self._sends.pause(found.id)
        return await self.issue(request)

    async def resume(self, request: Request) -> Response:
        """Let an issue go on."""
        found = await self._issue(request)
        await self._sends.resume(found.id)
        return await self.issue(request)

    async def _try(self, wanted: SendRequest) -> Response:
        trial = await self._sends.try_out(wanted)
        planned = [asdict(draft) for draft in trial.issues]
        return _answer(
            {
                "issues": planned,
                "deliveries": sum(draft.readers for draft in trial.issues),
                "nothing_new": trial.nothing_new,
                "left_out": _left_out(wanted, trial.left_out),
                "problems": list(trial.problems),
                "dry_run": True,
            }
        )

    async def _issue(self, request: Request) -> IssueDetails:
        named = request.path_params["issue"]
        found = await self._sends.issue(named) if IDENTIFIER.fullmatch(named) else None
        if found is None:
            raise HTTPException(404, "There is no issue of that id.")
        return found


class _TokenGuard:
    """Lets nobody in without the token, whatever they ask for."""

    def __init__(self, inner: ASGIApp, token: str) -> None:
        self._inner, self._token = inner, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope)
        if has_bearer_token(request, self._token):
            await self._inner(scope, receive, send)
            return
        tried = ', error="invalid_token"' if "authorization" in request.headers else ""
        refusal = _problem(401, DEFAULT_DETAILS[401])
        refusal.headers["WWW-Authenticate"] = CHALLENGE + tried
        await refusal(scope, receive, send)


def _sent(request: Request, wanted: SendRequest, sent: ManualSend) -> Response:
    """Return the answer to a send; the same for each time that it is asked for."""
    here = request.scope["root_path"]
    issues = [{"id": issue, "url": f"{here}/issues/{issue}"} for issue in sent.issues]
    told = {
        "issues": issues,
        "deliveries": sent.deliveries,
        "nothing_new": sent.nothing_new,
        "left_out": _left_out(wanted, sent.left_out),
        "problems": list(sent.problems),
    }
    answer = _answer(told, 202 if issues else 200)
    if len(issues) == 1:
        answer.headers["Location"] = issues[0]["url"]
    return answer


def _left_out(wanted: SendRequest, reasons: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"address": address, "why": why} for address, why in wanted.left_out(reasons)]


async def _refused(_request: Request, error: HTTPException) -> Response:
    phrase = HTTPStatus(error.status_code).phrase
    said = DEFAULT_DETAILS.get(error.status_code, phrase) if error.detail == phrase else error.detail
    answer = _problem(error.status_code, said)
    answer.headers.update(error.headers or {})
    return answer


async def _told(_request: Request, error: CaveatError) -> Response:
    if isinstance(error, UsageError):
        return _problem(422, str(error))
    if isinstance(error, StoreError):
        answer = _problem(503, "The database cannot be reached at this moment; ask again in a while.")
        answer.headers["Retry-After"] = RETRY_SECONDS
        return answer
    return _problem(500, str(error))


async def _failed(_request: Request, _error: Exception) -> Response:
    return _problem(500, DEFAULT_DETAILS[500])


def _problem(status: int, said: str) -> Response:
    """Return what went wrong as RFC 9457 wants it."""
    sentence = said[:1].upper() + said[1:] + ("" if said.endswith((".", "?", "!")) else ".")
    told = {"title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    return _answer(told, status, "application/problem+json")


def _answer(told: dict[str, Any], status: int = 200, kind: str = "application/json") -> Response:
    body = json.dumps(told, default=_plain)
    return Response(body + "\n", status, {"Cache-Control": "no-store"}, kind)


def _plain(value: object) -> str:
    """Return what JSON can hold of a value that it does not know."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
