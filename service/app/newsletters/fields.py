"""The fields of a newsletter's form: every key of newsletters.yaml, in groups, with the help of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from service.settings.field_types import read_duration, write_duration
from service.settings.roster_files import NewsletterEntry

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("What it is", ("id", "title", "description", "sign_up")),
    ("What goes in", ("topics", "languages", "follow", "mute", "method")),
    ("When", ("schedule", "timezone", "min_stories", "empty", "late", "late_limit")),
    ("How long", ("stories", "points", "minutes")),
    ("How it looks", ("theme", "format", "language", "lead_picture", "corrections", "show_source_health")),
    ("Archive and review", ("archive", "review", "unreviewed")),
)
"""Title of each part of the form and its keys."""

LABELS = {
    "id": "Id",
    "sign_up": "Who can sign up",
    "min_stories": "Fewest stories",
    "empty": "Issues without stories",
    "late": "Late issues",
    "late_limit": "Late after",
    "points": "Key points",
    "minutes": "Reading time in minutes",
    "language": "Language of the mail",
    "languages": "Languages of the articles",
    "timezone": "Time zone",
    "lead_picture": "Picture of the first story",
    "show_source_health": "Sources that fail",
    "review": "Time for review",
    "unreviewed": "Drafts without a decision",
    "follow": "Words to follow",
    "mute": "Words to leave out",
}
"""Labels of keys that are no plain words."""


@dataclass(frozen=True, slots=True)
class NewsletterField:
    """A key of newsletters.yaml as a field. `kind` is `line`, `lines`, `number`, `choice` or `switch`.

    `default` is the text of the value in force without the key, "" for none; `choices` are the values of a
    `choice`. `minimum` and `maximum` are those of a `number`.
    """

    key: str
    label: str
    help: str
    kind: str
    required: bool
    default: str
    example: str
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


@cache
def newsletter_fields() -> Mapping[str, NewsletterField]:
    """Return the field of every key, in the order of the model."""
    schema = NewsletterEntry.model_json_schema()
    return {
        key: _field(key, one, required=key in schema["required"]) for key, one in schema["properties"].items()
    }


@cache
def field_groups() -> tuple[tuple[str, tuple[NewsletterField, ...]], ...]:
    """Return the fields in groups; a key that no group names is in the last one."""
    fields = newsletter_fields()
    named = {key for _, keys in GROUPS for key in keys}
    rest = tuple(key for key in fields if key not in named)
    *first, (title, last) = GROUPS
    return tuple((name, tuple(fields[key] for key in keys)) for name, keys in (*first, (title, last + rest)))


def _field(key: str, schema: Mapping[str, Any], *, required: bool) -> NewsletterField:
    kept = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    examples = schema.get("examples") or kept.get("examples") or [""]
    return NewsletterField(
        key=key,
        label=LABELS.get(key, key.capitalize()),
        help=str(schema["description"]),
        kind=_kind(kept),
        required=required,
        default=_default(key),
        example=", ".join(examples[0]) if isinstance(examples[0], list) else str(examples[0]),
        choices=tuple(kept.get("enum", ())),
        minimum=kept.get("minimum"),
        maximum=kept.get("maximum"),
    )


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "choice"
    return {"boolean": "switch", "integer": "number", "array": "lines"}.get(str(schema.get("type")), "line")


def _default(key: str) -> str:
    field = NewsletterEntry.model_fields[key]
    return "" if field.is_required() else shown_value(field.get_default(call_default_factory=True))


def shown_value(value: Any) -> str:  # noqa: ANN401 - any value of a key
    """Return a value as a person types it: a list as lines, a duration such as `30m`."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return "\n".join(map(str, value))
        case int() | str():
            return str(value)
        case _:
            return write_duration(read_duration(value))
