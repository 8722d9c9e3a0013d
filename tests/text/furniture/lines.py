"""The lines for the furniture rules, with invented names; half of them were written after the rules."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class KnownLine(NamedTuple):
    """A line of lines.txt or later_lines.txt, its language, and whether it is furniture.

    `is_mistaken` says that the rules decide the opposite.
    """

    language: str
    is_furniture: bool
    text: str
    is_mistaken: bool = False


def known_lines(file: str) -> list[KnownLine]:
    """Return the lines of a file of this folder."""
    rows = (Path(__file__).parent / file).read_text(encoding="utf-8").splitlines()
    parts = [row.split(" ", 2) for row in rows if row and not row.startswith("#")]
    return [KnownLine(language, sign[0] == "+", text, "?" in sign) for language, sign, text in parts]
