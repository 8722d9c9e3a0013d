"""What a handler of an editors' page gets: the application, the person, the form, and the ways to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.app.accounts.audit import record
from service.app.accounts.sessions import SignedIn
from service.app.factories.application import Application
from service.core.model import Account
from service.web.admin.rendering import AdminPages
from service.web.admin.sections import Section
from service.web.pages import NO_STORE_HEADERS
from service.web.request_bodies import Fields

DONE = "done"
"""Query parameter with the key of the message that a page shows after a redirect."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form: the name that the browser gave and the bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class AdminContext:
    """One request of a person who is logged in.

    `fields` is the form of a POST, without its CSRF token; `uploads` are its files by field name.
    """

    app: Application
    pages: AdminPages
    request: Request
    signed_in: SignedIn
    section: Section
    csrf: str
    fields: Fields = field(default_factory=dict)
    uploads: Mapping[str, Upload] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        """The person's account."""
        return self.signed_in.account

    def path(self, name: str) -> str:
        """Return a part of the path, as the route names it, without NUL, which PostgreSQL refuses."""
        return str(self.request.path_params[name]).replace("\0", "")

    def query(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter, without white space around it."""
        return self.request.query_params.get(name, default).replace("\0", "").strip()

    def value(self, name: str, default: str = "") -> str:
        """Return the first value of a field of the form."""
        return self.fields.get(name, [default])[0]

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - each template has its own
        """Return the rendered template of templates/admin, with navigation and message."""
        return self.pages.page(
            template,
            status=status,
            account=self.account,
            csrf=self.csrf,
            section=self.section,
            message=self.section.messages.get(self.query(DONE), ""),
            now=self.app.clock(),
            **values,
        )

    def redirect(self, path: str, *, done: str = "", **query: str) -> Response:
        """Return a redirect to a page, `path` begins behind /admin; a reload does not repeat the action.

        `done` is a key of the section's messages, and the page shows its sentence.
        """
        parameters = urlencode({**query, **({DONE: done} if done else {})})
        address = f"/admin{path}" + (f"?{parameters}" if parameters else "")
        return RedirectResponse(self.pages.root + address, 303, NO_STORE_HEADERS)

    async def record(self, action: str, subject: str = "", **details: object) -> None:
        """Store in the audit record that the person did something; see `app.accounts.audit.record`."""
        await record(self.app, self.account, action, subject, **details)
