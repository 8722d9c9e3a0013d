"""The fields of a feed's form: every key of feeds.yaml, and its typed values (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from service.app.newsletters.fields import shown_value
from service.settings.errors import faults_by_key
from service.settings.roster_files import FeedEntry

MAX_VALUE_CHARACTERS = 20_000  # of a field; the longest sensible list of categories is shorter
SWITCH = {"true": True, "false": False}
LABELS = {
    "url": "Address",
    "full_text": "Full text of articles",
    "every": "Time between two polls",
    "first_items": "Articles from the first poll",
    "max_age": "Age of old articles",
    "categories": "Topics of categories",
    "muted": "Muted",
}
"""Labels of keys that are no plain words."""


@dataclass(frozen=True, slots=True)
class FeedField:
    """A key of feeds.yaml as a field. `kind` is `line`, `lines`, `pairs`, `number`, `choice` or `switch`.

    `default` is the text of the value in force without the key, "" for none.
    """

    key: str
    label: str
    help: str
    kind: str
    default: str
    choices: tuple[str, ...] = ()


@cache
def feed_fields() -> Mapping[str, FeedField]:
    """Return the field of every key, in the order of the model."""
    properties = FeedEntry.model_json_schema()["properties"]
    return {key: _field(key, schema) for key, schema in properties.items()}


def _field(key: str, schema: Mapping[str, Any]) -> FeedField:
    kept = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    model = FeedEntry.model_fields[key]
    default = "" if model.is_required() else model.get_default(call_default_factory=True)
    return FeedField(
        key,
        LABELS.get(key, key.capitalize()),
        str(schema["description"]),
        _kind(kept),
        _text(default),
        tuple(kept.get("enum", ())),
    )


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = {
        "boolean": "switch",
        "integer": "number",
        "number": "number",
        "array": "lines",
        "object": "pairs",
    }
    return "choice" if "enum" in schema else kinds.get(str(schema.get("type")), "line")


def _text(value: Any) -> str:  # noqa: ANN401 - any value of a key
    if isinstance(value, dict):
        return "\n".join(f"{name}: {topic}" for name, topic in value.items())
    return f"{value:g}" if isinstance(value, float) else shown_value(value)


def typed_feed(fields: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the text of every field of a form; a list has a line for each item of all its fields."""
    return {key: _typed(one, fields.get(key, ())) for key, one in feed_fields().items()}


def _typed(field: FeedField, given: Sequence[str]) -> str:
    if field.kind not in ("lines", "pairs"):
        return " ".join((given[0] if given else "")[:MAX_VALUE_CHARACTERS].split())
    lines = (" ".join(line.split()) for text in given for line in text[:MAX_VALUE_CHARACTERS].splitlines())
    return "\n".join(dict.fromkeys(line for line in lines if line))


def feed_values(typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the values as the file holds them; a field without text gives no key."""
    fields = feed_fields()
    return {key: _value(fields[key].kind, text) for key, text in typed.items() if text}


def _value(kind: str, text: str) -> Any:  # noqa: ANN401 - any value
    if kind == "lines":
        return text.split("\n")
    if kind == "pairs":
        # A category may contain a colon, a topic cannot.
        pairs = (line.rpartition(":") for line in text.split("\n"))
        return {name.strip(): topic.strip() for name, _, topic in pairs}
    if kind == "switch":
        return SWITCH.get(text, text)
    if kind == "number":
        return _number(text)
    return text


def _number(text: str) -> int | float | str:
    """Return the number; a text that is none is returned as it is, for the model to refuse."""
    try:
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else float(text)
    except ValueError:
        return text


def typed_of_feed(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of every field for the values of the file; "" for a key that it does not have."""
    return {key: _text(values[key]) if key in values else "" for key in feed_fields()}


def feed_problems(values: Mapping[str, Any]) -> dict[str, str]:
    """Return a sentence for each key with an invalid value."""
    found = {}
    for key, fault in faults_by_key(FeedEntry, values).items():
        expected = f" Expected: {fault.expected}." if fault.expected else ""
        sentence = f"{fault.message[:1].upper()}{fault.message[1:]}.{expected}"
        is_empty = key not in values
        found[key or "url"] = (
            "This is needed, such as https://example.org/feed.xml." if is_empty else sentence
        )
    return found


def feed_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to write: new values by key, None for a key to remove. `after` is valid.

    A key that the file does not have is not written with its default.
    """
    new, plain = FeedEntry.model_validate(after), FeedEntry.model_validate({"url": after["url"]})
    old = None if feed_problems(before) else FeedEntry.model_validate(before)
    changes: dict[str, Any] = {}
    for key in FeedEntry.model_fields:
        present = old if key in before else plain
        if key not in after:
            changes |= {key: None} if key in before and _text(before[key]) else {}
        elif present is None or getattr(new, key) != getattr(present, key):
            changes[key] = after[key]
    return changes
