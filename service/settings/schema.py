"""Schema: the keys of the config files as JSON Schema for editors and as a reference page for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from service.settings.config_files import CONFIG_FILES
from service.settings.environment import environment_variables
from service.settings.errors import block_at
from service.settings.field_types import write_duration

INDENT, MEANING_COLUMN = "  ", 26


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema (draft 2020-12) of each config file, by its file name in config/schema/.

    The comment `# yaml-language-server: $schema=schema/feeds.json` makes editors complete and check by it.
    """
    found = {}
    for file, model in CONFIG_FILES.items():
        schema = model.model_json_schema(by_alias=True)
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        schema["title"] = file
        found[file.replace(".yaml", ".json")] = schema
    return found


def reference_page(width: int = 100) -> str:
    """Return the reference of all keys, with meaning and default, and of all environment variables.

    Lines are at most `width` characters long.
    """
    lines: list[str] = []
    for file, model in CONFIG_FILES.items():
        about = (model.__doc__ or "").partition(": ")[2]
        lines += [file, textwrap.indent(textwrap.fill(about.capitalize(), width - 2), INDENT), ""]
        lines += [*_keys(model, 1, width), ""]
    lines += ["Environment", *_wrapped(_ENVIRONMENT, INDENT, width), ""]
    lines += [f"{INDENT}{name}" for name in environment_variables()]
    return "\n".join(lines) + "\n"


_ENVIRONMENT = (
    "A variable can set a key of caveat.yaml: CAVEAT_ and the path of the key, with two underscores between "
    "levels. Lists are separated by commas. CAVEAT_CONFIG is the path of the config folder."
)


def _keys(model: type[BaseModel], depth: int, width: int) -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = field.alias or name
        block = block_at(model, (key,))
        yield from _entry(key, _meaning(field, nested=block is not None), depth, width)
        if block is not None:
            yield from _keys(block, depth + 1, width)


def _entry(key: str, meaning: str, depth: int, width: int) -> Iterator[str]:
    head = f"{INDENT * depth}{key}"
    first, *rest = _wrapped(meaning, " " * MEANING_COLUMN, width)
    yield (
        head.ljust(MEANING_COLUMN) + first.lstrip()
        if len(head) < MEANING_COLUMN
        else f"{head} {first.lstrip()}"
    )
    yield from rest


def _meaning(field: FieldInfo, *, nested: bool) -> str:
    says = [field.description or ""]
    if field.is_required():
        says.append("Required.")
    elif not nested and _written(field.default):
        says.append(f"Default: {_written(field.default)}.")
    if field.examples and not nested:
        says.append(f"Example: {_written(field.examples[0])}")
    return " ".join(says)


def _written(value: object) -> str:
    if isinstance(value, timedelta):
        return write_duration(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return "" if value is None or isinstance(value, FieldInfo) else _plain(value)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value) if isinstance(value, str | int) else ""


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    ) or [indent]
