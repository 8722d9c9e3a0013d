"""Typed values of a newsletter's form: read, checked, and compared with those of the file (pure)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.app.newsletters.fields import NewsletterField, newsletter_fields, shown_value
from service.core.errors import Fault
from service.settings.errors import faults_by_key
from service.settings.packaged_files import DEFAULT_THEME
from service.settings.roster_files import NewsletterEntry

MAX_VALUE_CHARACTERS = 6_000  # of a field; the longest valid list of phrases is shorter
SWITCH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key that changes: its text before and after, "" where the file does not have it."""

    key: str
    label: str
    before: str
    after: str


def typed_values(fields: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the text of every field of a form; a list has a line for each item of all its fields."""
    return {key: _typed(one, fields.get(key, ())) for key, one in newsletter_fields().items()}


def _typed(field: NewsletterField, given: Sequence[str]) -> str:
    if field.kind != "lines":
        return " ".join((given[0] if given else "").split())[:MAX_VALUE_CHARACTERS]
    lines = (" ".join(line.split()) for text in given for line in text[:MAX_VALUE_CHARACTERS].splitlines())
    return "\n".join(dict.fromkeys(line for line in lines if line))


def yaml_values(typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the values as the file holds them; a field without text gives no key."""
    fields = newsletter_fields()
    return {key: _yaml_value(fields[key].kind, text) for key, text in typed.items() if text}


def _yaml_value(kind: str, text: str) -> Any:  # noqa: ANN401 - any value
    if kind == "lines":
        return text.split("\n")
    if kind == "switch":
        return SWITCH.get(text, text)
    return int(text) if kind == "number" and text.isdecimal() and len(text) < 10 else text


def typed_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of every field for the values of the file; "" for a key that it does not have."""
    return {key: shown_value(values[key]) if key in values else "" for key in newsletter_fields()}


def problems_of(values: Mapping[str, Any], *, themes: Collection[str]) -> dict[str, str]:
    """Return a sentence for each key with an invalid value; `themes` are the names of the themes."""
    faults = faults_by_key(NewsletterEntry, values)
    found = {key or "id": _sentence(key, fault) for key, fault in faults.items()}
    theme = str(values.get("theme", DEFAULT_THEME))
    if theme not in themes:
        found["theme"] = f"There is no theme {theme!r}. Known: {', '.join(sorted(themes))}."
    return found


def _sentence(key: str, fault: Fault) -> str:
    if fault.message == f"`{key}` is missing":
        return f"This is needed, such as {newsletter_fields()[key].example}."
    expected = f" Expected: {fault.expected}." if fault.expected else ""
    return f"{fault.message[:1].upper()}{fault.message[1:]}.{expected}"


def changed_values(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to write: new values by key, None for a key to remove. Both sides are valid values.

    A key that the file does not have is not written with its default. A list keeps the order of the file,
    because a form sends its items in another one; new items are behind the others.
    """
    after = {key: _as_in_file(before.get(key), value) for key, value in after.items()}
    old, new = NewsletterEntry.model_validate(before), NewsletterEntry.model_validate(after)
    default = NewsletterEntry.model_validate(
        {key: after[key] for key in ("id", "title", "schedule", "timezone")}
    )
    changes: dict[str, Any] = {}
    for key in NewsletterEntry.model_fields:
        if key not in after:
            changes |= {key: None} if shown_value(before.get(key)) else {}
        elif getattr(new, key) != getattr(old if key in before else default, key):
            changes[key] = after[key]
    return changes


def _as_in_file(old: Any, new: Any) -> Any:  # noqa: ANN401 - any value of a key
    """Return the new value as the file has it where it is equal: the order of a list, spaces of a text."""
    if isinstance(old, list) and isinstance(new, list):
        known, wanted = {_plain(item) for item in old}, {_plain(item) for item in new}
        kept = [item for item in old if _plain(item) in wanted]
        return kept + [item for item in new if _plain(item) not in known]
    is_same = isinstance(old, str) and isinstance(new, str) and _plain(old) == _plain(new)
    return old if is_same else new


def _plain(item: object) -> str:
    """Return the text of an item as a form sends it."""
    return " ".join(str(item).split())


def key_changes(before: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[KeyChange, ...]:
    """Return the changes of a newsletter in the order of the model, as text."""
    fields = newsletter_fields()
    return tuple(
        KeyChange(
            key,
            fields[key].label,
            shown_value(before.get(key)).replace("\n", ", "),
            shown_value(changes[key]).replace("\n", ", "),
        )
        for key in fields
        if key in changes
    )
