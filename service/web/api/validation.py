"""Validation of bodies and queries by the models of the operations; errors become sentences."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from service.web.api.operations import Operation
from service.web.api.problems import FieldProblem, InvalidFields
from service.web.request_bodies import read_body

JSON = "application/json"
MAX_PROBLEMS = 20  # in one response
MAX_PARAMETERS = 50  # of a query


def read_query(operation: Operation, request: Request) -> BaseModel:
    """Return the query parameters. Raises InvalidFields for unknown, repeated and invalid ones."""
    given = request.query_params.multi_items()
    names = [name for name, _ in given]
    repeated = sorted({name for name in names[:MAX_PARAMETERS] if names.count(name) > 1})
    if repeated or len(names) > MAX_PARAMETERS:
        text = (
            f"`{repeated[0][:64]}` is given more than once." if repeated else "There are too many parameters."
        )
        raise InvalidFields([FieldProblem(field=repeated[0][:64] if repeated else "", detail=text)])
    try:
        return operation.query.model_validate_strings(dict(given), strict=True)
    except ValidationError as error:
        raise InvalidFields(_problems(error, operation.query, "parameter")) from None


async def read_model(operation: Operation, request: Request) -> BaseModel | None:
    """Return the JSON body, None for an operation without one.

    Raises HTTPException 400, 408, 413 or 415, and InvalidFields for unknown and invalid fields.
    """
    if operation.body is None:
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise HTTPException(415, headers={"Accept": JSON})
    data = await read_body(request, operation.max_bytes)
    try:
        return operation.body.model_validate_json(data, strict=True)
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] == "json_invalid":
            raise HTTPException(400, "The body is not JSON.") from None
        raise InvalidFields(_problems(error, operation.body, "field")) from None


def _problems(error: ValidationError, model: type[BaseModel], noun: str) -> Sequence[FieldProblem]:
    found = []
    for one in error.errors(include_url=False, include_input=False)[:MAX_PROBLEMS]:
        name = ".".join(str(part) for part in one["loc"])[:200]
        if one["type"] == "extra_forbidden":
            known = ", ".join(model.model_fields) if len(one["loc"]) == 1 else ""
            text = f"There is no {noun} `{name}`" + (f"; known: {known}." if known else ".")
            if not model.model_fields:
                text = f"There is no {noun} `{name}`; this operation takes none."
        elif one["type"] == "missing":
            text = f"`{name}` is missing."
        elif one["type"] in ("model_type", "model_attributes_type"):
            text = "The body must be a JSON object." if not name else f"`{name}` must be a JSON object."
        elif one["type"] == "value_error":
            text = one["msg"].removeprefix("Value error, ")
        else:
            text = f"`{name}`: {one['msg'][:1].lower()}{one['msg'][1:]}."
        found.append(FieldProblem(field=name, detail=text))
    return found
