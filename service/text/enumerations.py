"""Enumerations: the items of a list inside a paragraph, "Three rules: 1. ... 2. ..." (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.core.model import TextSpan

MIN_NUMBERED_ITEMS = 2  # with "1)" or "(a)"; such marks hardly stand for anything else
MIN_DOTTED_ITEMS = 2
MIN_ORDINAL_ITEMS = 3  # with "1." where it also means "first"
MIN_BULLETS = 2

# One mark with the character before it; what follows must be a word.
_MARKER = re.compile(
    r"(?:(?<=[\s:：；;。，])|^)(?:\(?(?P<number>\d{1,2})(?P<end>[.)、]|\)\.)|\(?(?P<letter>[a-zа-я])(?P<close>\))"
    r"|(?P<bullet>[•‣▪●◦∙⁃])|(?P<circled>[①-⑳]))\s*(?=[^\s\d])"
)
_BEFORE_DOTTED = ".:;,!?…)]。：；，！？”»\"'"


@dataclass(frozen=True, slots=True)
class Enumeration:
    """The `items` of an enumeration, without their marks, and the span of the words that introduce them."""

    introduction: TextSpan | None
    items: tuple[TextSpan, ...]


@dataclass(frozen=True, slots=True)
class _Marker:
    kind: str
    number: int
    start: int
    end: int


def find_enumeration(text: str, start: int, end: int, *, ordinal: bool) -> Enumeration | None:
    """Return the enumeration in `text[start:end]`, a paragraph; None if there is none.

    Its marks are of one kind and ascend from the first. `ordinal` says that "1." means "first" in the
    language of the text: then three marks are needed. Time is linear in the length of the paragraph.
    """
    runs: dict[str, list[_Marker]] = {}
    for match in _MARKER.finditer(text, start, end):
        marker = _marker(text, start, match)
        if marker is None:
            continue
        run = runs.setdefault(marker.kind, [])
        if marker.number == len(run) + 1 or marker.kind == "bullet":
            run.append(marker)
    needed = {
        "dotted": MIN_ORDINAL_ITEMS if ordinal else MIN_DOTTED_ITEMS,
        "bullet": MIN_BULLETS,
    }
    whole = [run for kind, run in runs.items() if len(run) >= needed.get(kind, MIN_NUMBERED_ITEMS)]
    return _enumeration(text, start, end, max(whole, key=len)) if whole else None


def _marker(text: str, start: int, match: re.Match[str]) -> _Marker | None:
    """Return the mark, None for one that belongs to a sentence."""
    kind, number = "numbered", 0
    if match["bullet"]:
        kind = "bullet"
    elif match["circled"]:
        kind, number = "circled", ord(match["circled"]) - ord("①") + 1
    elif match["letter"]:
        kind, number = "letter", ord(match["letter"]) - ord("а" if match["letter"] >= "а" else "a") + 1
    else:
        number = int(match["number"])
        if match["end"] == ".":
            kind = "dotted"
            before = text[max(start, match.start() - 3) : match.start()].rstrip()
            belongs_to_sentence = before and before[-1] not in _BEFORE_DOTTED  # "on 1. May", "he won 1."
            if belongs_to_sentence or not text[match.end() - 1].isspace():
                return None
    return _Marker(kind, number, match.start(), match.end())


def _enumeration(text: str, start: int, end: int, run: list[_Marker]) -> Enumeration:
    ends = [*(marker.start for marker in run[1:]), end]
    items = (_trimmed(text, marker.end, stop) for marker, stop in zip(run, ends, strict=True))
    before = _trimmed(text, start, run[0].start)
    return Enumeration(
        before if before.end > before.start else None, tuple(i for i in items if i.end > i.start)
    )


def _trimmed(text: str, start: int, end: int) -> TextSpan:
    """Return the span without white space around it."""
    while end > start and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    return TextSpan(start, end)
