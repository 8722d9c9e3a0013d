"""An operation of the API: its path, what it takes and returns, and the scope that it needs.

The same declaration routes and validates a request, and is described by the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.app.api.tokens import record_api
from service.core.model import ApiScope, ApiToken, Newsletter

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_PAGE_ITEMS = 200
DEFAULT_PAGE_ITEMS = 50
MAX_BODY_BYTES = 64 * 1024  # of a request, unless the operation says otherwise

Line = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of text from outside."""

Key = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern="^[!-~]+$")]
"""An id: visible ASCII characters. The database is never asked for others, such as NUL."""

Model = TypeVar("Model", bound=BaseModel)


class ApiInput(BaseModel):
    """Base class of bodies and queries: exact types, and no field that is not declared."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ApiOutput(BaseModel):
    """Base class of what the API returns. Clients must accept fields that are added later."""

    model_config = ConfigDict(frozen=True)


class NoQuery(ApiInput):
    """No query parameter."""


class PageQuery(ApiInput):
    """The page of a list."""

    limit: int = Field(
        default=DEFAULT_PAGE_ITEMS, ge=1, le=MAX_PAGE_ITEMS, description="Maximum number of items."
    )
    cursor: Line | None = Field(
        default=None, description="`next_cursor` of the page before. Left out: the first page."
    )


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One valid request of a program: its token may do the operation, `query` and `body` are checked."""

    app: Application
    token: ApiToken
    request: Request
    operation: Operation
    query: BaseModel
    body: BaseModel | None = None

    def query_as(self, kind: type[Model]) -> Model:
        """Return the query parameters; `kind` is the class that the operation declares."""
        assert isinstance(self.query, kind)  # noqa: S101 - for the type checker
        return self.query

    def body_as(self, kind: type[Model]) -> Model:
        """Return the body; `kind` is the class that the operation declares."""
        assert isinstance(self.body, kind)  # noqa: S101 - for the type checker
        return self.body

    def path(self, name: str) -> str:
        """Return a part of the path, as the operation names it."""
        return str(self.request.path_params[name])

    def url(self, path: str) -> str:
        """Return the address of another resource, relative to this server; `path` begins behind /api/v1."""
        return f"{self.request.scope['root_path']}{path}"

    def newsletter(self, newsletter_id: str) -> Newsletter:
        """Return the newsletter with this id. Raises HTTPException 404."""
        found = self.app.roster.newsletter(newsletter_id)
        return found if found is not None else not_found("newsletter")

    def require(self, scope: ApiScope) -> None:
        """Raise HTTPException 403 if the token does not have a further scope that this request needs."""
        if not self.token.allows(scope):
            raise HTTPException(403, f"The token needs the scope {scope} for this request.")

    async def record(self, action: str, subject: str = "", **details: object) -> None:
        """Store in the audit record that the program did something; see `app.api.tokens.record_api`."""
        await record_api(self.app, self.token, action, subject, **details)


@dataclass(frozen=True, slots=True)
class ApiReply:
    """What an operation returns if not only a body of its declared class: status and headers as well."""

    body: BaseModel | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[ApiCall], Awaitable[BaseModel | ApiReply | Response]]
"""Answers a valid request. Raises HTTPException or CaveatError."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation; `path` begins behind /api/v1. Its id is the name of the handler.

    `result` None: no body (204), or one of `media` only. `media` are the types of bodies that are not JSON.
    `status` is that of success, `other_statuses` are further ones. `cost` is counted by the rate limit.
    """

    method: str
    path: str
    summary: str
    handler: Handler
    scope: ApiScope
    result: type[BaseModel] | None
    query: type[BaseModel] = NoQuery
    body: type[BaseModel] | None = None
    status: int = 200
    other_statuses: tuple[int, ...] = ()
    description: str = ""
    media: tuple[str, ...] = ()
    needs_key: bool = False
    max_bytes: int = MAX_BODY_BYTES
    cost: int = 1

    @property
    def id(self) -> str:
        """The id of the operation, such as `list_issues`."""
        return str(getattr(self.handler, "__name__", ""))


def not_found(what: str) -> NoReturn:
    """Raise HTTPException 404 for an object that does not exist."""
    raise HTTPException(404, f"There is no {what} with this id.")
