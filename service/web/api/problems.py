"""Problem details (RFC 9457): every error of the API as JSON, with a sentence that says what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.core.errors import (
    CaveatError,
    ChangeHeld,
    ChannelUnavailable,
    ConfigError,
    PoolUnavailable,
    StoreError,
    SummaryRefused,
    UsageError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = "60"
"""Retry-After while the database, or a process for the work, cannot be had."""

NO_STORE = {"Cache-Control": "no-store"}
SENTENCES = {
    400: "The request is not valid HTTP, or its body is not JSON.",
    401: "Send a token: Authorization: Bearer TOKEN. `caveat token create NAME --scope ...` makes one.",
    404: "There is nothing at this path; /api/v1/openapi.json lists the paths.",
    405: "This path does not take this method; the header Allow says which it takes.",
    408: "The body came too slowly.",
    413: "The body is larger than this operation takes.",
    415: "Send the body as application/json.",
    500: "Something went wrong; the log of the service has the details.",
}
"""Sentence of a problem that has none of its own, by status."""


class FieldProblem(BaseModel):
    """What is wrong with one field of the body, or with one query parameter."""

    field: str = Field(description="The name of the field, such as `preferences.stories`.")
    detail: str = Field(description="What is wrong, and what to send instead.")


class ApiProblem(BaseModel):
    """An error (RFC 9457)."""

    title: str = Field(description="The phrase of the status.")
    status: int = Field(description="The status of the response.")
    detail: str = Field(description="A sentence: what is wrong, and what to do.")
    errors: list[FieldProblem] = Field(default=[], description="The invalid fields, if there are any.")


@dataclass
class InvalidFields(CaveatError):
    """A body or query with invalid fields; the API answers 422."""

    errors: Sequence[FieldProblem]

    def __str__(self) -> str:
        return " ".join(error.detail for error in self.errors)


def problem(
    status: int, text: str = "", errors: Sequence[FieldProblem] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """Return the response of an error; without a text it is the usual one of the status."""
    phrase = HTTPStatus(status).phrase
    sentence = text if text not in ("", phrase) else SENTENCES.get(status, phrase)
    body: dict[str, Any] = {"title": phrase, "status": status, "detail": as_sentence(sentence)}
    if errors:
        body["errors"] = [error.model_dump() for error in errors]
    return Response(json.dumps(body) + "\n", status, {**NO_STORE, **(headers or {})}, MEDIA_TYPE)


def as_sentence(text: str) -> str:
    """Return the text with a capital first letter and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def exception_handlers() -> dict[Any, Any]:
    """Return the handler of each exception class, for Starlette."""
    return {HTTPException: _refused, CaveatError: _caveat_error, Exception: _failed}


async def _refused(_request: Request, error: HTTPException) -> Response:
    return problem(error.status_code, error.detail, headers=error.headers)


async def _caveat_error(_request: Request, error: CaveatError) -> Response:
    if isinstance(error, InvalidFields):
        return problem(422, str(error), error.errors)
    if isinstance(error, UsageError | SummaryRefused):
        return problem(422, str(error))
    if isinstance(error, ConfigError | ChangeHeld):
        start = "" if isinstance(error, ChangeHeld) else "The files of the configuration do not allow this: "
        return problem(409, f"{start}{error}")
    if isinstance(error, StoreError):
        text = "The database cannot be reached at this moment; repeat the request."
        return problem(503, text, headers={"Retry-After": RETRY_SECONDS})
    if isinstance(error, PoolUnavailable | ChannelUnavailable):
        return problem(503, str(error), headers={"Retry-After": RETRY_SECONDS})
    return problem(500, str(error))


async def _failed(_request: Request, _error: Exception) -> Response:
    return problem(500)
