"""Word lists: text files of a package, one regular expression a line, in sections."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def load_patterns(package: str, file: str) -> Mapping[str, re.Pattern[str]]:
    """Return the sections of a package's file by name, each as one pattern; a repeated name overrides."""
    return dict(load_ordered_patterns(package, file, {}))


def load_ordered_patterns(
    package: str, file: str, shorthand: Mapping[str, str]
) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the sections of a file in order, with the `shorthand` in their lines expanded."""
    found: list[tuple[str, list[str]]] = []
    for line in (files(package) / file).read_text(encoding="utf-8").splitlines():
        if re.match(r"\[[a-z ]+\]", line):
            found.append((line[1:].partition("]")[0], []))
        elif line and not line.startswith("#"):
            for short, long in shorthand.items():
                line = line.replace(short, long)  # noqa: PLW2901 - one step of several
            found[-1][1].append(f"(?:{line})")
    return tuple((name, re.compile("|".join(lines), re.IGNORECASE | re.MULTILINE)) for name, lines in found)
