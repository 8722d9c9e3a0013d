"""The form of a person's preferences for one newsletter: choices where the values are known (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.app.people.typed_preferences import LISTS, MAX_TYPED_CHARACTERS, shown, typed, words_of
from service.core.model import PREFERENCE_FIELDS, Membership
from service.web.request_bodies import Fields

FIELDS: Mapping[str, tuple[str, str]] = {
    "schedule": ("Schedule", "Such as daily 07:00, weekdays 06:30,18:00 or weekly mon,thu 08:00."),
    "timezone": ("Time zone", "Such as Asia/Qatar."),
    "topics": ("Topics", ""),
    "stories": ("Stories with key points", "1 to 50."),
    "points": ("Key points of a story", "1 to 12."),
    "minutes": ("Minutes to read an issue", "1 to 60."),
    "language": ("Language of the mail", ""),
    "format": ("Format", ""),
    "languages": ("Languages of articles", ""),
    "follow": ("Words to follow", "With commas between them; none means no words."),
    "mute": ("Words to mute", "With commas between them; none means no words."),
}
"""Label and hint of each preference."""

SEVERAL = ("topics", "languages")
"""Preferences with several values of a known set."""

CHOSEN = "chosen"
"""Value of the field of such a preference: the checked boxes, in the field with `.choice` behind its name."""

FORMATS = ("html", "text")


@dataclass(frozen=True, slots=True)
class PreferenceField:
    """A field of the form: the typed text, what holds now, and a problem.

    `choices` are the values to choose from, none for a text. `marked` are the chosen ones where `several`
    can be chosen.
    """

    name: str
    label: str
    hint: str
    value: str
    now: str
    problem: str
    choices: tuple[str, ...] = ()
    several: bool = False

    @property
    def marked(self) -> tuple[str, ...]:
        """The chosen values of several."""
        return words_of(self.value) if self.mode == CHOSEN else ()

    @property
    def mode(self) -> str:
        """Which of the ways to choose several values is chosen: "", `all` or `chosen`."""
        return self.value if self.value in ("", LISTS.get(self.name)) else CHOSEN


def preference_fields(
    membership: Membership,
    known: Mapping[str, Sequence[str]],
    texts: Mapping[str, str] | None,
    problems: Mapping[str, str],
) -> list[PreferenceField]:
    """Return the fields with the stored values, or with the typed `texts`.

    `known` are the values to choose from, by field; a value that is none of them stays in the list.
    """
    values = typed(membership.subscription.preferences) if texts is None else texts
    fields = []
    for name, (label, hint) in FIELDS.items():
        several = name in SEVERAL
        typed_now = values[name]
        own = words_of(typed_now) if several else (typed_now,)
        extra = {one for one in own if one and one != LISTS.get(name)}
        choices = tuple(sorted({*known[name], *extra})) if name in known else ()
        now = shown(name, getattr(membership.edition, name))
        fields.append(
            PreferenceField(name, label, hint, typed_now, now, problems.get(name, ""), choices, several)
        )
    return fields


def typed_texts(fields: Fields) -> tuple[dict[str, str], dict[str, str]]:
    """Return the text of every preference of a submitted form, and a sentence for each without a choice."""
    texts, problems = {}, {}
    for name in PREFERENCE_FIELDS:
        text = fields.get(name, [""])[0][:MAX_TYPED_CHARACTERS]
        if name in SEVERAL and text == CHOSEN:
            text = ", ".join(fields.get(f"{name}.choice", []))[:MAX_TYPED_CHARACTERS]
            if not text:
                problems[name] = "Choose at least one, or another of the ways."
        texts[name] = text
    return texts, problems
