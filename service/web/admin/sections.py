"""A section of the editors' pages: its place in the navigation, its routes and their roles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.responses import Response

from service.core.model import AccountRole
from service.web.request_bodies import MAX_BODY_BYTES

if TYPE_CHECKING:
    from service.web.admin.context import AdminContext

Handler = Callable[["AdminContext"], Awaitable[Response]]
"""Answers a request of a person who is logged in and has the role of the route."""


@dataclass(frozen=True, slots=True)
class AdminRoute:
    """A page or an action. `path` begins behind /admin; a POST has passed the check of its CSRF token.

    `role` is the lowest role that may use it. `max_bytes` limits the body of a POST, which may be a form with
    a file.
    """

    path: str
    handler: Handler
    method: str = "GET"
    role: AccountRole = AccountRole.VIEWER
    max_bytes: int = MAX_BODY_BYTES


@dataclass(frozen=True, slots=True)
class Section:
    """A group of pages. `path` (behind /admin) is the first of them; `role` the lowest that sees it.

    `messages` are the sentences that `AdminContext.redirect` can show on the next page, by their keys.
    """

    title: str
    path: str
    routes: tuple[AdminRoute, ...]
    messages: Mapping[str, str] = field(default_factory=dict)
    role: AccountRole = AccountRole.VIEWER
    in_navigation: bool = True
