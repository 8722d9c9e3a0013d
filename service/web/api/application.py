"""The API /api/v1 as an ASGI application: token, rate limit, validation, operation, response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import TYPE_CHECKING

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service.app.api.tokens import token_of
from service.core.errors import CaveatError
from service.core.model import ApiToken
from service.web.api.openapi import openapi_json
from service.web.api.operations import ApiCall, ApiReply, Operation
from service.web.api.problems import exception_handlers, problem
from service.web.api.rate_limit import RateState, RequestBudgets
from service.web.api.resources import OPERATIONS
from service.web.api.unversioned_requests import IDENTIFIER, idempotency_key
from service.web.api.validation import read_model, read_query

if TYPE_CHECKING:
    from service.app.factories.application import Application

CHALLENGE = 'Bearer realm="caveat"'
PRIVATE = "private, no-cache"
"""Cache-Control of a response: only the client keeps it, and asks with its ETag before it is used again."""

OPENAPI_PATH = "/openapi.json"
PUBLIC_FOR_A_MINUTE = "public, max-age=60"


def versioned_api(app: Application) -> ASGIApp:
    """Return the API, for the paths behind /api/v1."""
    api = _VersionedApi(app)
    by_path: dict[str, list[BaseRoute]] = {}
    for operation in OPERATIONS:
        route = Route(operation.path, api.endpoint(operation), methods=[operation.method])
        by_path.setdefault(operation.path, []).append(route)
    routes: list[BaseRoute] = [Route(OPENAPI_PATH, api.openapi, methods=["GET"])]
    for path, some in by_path.items():
        routes += some
        allowed = sorted({method for one in some if isinstance(one, Route) for method in one.methods or ()})
        routes.append(Route(path, _WrongMethod(", ".join(allowed))))
    inner = Starlette(routes=routes, exception_handlers=exception_handlers())
    inner.router.redirect_slashes = False
    return _TokenCheck(inner, app)


class _WrongMethod:
    """Answers 405 with all methods of a path, not only those of its last route."""

    def __init__(self, allowed: str) -> None:
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        await problem(405, headers={"Allow": self._allowed})(scope, receive, send)


class _VersionedApi:
    """The endpoints of the operations."""

    def __init__(self, app: Application) -> None:
        self._app, self._document = app, openapi_json(OPERATIONS)

    async def openapi(self, _request: Request) -> Response:
        """Return the OpenAPI document; it needs no token."""
        headers = {"Cache-Control": PUBLIC_FOR_A_MINUTE}
        return Response(self._document, 200, headers, "application/json")

    def endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of an operation."""

        async def answer(request: Request) -> Response:
            token: ApiToken = request.scope["api_token"]
            rate: RateState = request.scope["api_budgets"].spend(token.id, self._app.clock(), operation.cost)
            if not rate.allowed:
                text = f"The token has used its {rate.limit} requests of this minute"
                return problem(429, f"{text}; wait {rate.seconds} seconds.", headers=rate.headers())
            response = await self._answer(operation, token, request)
            response.headers.update(rate.headers())
            return response

        return answer

    async def _answer(self, operation: Operation, token: ApiToken, request: Request) -> Response:
        """Return the response, also that of an error, so that it gets the headers of the rate limit."""
        handlers = exception_handlers()
        try:
            return await self._checked(operation, token, request)
        except HTTPException as error:
            response: Response = await handlers[HTTPException](request, error)
        except CaveatError as error:
            response = await handlers[CaveatError](request, error)
        return response

    async def _checked(self, operation: Operation, token: ApiToken, request: Request) -> Response:
        if not token.allows(operation.scope):
            scope = f'{CHALLENGE}, error="insufficient_scope", scope="{operation.scope}"'
            text = f"The token needs the scope {operation.scope}; `caveat token create` makes one with it"
            raise HTTPException(403, text, {"WWW-Authenticate": scope})
        if not all(IDENTIFIER.fullmatch(str(part)) for part in request.path_params.values()):
            raise HTTPException(404)
        if operation.needs_key:
            idempotency_key(request)
        query = read_query(operation, request)
        body = await read_model(operation, request)
        call = ApiCall(self._app, token, request, operation, query, body)
        return _response(request, operation, await operation.handler(call))


def _response(request: Request, operation: Operation, made: BaseModel | ApiReply | Response) -> Response:
    if isinstance(made, Response):
        made.headers.setdefault("Cache-Control", PRIVATE)
        return made
    reply = made if isinstance(made, ApiReply) else ApiReply(made, operation.status)
    if reply.body is None:
        return Response(None, reply.status, {**reply.headers, "Cache-Control": "no-store"})
    data = reply.body.model_dump_json().encode() + b"\n"
    headers = {"Cache-Control": "no-store", **reply.headers}
    if request.method in ("GET", "HEAD") and reply.status == 200:
        tag = f'"{sha256(data).hexdigest()[:32]}"'
        headers |= {"Cache-Control": PRIVATE, "ETag": tag}
        known = {
            one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")
        }
        if known & {tag, "*"}:
            return Response(None, 304, headers)
    return Response(data, reply.status, headers, "application/json")


class _TokenCheck:
    """Lets only requests with a valid token through; the OpenAPI document needs none."""

    def __init__(self, inner: ASGIApp, app: Application) -> None:
        self._inner, self._app, self._budgets = inner, app, RequestBudgets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        request = Request(scope)
        if scope["path"].removeprefix(scope.get("root_path", "")) == OPENAPI_PATH:
            await self._inner(scope, receive, send)
            return
        found = await self._token(request)
        if isinstance(found, Response):
            await found(scope, receive, send)
            return
        await self._inner({**scope, "api_token": found, "api_budgets": self._budgets}, receive, send)

    async def _token(self, request: Request) -> ApiToken | Response:
        given = request.headers.getlist("authorization")
        scheme, _, text = (given[0] if len(given) == 1 else "").partition(" ")
        try:
            token = await token_of(self._app, text.strip()) if scheme.lower() == "bearer" else None
        except CaveatError as error:
            response: Response = await exception_handlers()[CaveatError](request, error)
            return response
        if token is not None:
            return token
        invalid = ', error="invalid_token"' if given else ""
        text = "The token is unknown, expired or revoked." if given else ""
        return problem(401, text, headers={"WWW-Authenticate": CHALLENGE + invalid})
