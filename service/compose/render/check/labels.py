"""Label rules: what is wrong with the labels of a theme, in sentences (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from service.core.languages import primary_language
from service.text.i18n import FALLBACK, Labels

PLURALS = frozenset(("zero", "one", "two", "few", "many", "other"))  # Unicode CLDR
_VALUE = re.compile(r"\{(\w+)\}")


def label_messages(labels: Labels) -> Iterator[str]:
    """Yield a message for each fault of a theme's labels, those of the packaged theme included."""
    english = labels.get(FALLBACK, {})
    for language, table in labels.items():
        if not primary_language(language):
            yield f"[{language}] is no language tag such as [de] or [pt-BR]"
        for key, label in table.items():
            where = f"the label {key!r} of [{language}]"
            if key not in english:
                yield f"{where} has no text in [{FALLBACK}], which other languages fall back to"
            problem = _shape_problem(label)
            if problem:
                yield f"{where} {problem}"
            elif unknown := _values(label) - _values(english.get(key, label)) - {"n"}:
                yield f"{where} has {{{min(unknown)}}}, which its text in [{FALLBACK}] does not have"


def _shape_problem(label: Any) -> str:  # noqa: ANN401 - whatever a TOML file may hold
    """Return what is wrong with the kind of a label, "" for a text or a table of plural forms."""
    if isinstance(label, str):
        return "" if label.strip() else "is empty"
    if not isinstance(label, Mapping):
        return "is neither a text nor a table of plural forms"
    if unknown := sorted(set(label) - PLURALS):
        return f"has the unknown plural form {unknown[0]!r}; known: {', '.join(sorted(PLURALS))}"
    if "other" not in label:
        return 'lacks the plural form "other"'
    empty = [form for form, text in label.items() if not isinstance(text, str) or not text.strip()]
    return f"has no text for the plural form {empty[0]!r}" if empty else ""


def _values(label: Any) -> set[str]:  # noqa: ANN401 - as above
    forms = label.values() if isinstance(label, Mapping) else (label,)
    return {value for form in forms for value in _VALUE.findall(str(form))}
