"""The reference of /api/v1: the tables of docs/reference/api.md, made from the same declarations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from service.web.api.openapi import openapi_document
from service.web.api.operations import Operation

BEGIN, END = "<!-- operations: begin -->", "<!-- operations: end -->"
"""The lines between which the page has what is made; a test compares them."""


def reference_page(operations: Sequence[Operation]) -> str:
    """Return the operations and their fields as Markdown."""
    document = openapi_document(operations)
    schemas = document["components"]["schemas"]
    lines = ["## Operations", "", "| request | what it does | scope |", "| --- | --- | --- |"]
    lines += [f"| `{one.method} {one.path}` | {_what(one)} | `{one.scope}` |" for one in operations]
    lines += ["", "## Parameters", "", "| request | parameter | |", "| --- | --- | --- |"]
    for operation in operations:
        described = document["paths"][operation.path][operation.method.lower()]
        for parameter in described["parameters"]:
            if parameter["in"] == "query":
                name = f"`{parameter['name']}`"
                lines.append(f"| `{operation.method} {operation.path}` | {name} | {_parameter(parameter)} |")
    for name, schema in schemas.items():
        lines += ["", *_fields(name, schema)]
    return "\n".join(lines) + "\n"


def _what(operation: Operation) -> str:
    return f"{operation.summary}. {operation.description}".strip()


def _parameter(parameter: dict[str, Any]) -> str:
    default = parameter["schema"].get("default")
    text: str = parameter["description"] + (f" Default: {default}." if default is not None else "")
    choices = parameter["schema"].get("enum")
    return text + (f" One of: {', '.join(choices)}." if choices else "")


def _fields(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    yield " ".join(str(schema.get("description", "")).split())
    if "properties" not in schema:
        return
    required = set(schema.get("required", ()))
    yield ""
    yield "| field | type | |"
    yield "| --- | --- | --- |"
    for field, value in schema["properties"].items():
        need = "" if field in required else "optional. "
        yield f"| `{field}` | {_type(value)} | {need}{value.get('description', '')} |"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        found = schema["$ref"].rpartition("/")[2]
        return f"[{found}](#{found.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return str(schema.get("format") or schema.get("type", "any"))
