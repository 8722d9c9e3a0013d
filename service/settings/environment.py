"""Environment variables that override keys of caveat.yaml, such as CAVEAT_MAIL__SMTP__HOST."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_origin

from service.core.errors import Fault
from service.settings.errors import block_at, is_block, keys_of
from service.settings.main_file import MainConfig
from service.settings.yaml.document import YamlDocument, read_yaml

VARIABLE_PREFIX, LEVEL_SEPARATOR = "CAVEAT_", "__"
_IGNORED = re.compile(r"CAVEAT_(CONFIG$|DEBUG$|SERVICE_|PORT$|PORT_)")
"""Variables that are not keys: those of the CLI, and those that Kubernetes sets for a service `caveat`."""


def apply_environment(written: YamlDocument, environ: Mapping[str, str]) -> tuple[list[Fault], list[Fault]]:
    """Put the variables' values into `written`, the content of caveat.yaml; return faults and warnings."""
    faults: list[Fault] = []
    warnings: list[Fault] = []
    for variable in sorted(environ):
        # Empty counts as not set: `${SMTP_HOST:-}` in a compose file gives an empty variable.
        if not variable.startswith(VARIABLE_PREFIX) or _IGNORED.match(variable) or not environ[variable]:
            continue
        path = tuple(variable.removeprefix(VARIABLE_PREFIX).lower().split(LEVEL_SEPARATOR))
        block = block_at(MainConfig, path[:-1])
        known = keys_of(block) if block else {}
        if path[-1] not in known:
            found = Fault(variable, 0, 0, f"no setting has this name{_near(variable)}", "")
            # Another program may use CAVEAT_WORD, but only Caveat uses two underscores.
            (faults if LEVEL_SEPARATOR in variable else warnings).append(found)
        elif is_block(known[path[-1]]):
            faults.append(
                Fault(variable, 0, 0, "this is a block of keys", f"one of them, as {variable}__NAME")
            )
        else:
            _put(written, path, variable, _value(known[path[-1]], environ[variable]))
    return faults, warnings


def _put(written: YamlDocument, path: tuple[str, ...], variable: str, value: object) -> None:
    if written.content is None:
        written.content = {}
    block = written.content
    for part in path[:-1]:
        if not isinstance(block, dict):
            return
        block = block.setdefault(part, {})
    if isinstance(block, dict):
        block[path[-1]] = value
        written.overridden_by[path] = variable


def _value(annotation: Any, text: str) -> Any:  # noqa: ANN401 - any type hint, any value
    """Return the text as a value of the key's type; numbers, booleans and lists are parsed as YAML."""
    if get_origin(annotation) is list and not text.lstrip().startswith("["):
        listed = text.strip().removeprefix("[").removesuffix("]")
        return [part.strip().strip("\"'") for part in listed.split(",") if part.strip()]
    if annotation in {int, float, bool} or get_origin(annotation) in {list, dict}:
        found = read_yaml("", text.encode("utf-8", "replace")).content
        return text if found is None else found
    return text


def _near(variable: str) -> str:
    found = get_close_matches(variable, list(environment_variables()), n=1, cutoff=0.75)
    return f" (did you mean {found[0]}?)" if found else ""


def environment_variables() -> dict[str, tuple[str, ...]]:
    """Return the variables that override a key, each with the path of the key."""
    found: dict[str, tuple[str, ...]] = {}

    def walk(path: tuple[str, ...]) -> None:
        block = block_at(MainConfig, path)
        for key, annotation in keys_of(block).items() if block else ():
            here = (*path, key)
            if is_block(annotation):
                walk(here)
            else:
                found[VARIABLE_PREFIX + LEVEL_SEPARATOR.join(here).upper()] = here

    walk(())
    return found
