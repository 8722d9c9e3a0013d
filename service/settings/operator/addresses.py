"""The value of `operator` in caveat.yaml: one address or a list of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from service.settings.field_types import Email

MAX_ADDRESSES = 10  # each gets a mail of its own; a larger team has a mailing list

_ADDRESS = {"type": "string", "format": "email"}


def as_list(value: Any) -> Any:  # noqa: ANN401 - what the file has, checked next
    """Return one address as a list of it."""
    return [value] if isinstance(value, str) else value


OperatorAddresses = Annotated[
    list[Email],
    Field(max_length=MAX_ADDRESSES),
    BeforeValidator(as_list),
    WithJsonSchema({"anyOf": [_ADDRESS, {"type": "array", "items": _ADDRESS, "maxItems": MAX_ADDRESSES}]}),
]
