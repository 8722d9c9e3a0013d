"""Translation of pydantic's validation errors into faults with position, expected value and suggestion."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from service.core.errors import Fault
from service.settings.field_types import WRONG_VALUE, did_you_mean
from service.settings.roster_files import PersonalChannel
from service.settings.secret_files import SECRET_PATHS as KEYS_OF_SECRETS
from service.settings.yaml.document import KeyPath, YamlDocument

SECRET_KEYS = frozenset(
    {"storage", *PersonalChannel.model_fields, *(str(path[-1]) for path in KEYS_OF_SECRETS)}
)
"""Keys whose value never appears in output, not even in a fault."""

_EXPECTED = {
    "string_type": "text; put quotes around what looks like a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "list_type": "a list, such as [one, two]",
    "model_type": "a block of keys",
    "model_attributes_type": "a block of keys",
    "dict_type": "a block of keys",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "string_too_short": "some text",
    "string_too_long": "at most {max_length} characters",
    "literal_error": "{expected}",
}


def faults_from(
    error: ValidationError, model: type[BaseModel], document: YamlDocument, prefix: KeyPath
) -> list[Fault]:
    """Return a fault for each error that `model` found in the value at `prefix`."""
    return [_explained(dict(one), model, document, prefix) for one in error.errors(include_url=False)]


def faults_by_key(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Fault]:
    """Return the first fault of each key of values that come from a form; "" is the key of the whole."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        keys = [str(one["loc"][0]) if one["loc"] else "" for one in errors]
        faults = faults_from(error, model, YamlDocument(""), ())
        return dict(reversed(list(zip(keys, faults, strict=True))))
    return {}


def _explained(
    error: Mapping[str, Any], model: type[BaseModel], written: YamlDocument, prefix: KeyPath
) -> Fault:
    inner: KeyPath = tuple(error["loc"])
    path, kind, context = (*prefix, *inner), error["type"], error.get("ctx", {})
    key = str(path[-1]) if path else ""
    if kind == "missing":
        return written.fault_at_path(path[:-1], f"`{key}` is missing", _example(model, inner), key=True)
    if kind == "extra_forbidden":
        known = _known(model, inner[:-1])
        what = f"there is no key `{key}` here{did_you_mean(key, known)}"
        return written.fault_at_path(path, what, f"one of {', '.join(known)}", key=True)
    if kind == WRONG_VALUE:
        return written.fault_at_path(path, context["what"], context["expected"])
    expected = _EXPECTED.get(kind, error["msg"]).format(**context)
    hint = ""
    if kind == "literal_error":
        choices = [part.strip("' ") for part in expected.replace(" or ", ",").split(",")]
        expected, hint = f"one of {', '.join(choices)}", did_you_mean(str(error["input"]), choices)
    if kind == "model_type" and (block := block_at(model, inner)):
        expected += f", such as {_shortest(block)}"
    return written.fault_at_path(path, f"{_named(path)} is {_shown(key, error['input'])}{hint}", expected)


def _named(path: KeyPath) -> str:
    if path and isinstance(path[-1], int):
        return f"an item of `{path[-2]}`" if len(path) > 1 else "an item"
    return f"`{path[-1]}`" if path else "the file"


def _shown(key: str, value: object) -> str:
    if key in SECRET_KEYS:
        return "not usable"
    if value is None:
        return "empty"
    if isinstance(value, Mapping):
        return "a block of keys"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, str) else f"the number {value}"
    return text if len(text) <= 80 else text[:77] + "..."


def _shortest(block: type[BaseModel]) -> str:
    """Return the block as YAML with its required keys only."""
    needed = [field.alias or name for name, field in block.model_fields.items() if field.is_required()]
    return "{" + ", ".join(f"{key}: ..." for key in needed or list(keys_of(block))[:1]) + "}"


def block_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """Return the block at `path` within a model, None if the path leads elsewhere."""
    found: type[BaseModel] | None = model
    for part in path:
        if found is None:
            return None
        if isinstance(part, str):
            found = _block_of(keys_of(found).get(part))
    return found


def keys_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return a block's keys in the spelling of the YAML file, with their types."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def is_block(annotation: Any) -> bool:  # noqa: ANN401 - any type hint
    """Return whether a key holds one block of further keys (a list of blocks does not count)."""
    if get_origin(annotation) in {Union, UnionType}:  # a block that may be left out
        return any(is_block(one) for one in get_args(annotation))
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _block_of(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any type hint
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _block_of(inner))), None)


def _known(model: type[BaseModel], path: KeyPath) -> list[str]:
    block = block_at(model, path)
    return list(keys_of(block)) if block else []


def _example(model: type[BaseModel], path: KeyPath) -> str:
    block, key = block_at(model, path[:-1]), str(path[-1])
    if block is None:
        return f"`{key}: ...`"
    field = next((f for name, f in block.model_fields.items() if (f.alias or name) == key), None)
    if field is None or not field.examples:
        return f"`{key}: ...`"
    example = field.examples[0]
    return f"`{key}: {example if isinstance(example, str) else '[' + ', '.join(map(str, example)) + ']'}`"
