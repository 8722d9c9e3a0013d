"""Effective settings: each value in force and its origin, with secrets hidden."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from service.core.secret import HIDDEN
from service.settings.errors import SECRET_KEYS
from service.settings.field_types import write_duration
from service.settings.values import EffectiveSetting
from service.settings.yaml.document import KeyPath, YamlDocument


def effective_settings(
    file: BaseModel, written: YamlDocument, storage_shown: str
) -> tuple[EffectiveSetting, ...]:
    """Return the settings in force, in the order of the model.

    `file` is the validated caveat.yaml, `written` its source; `storage_shown` is the URL without password.
    """
    return tuple(_settings(file, written, storage_shown, ()))


def _settings(
    block: BaseModel, written: YamlDocument, storage: str, path: KeyPath
) -> Iterator[EffectiveSetting]:
    for name, field in type(block).model_fields.items():
        here, value = (*path, field.alias or name), getattr(block, name)
        if isinstance(value, BaseModel):
            yield from _settings(value, written, storage, here)
        else:
            text = storage if here == ("storage",) else _shown(str(here[-1]), value)
            yield EffectiveSetting(".".join(map(str, here)), text, written.origin(here))


def _shown(key: str, value: Any) -> str:  # noqa: ANN401 - any setting
    if key in SECRET_KEYS:
        return HIDDEN if value else ""
    match value:
        case None:
            shown = ""
        case timedelta():
            shown = write_duration(value)
        case bool():
            shown = str(value).lower()
        case float():
            shown = f"{value:g}"
        case BaseModel():
            shown = " ".join(f"{name}={found}" for name, found in value.model_dump().items())
        case list():
            shown = ", ".join(_shown("", item) for item in value)
        case dict():
            shown = ", ".join(f"{name}: {_shown('', item)}" for name, item in value.items())
        case _:
            shown = str(value)
    return shown
