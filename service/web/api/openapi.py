"""The OpenAPI 3.1 document of /api/v1, made from the declarations by which requests are validated (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.core.model import ApiScope
from service.web.api.operations import Operation
from service.web.api.problems import MEDIA_TYPE as PROBLEM_TYPE
from service.web.api.problems import ApiProblem
from service.web.api.unversioned_requests import MAX_KEY_CHARACTERS

REFERENCE = "#/components/schemas/{model}"
PATH_PARAMETER = re.compile(r"\{(\w+)\}")
RATE_HEADERS = {
    "RateLimit": "What is left of the budget (r), and the seconds until it is renewed (t).",
    "RateLimit-Policy": "The budget of the token (q) in a window of w seconds.",
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A key of your own for this request, such as a UUID. Equal keys are one send.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_KEY_CHARACTERS,
        "pattern": "^[A-Za-z0-9._~-]+$",
    },
}
KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]+$"}


def openapi_json(operations: Sequence[Operation]) -> str:
    """Return the document as JSON."""
    return json.dumps(openapi_document(operations), indent=1, ensure_ascii=False) + "\n"


def openapi_document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document as a value."""
    models = _models(operations)
    names, schemas = models_json_schema(
        [(model, "serialization" if _is_result(model, operations) else "validation") for model in models],
        ref_template=REFERENCE,
    )
    references = {model: reference for (model, _mode), reference in names.items()}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = _operation(operation, references, schemas["$defs"])
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    queries = {model.__name__ for operation in operations for model in [operation.query]}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Caveat",
            "version": version("caveat"),
            "description": "Newsletters, issues, sends, subscribers, feeds, articles and summaries.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {key: value for key, value in schemas["$defs"].items() if key not in queries},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": f"From `caveat token create`. Scopes: {', '.join(ApiScope)}.",
                }
            },
        },
    }


def _models(operations: Sequence[Operation]) -> list[type[BaseModel]]:
    found: dict[type[BaseModel], None] = {ApiProblem: None}
    for operation in operations:
        for model in (operation.query, operation.body, operation.result):
            if model is not None:
                found[model] = None
    return list(found)


def _is_result(model: type[BaseModel], operations: Sequence[Operation]) -> bool:
    return model is ApiProblem or any(operation.result is model for operation in operations)


def _operation(
    operation: Operation, references: Mapping[Any, Any], definitions: dict[str, Any]
) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": KEY_SCHEMA}
        for name in PATH_PARAMETER.findall(operation.path)
    ]
    parameters += _query_parameters(definitions[references[operation.query]["$ref"].rpartition("/")[2]])
    if operation.needs_key:
        parameters.append(IDEMPOTENCY_KEY)
    needs = f"Needs the scope `{operation.scope}`."
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": f"{operation.description} {needs}".strip(),
        "parameters": parameters,
        "responses": _responses(operation, references),
    }
    if operation.body is not None:
        content = {"application/json": {"schema": references[operation.body]}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _query_parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": value.get("description", ""),
            "schema": _without_null({key: one for key, one in value.items() if key != "description"}),
        }
        for name, value in schema.get("properties", {}).items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: it is left out instead of null."""
    kinds: list[dict[str, Any]] = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {key: value for key, value in schema.items() if key not in ("anyOf", "default")} | kinds[0]


def _responses(operation: Operation, references: Mapping[Any, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {media: {"schema": {"type": "string"}} for media in operation.media}
    if operation.result is not None:
        content["application/json"] = {"schema": references[operation.result]}
    headers = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in RATE_HEADERS.items()
    }
    success: dict[str, Any] = {"description": "Success.", "headers": headers}
    if content and operation.status != 204:
        success["content"] = content
    responses = {str(status): success for status in (operation.status, *operation.other_statuses)}
    if operation.method == "GET":
        responses["304"] = {"description": "Not modified: the ETag in If-None-Match is the current one."}
    error = {PROBLEM_TYPE: {"schema": references[ApiProblem]}}
    responses["default"] = {"description": "An error, as problem details (RFC 9457).", "content": error}
    return responses
